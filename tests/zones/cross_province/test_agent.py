"""Somebody acts for another in another province: under a delegation, seen by both places."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from haiyiban import clock, texts
from tests.builders import slug
from tests.zones.cross_province.pair import GUANGDONG, MATTER, Pair

CASES = "/zones/cross-province/cases"


async def delegated(pair: Pair, giver: dict[str, str], taker_number: str, taker: dict[str, str]) -> str:
    """A delegation for the proof, for a month; its id."""
    today = (clock.now() + timedelta(seconds=pair.hainan.offset)).date()
    body = {
        "basis": "agreement",
        "taker": {"name": "符南北", "idNumber": taker_number},
        "matters": [MATTER],
        "until": (today + timedelta(days=60)).isoformat(),
        "notices": "both",
        "consent": texts.current("delegation").hash,
    }
    offered = await pair.hainan.api.post("/delegations", json=body, headers=giver)
    assert offered.status_code == 201, offered.text
    at = f"/delegations/{offered.json()['id']}"
    accepted = await pair.hainan.api.post(f"{at}/acceptance", json={}, headers=taker)
    assert accepted.status_code == 200, accepted.text
    return str(offered.json()["id"])


async def apply(pair: Pair, taker: dict[str, str], delegation: str, **members: Any) -> httpx.Response:
    body = {"division": GUANGDONG, "matter": MATTER, "version": 1, "form": {"purpose": "loan"}}
    return await pair.hainan.api.post(CASES, json=body | {"onBehalfOf": delegation} | members, headers=taker)


async def test_somebody_applies_for_another_and_the_other_place_sees_who_acts(pair: Pair) -> None:
    (giver, number), (taker, taker_number) = await pair.resident(), await pair.resident()
    delegation = await delegated(pair, giver, taker_number, taker)
    opened = await apply(pair, taker, delegation)
    assert opened.status_code == 201, opened.text
    case = opened.json()
    assert case["agent"]["name"] == "符南北"
    assert case["agent"]["idNumber"] != taker_number
    assert case["form"] is None, "what is the giver's is not shown to who acts"
    await pair.pump()

    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    shown = await pair.act(clerk, there, "accept")
    assert shown["form"]["applicant"]["idNumber"] == number
    [note] = [one for one in shown["findings"] if one["code"] == "cross-province"]
    assert "代办人符南北" in note["message"]
    assert taker_number not in note["message"]
    theirs = await pair.guangdong.api.get(f"/desk/cross-province/cases/{case['id']}", headers=clerk)
    assert theirs.json()["agent"]["basis"] == "agreement"
    await pair.act(clerk, there, "approve")
    await pair.pass_time(seconds=61)
    await pair.pump()

    mine = await pair.read(case["id"], taker)
    assert (mine["state"], mine["certificate"]) == ("result_returned", None), "the giver's alone"
    listed = await pair.hainan.api.get(CASES, params={"onBehalfOf": delegation}, headers=taker)
    assert [one["id"] for one in listed.json()["items"]] == [case["id"]]
    assert (await pair.hainan.api.get(CASES, headers=taker)).json()["items"] == []
    own = await pair.read(case["id"], giver)
    assert (own["state"], own["certificate"]["claims"]["idNumber"]) == ("delivered", number)
    records = (
        "SELECT action FROM audit_record "
        f"WHERE delegation_id = '{delegation}' AND action LIKE 'cross-province.%'"
    )
    assert ["cross-province.taken-in"] in await pair.hainan.do("rows", records)


async def test_who_acts_corrects_and_ended_they_do_no_more(pair: Pair) -> None:
    (giver, _), (taker, taker_number) = await pair.resident(), await pair.resident()
    delegation = await delegated(pair, giver, taker_number, taker)
    case = (await apply(pair, taker, delegation)).json()
    await pair.pump()
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    await pair.act(clerk, there, "request-correction", items=[{"pointer": "/purpose", "message": "改"}])
    await pair.pass_time(seconds=61)
    await pair.pump()
    at = f"{CASES}/{case['id']}"
    fixed = await pair.hainan.api.post(f"{at}/correction", json={"form": {"purpose": "job"}}, headers=taker)
    assert (fixed.status_code, fixed.json()["state"]) == (200, "forwarded"), fixed.text
    await pair.pump()
    shown = await pair.guangdong.api.get(f"/desk/cases/{there}", headers=clerk)
    assert shown.json()["form"]["purpose"] == "job"
    ended = await pair.hainan.api.post(f"/delegations/{delegation}/revocation", json={}, headers=giver)
    assert ended.status_code == 200, ended.text
    for answer in (
        await pair.hainan.api.get(at, headers=taker),
        await pair.hainan.api.post(f"{at}/withdrawal", headers=taker),
        await apply(pair, taker, delegation),
    ):
        assert (answer.status_code, slug(answer)) == (403, "delegation-ended"), answer.text
    assert (await pair.hainan.api.post(f"{at}/withdrawal", headers=giver)).status_code == 200


async def test_nobody_acts_without_a_delegation_for_this_matter(pair: Pair) -> None:
    (giver, _), (taker, taker_number) = await pair.resident(), await pair.resident()
    delegation = await delegated(pair, giver, taker_number, taker)
    stranger, _ = await pair.resident()
    for headers in (stranger, giver):
        answer = await apply(pair, headers, delegation)
        assert (answer.status_code, slug(answer)) == (422, "no-delegation"), answer.text
        assert answer.json()["errors"][0]["pointer"] == "/onBehalfOf"
    other = await apply(pair, taker, delegation, matter="no.such")
    assert (other.status_code, slug(other)) == (422, "matter-not-delegated"), other.text
