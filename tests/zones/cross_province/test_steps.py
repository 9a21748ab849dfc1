"""Corrections, returns, counters, refusals: each step between the places, and what each keeps people from."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.builders import slug
from tests.zones.cross_province.pair import GUANGDONG, MATTER, Pair

CASES = "/zones/cross-province/cases"
DESK = "/desk/cross-province/cases"


def body(**members: Any) -> dict[str, Any]:
    return {"division": GUANGDONG, "matter": MATTER, "version": 1, "form": {"purpose": "loan"}} | members


async def test_what_is_missing_is_asked_once_and_the_correction_goes_back(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    early = await pair.hainan.api.post(
        f"{CASES}/{case['id']}/correction", json={"form": {"purpose": "job"}}, headers=headers
    )
    assert (early.status_code, slug(early), early.json()["state"]) == (409, "not-now", "reached")
    clerk = await pair.guangdong.clerk("human-resources", "440000")
    there = await pair.desk_case(case["id"])
    wanted = [{"pointer": "/purpose", "message": "请改为实际用途"}]
    await pair.act(clerk, there, "request-correction", items=wanted, note="用途不符")
    await pair.pass_time(seconds=61)
    await pair.pump()
    asked = await pair.read(case["id"], headers)
    assert (asked["state"], asked["items"], asked["opinion"]) == ("correction_requested", wanted, "用途不符")
    assert asked["dueOn"]
    wrong = await pair.hainan.api.post(
        f"{CASES}/{case['id']}/correction", json={"form": {"purpose": "nonsense"}}, headers=headers
    )
    assert (wrong.status_code, slug(wrong)) == (422, "invalid-application")
    assert wrong.json()["errors"][0]["pointer"] == "/form/purpose"
    sent = await pair.hainan.api.post(
        f"{CASES}/{case['id']}/correction", json={"form": {"purpose": "job"}}, headers=headers
    )
    assert (sent.status_code, sent.json()["state"]) == (200, "forwarded")
    await pair.pump()
    assert (await pair.read(case["id"], headers))["state"] == "reached"
    clerk = await pair.guangdong.clerk("human-resources", "440000")
    shown = await pair.guangdong.api.get(f"/desk/cases/{there}", headers=clerk)
    assert (shown.json()["state"], shown.json()["form"]["purpose"]) == ("submitted", "job")


async def test_what_cannot_be_opened_there_comes_back_with_every_reason(pair: Pair) -> None:
    headers, _ = await pair.resident(insured=False)
    case = await pair.apply(headers)
    await pair.pump()
    returned = await pair.read(case["id"], headers)
    assert returned["state"] == "returned"
    assert {item["pointer"] for item in returned["items"]} == {"/insurance/months", "/insurance/division"}
    assert (await pair.hainan.do("told"))[-1] == "cross-province.returned"
    # Sent back is over: it can be applied for anew.
    assert (await pair.apply(headers))["id"] != case["id"]


async def test_a_refusal_says_why(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk = await pair.guangdong.clerk("human-resources", "440000")
    await pair.act(clerk, await pair.desk_case(case["id"]), "refuse", note="不属于本机构职权")
    await pair.pass_time(seconds=61)
    await pair.pump()
    refused = await pair.read(case["id"], headers)
    assert (refused["state"], refused["outcome"], refused["opinion"]) == (
        "refused",
        "refused",
        "不属于本机构职权",
    )
    assert refused["certificate"] is None


async def test_a_step_taken_back_within_its_minute_is_never_told(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk = await pair.guangdong.clerk("human-resources", "440000")
    there = await pair.desk_case(case["id"])
    await pair.act(clerk, there, "refuse", note="误点")
    await pair.pump()
    await pair.act(clerk, there, "undo")
    await pair.pass_time(seconds=61)
    await pair.pump()
    assert (await pair.read(case["id"], headers))["state"] == "reached"


async def test_a_counter_takes_in_sends_and_hands_over(pair: Pair) -> None:
    """异地代收代办: the counter checks who applies and sends; the owning place decides."""
    _, number = await pair.resident()
    api, clerk = pair.hainan.api, await pair.hainan.clerk("human-resources", "460000")
    person = {"name": "符南北", "idNumber": number, "phone": "13900000000"}
    unchecked = await api.post(DESK, json=body(**person, identityChecked=False), headers=clerk)
    assert (unchecked.status_code, slug(unchecked)) == (422, "invalid-intake")
    assert unchecked.json()["errors"][0]["pointer"] == "/identityChecked"
    other = await api.post(DESK, json=body(**person | {"name": "别人"}, identityChecked=True), headers=clerk)
    assert (other.status_code, slug(other)) == (422, "invalid-intake")
    taken = await api.post(
        DESK,
        json=body(**person, identityChecked=True, papers=[{"name": "户口簿复印件", "sha256": "0" * 64}]),
        headers=clerk,
    )
    assert taken.status_code == 201, taken.text
    cross_id = taken.json()["id"]
    assert taken.json()["mode"] == 2
    early = await api.post(f"{DESK}/{cross_id}/delivery", headers=clerk)
    assert (early.status_code, slug(early)) == (409, "not-now")
    sent = await api.post(f"{DESK}/{cross_id}/express", json={"express": "SF1234567"}, headers=clerk)
    assert sent.status_code == 200, sent.text
    await pair.pump()
    kept = f"SELECT count(*) FROM cross_province_case WHERE id = '{cross_id}' AND express_sealed IS NOT NULL"
    assert await pair.guangdong.count(kept) == 1

    there_clerk = await pair.guangdong.clerk("human-resources", "440000")
    there = await pair.desk_case(cross_id)
    await pair.act(there_clerk, there, "request-correction", items=[{"pointer": "/purpose", "message": "改"}])
    await pair.pass_time(seconds=61)
    await pair.pump()
    fixed = await api.post(f"{DESK}/{cross_id}/correction", json={"form": {"purpose": "job"}}, headers=clerk)
    assert fixed.status_code == 200, fixed.text
    await pair.pump()
    for verb in ("accept", "approve"):
        await pair.act(there_clerk, there, verb)
    await pair.pass_time(seconds=61)
    await pair.pump()
    shown = await api.get(f"{DESK}/{cross_id}", headers=clerk)
    assert (shown.json()["state"], shown.json()["outcome"]) == ("result_returned", "approved")
    assert shown.json()["certificate"]["claims"]["idNumber"] == number
    for _ in range(2):
        given = await api.post(f"{DESK}/{cross_id}/delivery", headers=clerk)
        assert (given.status_code, given.json()["state"]) == (200, "delivered")
    listed = await api.get(DESK, headers=clerk)
    assert cross_id in {one["id"] for one in listed.json()["items"]}
    stranger = await pair.hainan.clerk("education", "460000")
    assert (await api.get(f"{DESK}/{cross_id}", headers=stranger)).status_code == 404


@pytest.mark.parametrize(
    ("members", "status", "wrong"),
    [
        ({"division": "450000"}, 404, "no-such-neighbour"),
        ({"matter": "no.such"}, 404, "matter-not-offered"),
        ({"version": 9}, 409, "matter-outdated"),
        ({"form": {}}, 422, "invalid-application"),
        ({"form": {"purpose": "loan", "nonsense": 1}}, 422, "invalid-application"),
        ({"division": "460105"}, 400, "malformed"),
    ],
)
async def test_an_application_that_cannot_be_sent_is_refused_with_the_way_out(
    pair: Pair, members: dict[str, Any], status: int, wrong: str
) -> None:
    headers, _ = await pair.resident()
    answer = await pair.hainan.api.post(CASES, json=body(**members), headers=headers)
    assert (answer.status_code, slug(answer)) == (status, wrong), answer.text


async def test_each_sees_their_own_and_nobody_else_s(pair: Pair) -> None:
    (mine, _), (theirs, _) = await pair.resident(), await pair.resident()
    case = await pair.apply(mine)
    listed = await pair.hainan.api.get(CASES, headers=mine)
    assert [one["id"] for one in listed.json()["items"]] == [case["id"]]
    assert (await pair.hainan.api.get(CASES, headers=theirs)).json()["items"] == []
    for answer in (
        await pair.hainan.api.get(f"{CASES}/{case['id']}", headers=theirs),
        await pair.hainan.api.post(f"{CASES}/{case['id']}/correction", json={"form": {}}, headers=theirs),
    ):
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert (await pair.hainan.api.get(CASES)).status_code == 401


async def test_nothing_is_sent_under_an_agreement_that_is_suspended(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.hainan.do("suspended", GUANGDONG, True)
    try:
        answer: httpx.Response = await pair.hainan.api.post(
            CASES, json=body(), headers=(await pair.resident())[0]
        )
        assert (answer.status_code, slug(answer)) == (422, "agreement-not-in-force")
        assert (await pair.hainan.api.get("/zones/cross-province/matters")).json()["items"] == []
        await pair.pump()
        assert (await pair.read(case["id"], headers))["state"] == "taken_in"
    finally:
        await pair.hainan.do("suspended", GUANGDONG, False)
    await pair.pass_time(minutes=1)
    await pair.pump()
    assert (await pair.read(case["id"], headers))["state"] == "reached"


async def test_an_application_is_withdrawn_there_and_can_be_made_anew(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    address = f"{CASES}/{case['id']}/withdrawal"
    asked = await pair.hainan.api.post(address, headers=headers)
    assert (asked.status_code, asked.json()["timeline"][-1]["state"]) == (200, "withdrawal_requested")
    again = await pair.hainan.api.post(address, headers=headers)
    assert (again.status_code, slug(again)) == (409, "not-now")
    await pair.pump()
    done = await pair.read(case["id"], headers)
    assert (done["state"], done["outcome"]) == ("delivered", "withdrawn")
    assert (await pair.apply(headers))["state"] == "taken_in"


async def test_a_decision_that_was_faster_than_the_withdrawal_stands(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    for verb in ("accept", "approve"):
        await pair.act(clerk, there, verb)
    asked = await pair.hainan.api.post(f"{CASES}/{case['id']}/withdrawal", headers=headers)
    assert asked.status_code == 200
    await pair.pass_time(seconds=61)
    await pair.pump()
    done = await pair.read(case["id"], headers)
    assert (done["outcome"], done["certificate"]["claims"]["months"]) == ("approved", 70)


async def test_every_step_of_a_case_is_in_the_audit_of_both_places(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    desk = await pair.hainan.clerk("human-resources", "460000")
    assert (await pair.hainan.api.get(f"{DESK}/{case['id']}", headers=desk)).status_code == 200
    about = f"SELECT action, subject IS NULL FROM audit_record WHERE object_id = '{case['id']}' ORDER BY id"
    here = [action for action, nobody in await pair.hainan.do("rows", about) if nobody == "False"]
    there = [action for action, nobody in await pair.guangdong.do("rows", about) if nobody == "False"]
    assert here == [f"cross-province.{step}" for step in ("taken-in", "forwarded", "reached", "read")]
    assert there == ["cross-province.reached"]
