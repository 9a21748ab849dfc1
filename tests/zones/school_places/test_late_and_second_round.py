"""Late applications stand behind their class; a second round gives away what nobody waits for.
Source: docs/domain.md §6.1, §6.2, §11."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from haiyiban import clock, db
from haiyiban.ids import new_id
from services.school_places import tasks
from services.school_places.models import Enrolment
from services.school_places.recompute import recompute
from tests import builders
from tests.zones.school_places.afterwards import (
    PLACEMENTS,
    Family,
    Results,
    acts_about,
    apply_all,
    publish,
    results_of,
    slug,
    texts_of,
)
from tests.zones.school_places.conftest import Headers, MakeRound, SignInStaff, accept, applied, family


@pytest.fixture
async def out(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    """One seat at A, taken; a class 1 child and one from outside wait for it; B has two seats left."""
    made = await make_round({"A": 1, "B": 4})
    families = []
    for who in (family("A"), family("A"), family(None)):
        headers, case = await applied(api, sandbox, clerk, who, [made.schools["A"]])
        families.append(Family(who, headers, case))
    return await publish(api, officer, made, families)


async def draft(results: Results, sandbox: httpx.AsyncClient, who: builders.Somebody) -> Family:
    """A family that fills in a draft for A, too late."""
    headers = await builders.resident(results.api, sandbox, who)
    return await draft_of(results, who, headers, who.children[0]["idNumber"])


async def draft_of(results: Results, who: builders.Somebody, headers: Headers, child: str) -> Family:
    """The same for one child of several."""
    opened = await results.api.post(
        "/cases", json={"matter": "education.school-place", "subject": {"idNumber": child}}, headers=headers
    )
    case = opened.json()
    patched = await results.api.patch(
        f"/cases/{case['id']}",
        json={"form": {"choices": [results.school("A")]}, "version": case["version"]},
        headers=headers,
    )
    assert patched.status_code == 200, patched.text
    return Family(who, headers, patched.json())


async def permit(results: Results, case: str, by: Headers, **more: Any) -> httpx.Response:
    """An officer's leave."""
    body = {"caseId": case, "reason": "八月才随迁入学区，材料齐全"} | more
    return await results.api.post(f"{results.at}/late-applications", json=body, headers=by)


async def hand_in(results: Results, late: Family) -> httpx.Response:
    """The family hands its draft in."""
    return await results.api.post(f"/cases/{late.case['id']}/submission", json={}, headers=late.headers)


async def test_a_late_child_stands_behind_its_class_and_gets_a_seat_that_is_left(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    out: Results,
    clerk: Headers,
    officer: Headers,
) -> None:
    late = await draft(out, sandbox, family("A"))
    refused = await hand_in(out, late)
    assert refused.status_code == 422, "the roll is fixed"
    assert (await permit(out, late.case["id"], officer)).status_code == 201
    await texts_of(sandbox, late.who.phone, "已准予您逾期补报")
    handed_in = await hand_in(out, late)
    assert handed_in.status_code == 200, handed_in.text
    await accept(api, clerk, handed_in.json())
    await tasks.place_late(b"")
    assert (await api.get(PLACEMENTS, headers=late.headers)).json()["items"] == [], "not before appeals end"
    await out.windows_pass()
    await tasks.carry_on(b"")
    await tasks.place_late(b"")
    place = await out.place(late)
    assert (place["school"], place["outcome"], place["lottery"]) == ("B小学", "coordination", None)
    assert "逾期补报，未参加派位" in place["explanation"]
    assert (await acts_about(late.case["id"]))[0] == "permit-late"
    assert await acts_about(place["id"]) == ["place-late"]
    assert place["waitingLists"][0]["text"] == "第一志愿A小学：候补第 2 位"
    waits = [one for one in out.families if (await out.place(one))["waitingLists"]]
    numbers = {one.case["id"]: (await out.place(one))["waitingLists"][0]["number"] for one in waits}
    outside = out.families[2].case["id"]
    assert numbers.pop(outside) == 3, "behind class 1 inside, before everybody from outside"
    assert list(numbers.values()) == [1]
    notice = (await api.get(f"/certificates/{place['certificateId']}", headers=late.headers)).json()
    assert (notice["status"], notice["claims"]["school"]) == ("valid", "B小学")
    case = (await api.get(f"/cases/{late.case['id']}", headers=late.headers)).json()
    assert case["outcome"] == "approved"
    await texts_of(sandbox, late.who.phone, "逾期补报已有结果")
    await tasks.place_late(b"")
    assert len((await api.get(PLACEMENTS, headers=late.headers)).json()["items"]) == 1
    assert (await api.get(f"{out.at}/corrections")).json()["late"] == 1
    file = (await api.get(f"{out.made.runs}/{out.run}/public")).content or b""
    assert late.case["id"].encode() not in file


async def test_where_no_seat_is_left_a_late_child_waits(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    results = await results_of(api, sandbox, make_round, clerk, officer, seats={"A": 1}, wishes=["A"])
    late = await draft(results, sandbox, family("A"))
    await permit(results, late.case["id"], officer)
    await accept(api, clerk, (await hand_in(results, late)).json())
    await results.appeal_window_passes()
    await tasks.place_late(b"")
    place = await results.place(late)
    assert (place["outcome"], place["certificateId"]) == ("no_seat", None)
    assert (await api.get(f"/cases/{late.case['id']}", headers=late.headers)).json()["outcome"] == "denied"
    await results.refuse(results.families[0])
    [offer] = await results.offers(late)
    taken = await api.post(
        f"/zones/school-places/offers/{offer['id']}/acceptance", json={}, headers=late.headers
    )
    assert taken.status_code == 200, taken.text
    assert taken.json()["school"] == "A小学"
    assert (await api.get(f"/cases/{late.case['id']}", headers=late.headers)).json()["outcome"] == "approved"


async def late_twins(results: Results, sandbox: httpx.AsyncClient, clerk: Headers, officer: Headers) -> Any:
    """Twins whom a clerk has accepted late, with a stranger's leave between theirs."""
    who = family("B", children=2)
    headers = await builders.resident(results.api, sandbox, who)
    one, other = [await draft_of(results, who, headers, each["idNumber"]) for each in who.children]
    between = await draft(results, sandbox, family("B"))
    for each in (one, between, other):
        assert (await permit(results, each.case["id"], officer)).status_code == 201
        handed_in = await hand_in(results, each)
        assert handed_in.status_code == 200, handed_in.text
        await accept(results.api, clerk, handed_in.json())
    return one, between, other


async def test_late_twins_stand_together_and_are_both_offered_the_last_seat(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    results = await results_of(api, sandbox, make_round, clerk, officer, seats={"A": 1}, wishes=["A"])
    one, between, other = await late_twins(results, sandbox, clerk, officer)
    await results.appeal_window_passes()
    await tasks.place_late(b"")

    async def number(late: Family) -> int:
        found: int = (await results.place(late))["waitingLists"][0]["number"]
        return found

    assert [await number(each) for each in (one, other, between)] == [1, 1, 3]
    await results.refuse(results.families[0])
    assert [len(await results.offers(each)) for each in (one, other, between)] == [1, 1, 0]
    for each in (one, other):
        [offer] = await results.offers(each)
        path = f"/zones/school-places/offers/{offer['id']}/acceptance"
        assert (await api.post(path, json={}, headers=each.headers)).status_code == 200
    assert [(await results.place(each))["school"] for each in (one, other)] == ["A小学", "A小学"]


async def test_late_twins_share_the_last_seat_that_nobody_waits_for(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    results = await results_of(api, sandbox, make_round, clerk, officer, seats={"A": 2}, wishes=["A"])
    one, between, other = await late_twins(results, sandbox, clerk, officer)
    await results.appeal_window_passes()
    await tasks.place_late(b"")
    placed = [(await results.place(each))["school"] for each in (one, between, other)]
    assert placed == ["A小学", None, "A小学"], "one over capacity, and nobody else with it"


async def test_leave_is_an_officers_with_a_reason_for_a_draft_after_the_close(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    out: Results,
    clerk: Headers,
    officer: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    late = await draft(out, sandbox, family("A"))
    case = late.case["id"]
    strangers = [
        ({}, 401),
        (late.headers, 403),
        (clerk, 403),
        (await sign_in_staff("officer", agency="health"), 403),
        (await sign_in_staff("officer", division="460106"), 403),
    ]
    for headers, status in strangers:
        assert (await permit(out, case, headers)).status_code == status
    silent = await permit(out, case, officer, reason=" ")
    assert (silent.status_code, slug(silent)) == (422, "late-reason-needed")
    for wrong in (str(new_id()), out.families[0].case["id"]):
        answer = await permit(out, wrong, officer)
        assert (answer.status_code, slug(answer)) == (404, "draft-not-found")
    still = Results(api, await make_round({"C": 1}), "", [])
    early = await permit(still, case, officer)
    assert (early.status_code, slug(early)) == (409, "enrolment-still-open")
    assert (await permit(out, case, officer)).status_code == 201
    twice = await permit(out, case, officer)
    assert (twice.status_code, slug(twice)) == (409, "leave-given")


def window(**changes: Any) -> dict[str, Any]:
    """A second round that opens at once."""
    now = clock.now()
    return {
        "opensAt": (now + timedelta(seconds=5)).isoformat(),
        "closesAt": (now + timedelta(days=5)).isoformat(),
        "drawAfter": (now + timedelta(days=6)).isoformat(),
        "beaconSource": "双色球下一期",
    } | changes


async def second_round(results: Results, by: Headers, **changes: Any) -> httpx.Response:
    """An officer's call."""
    return await results.api.post(f"{results.at}/second-round", json=window(**changes), headers=by)


@pytest.fixture
async def left(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    """A is full with one child waiting for it, who is at B with the only other; B has two seats left."""
    return await results_of(
        api, sandbox, make_round, clerk, officer, seats={"A": 1, "B": 4}, wishes=["A", "AB", "B"]
    )


async def test_a_second_round_gives_away_what_is_left_by_its_own_draw(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    left: Results,
    clerk: Headers,
    officer: Headers,
) -> None:
    early = await second_round(left, officer)
    assert (early.status_code, slug(early)) == (409, "not-settled")
    stays = (await left.by_school())["B小学"]
    [gone] = [one for one in stays if one is left.families[2]]
    await left.appeal_window_passes()
    await left.refuse(gone)
    await left.windows_pass()
    async with db.database().transaction() as session:
        (await session.get_one(Enrolment, left.made.id)).answer_workdays = 5
    opened = await second_round(left, officer)
    assert opened.status_code == 201, opened.text
    follower = opened.json()
    assert await acts_about(follower["enrolmentId"]) == ["open-second-round"]
    await texts_of(sandbox, gone.who.phone, "还没有学位的家庭可以登录报名")
    again = await second_round(left, officer)
    assert (again.status_code, slug(again)) == (409, "second-round-exists")
    assert again.json()["enrolmentId"] == follower["enrolmentId"]
    shown = (await api.get(f"/zones/school-places/enrolments/{follower['enrolmentId']}")).json()
    assert shown["follows"] == str(left.made.id)
    assert shown["schools"] == [{"schoolId": left.school("B"), "capacity": 3}]
    assert len(shown["commitment"]) == 64
    assert shown["code"].endswith("-R2")

    async with db.database().transaction() as session:
        enrolment = await session.get_one(Enrolment, shown["id"])
        enrolment.opens_at = clock.now() - timedelta(days=1)
        enrolment.draw_after = clock.now() - timedelta(hours=1)
    made = left.made
    later = type(made)(enrolment.id, {"B": left.school("B")})
    [new] = await apply_all(api, sandbox, clerk, later, ["B"])
    opened_case = await api.post("/cases", json={"matter": "education.school-place"}, headers=gone.headers)
    case = opened_case.json()
    await api.patch(
        f"/cases/{case['id']}",
        json={"form": {"choices": [left.school("B")]}, "version": case["version"]},
        headers=gone.headers,
    )
    handed_in = await api.post(f"/cases/{case['id']}/submission", json={}, headers=gone.headers)
    assert handed_in.status_code == 200, handed_in.text
    await accept(api, clerk, handed_in.json())
    results = await publish(api, officer, later, [new, Family(gone.who, gone.headers, handed_in.json())])
    assert [(await results.place(one))["school"] for one in results.families] == ["B小学", "B小学"]
    file = (await api.get(f"{later.runs}/{results.run}/public")).content
    assert recompute(file).holds
    assert json.loads(file)["commitment"] == follower["commitment"]


async def test_who_holds_a_place_or_waits_for_one_does_not_join_the_second_round(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, left: Results, clerk: Headers, officer: Headers
) -> None:
    placed = await left.by_school()
    [holder] = placed["A小学"]
    await left.appeal_window_passes()
    await tasks.carry_on(b"")
    waiting = [one for one in left.families if (await left.place(one))["waitingLists"]]
    assert len(waiting) == 1
    [waits] = waiting
    await left.refuse(waits)
    await left.windows_pass()
    async with db.database().transaction() as session:
        (await session.get_one(Enrolment, left.made.id)).answer_workdays = 5
    follower = (await second_round(left, officer)).json()["enrolmentId"]
    async with db.database().transaction() as session:
        (await session.get_one(Enrolment, follower)).opens_at = clock.now() - timedelta(days=1)

    async def try_to_join(one: Family) -> httpx.Response:
        opened = await api.post("/cases", json={"matter": "education.school-place"}, headers=one.headers)
        case = opened.json()
        await api.patch(
            f"/cases/{case['id']}",
            json={"form": {"choices": [left.school("B")]}, "version": case["version"]},
            headers=one.headers,
        )
        return await api.post(f"/cases/{case['id']}/submission", json={}, headers=one.headers)

    held = await try_to_join(holder)
    assert held.status_code == 422, held.text
    assert "已被小学录取" in held.text
    listed = await try_to_join(waits)
    assert listed.status_code == 422, listed.text
    assert "候补名单" in listed.text
    place = await left.place(waits)
    path = f"{PLACEMENTS}/{place['id']}/waiting-lists/{left.school('A')}"
    assert (await api.delete(path, headers=waits.headers)).status_code == 200
    joined = await try_to_join(waits)
    assert joined.status_code == 200, joined.text


async def test_a_second_round_is_refused_with_wrong_times_by_strangers_and_without_seats(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    left: Results,
    clerk: Headers,
    officer: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    strangers = [
        ({}, 401),
        (clerk, 403),
        (await sign_in_staff("officer", agency="health"), 403),
        (await sign_in_staff("officer", division="460106"), 403),
    ]
    for headers, status in strangers:
        assert (await second_round(left, headers)).status_code == status
    now = clock.now()
    for pointer, changes in (
        ("/opensAt", {"opensAt": (now - timedelta(days=1)).isoformat()}),
        ("/closesAt", {"closesAt": now.isoformat()}),
        ("/drawAfter", {"drawAfter": (now + timedelta(days=1)).isoformat()}),
        ("/beaconSource", {"beaconSource": " "}),
    ):
        answer = await second_round(left, officer, **changes)
        assert (answer.status_code, slug(answer)) == (422, "invalid-second-round")
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    open_one = Results(api, await make_round({"C": 1}), "", [])
    answer = await second_round(open_one, officer)
    assert (answer.status_code, slug(answer)) == (409, "not-published")
    full = await results_of(api, sandbox, make_round, clerk, officer, seats={"D": 1}, wishes=["D"])
    await full.windows_pass()
    answer = await second_round(full, officer)
    assert (answer.status_code, slug(answer)) == (409, "no-seat-left")
