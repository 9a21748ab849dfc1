"""Appeals: in the window, decided by somebody else, and nobody loses a place by another's.
Source: docs/domain.md §6.2."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from haiyiban.ids import new_id
from services.school_places import tasks
from services.school_places.recompute import recompute
from tests.zones.school_places.afterwards import (
    Family,
    Results,
    acts_about,
    publish,
    results_of,
    slug,
    texts_of,
)
from tests.zones.school_places.conftest import Headers, MakeRound, SignInStaff, applied, family


@pytest.fixture
async def wronged(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    """The one seat at A went to a child from B, for a family of A is without a home on record and so was
    placed by coordination; a third child waits for A as well."""
    made = await make_round({"A": 1, "B": 3})
    families = []
    for who, wish in ((family("B"), "AB"), (family(None, home=None), "A"), (family(None), "A")):
        headers, case = await applied(api, sandbox, clerk, who, [made.schools[name] for name in wish])
        families.append(Family(who, headers, case))
    return await publish(api, officer, made, families)


def home_at_a() -> dict[str, Any]:
    return {
        "home": {
            "id": f"T-{new_id()}",
            "address": "海南省海口市秀英区A小区3栋101室",
            "division": "460105",
            "title": "owned",
            "share": 100,
        }
    }


async def appealed(results: Results, one: Family) -> str:
    """The family's appeal; its id."""
    answer = await results.post(one, "appeals", reason="住房已登记，核验有误", evidence="不动产权证")
    assert answer.status_code == 201, answer.text
    assert answer.json()["appeal"]["state"] == "open"
    return str(answer.json()["appeal"]["id"])


async def decide(results: Results, appeal: str, by: Headers, decision: str, **more: Any) -> httpx.Response:
    """An officer's decision."""
    body = {"decision": decision, "reason": "经核查不动产登记", **more}
    return await results.api.post(f"{results.at}/appeals/{appeal}/decision", json=body, headers=by)


async def test_an_upheld_appeal_gives_a_seat_over_capacity_and_takes_none(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, wronged: Results, officer: Headers
) -> None:
    winner, appellant, third = wronged.families
    held = (await wronged.by_school())["A小学"]
    assert [one.case["id"] for one in held] in ([winner.case["id"]], [third.case["id"]])
    before = await wronged.place(appellant)
    assert (before["outcome"], before["school"]) == ("coordination", "B小学")
    file = (await api.get(f"{wronged.made.runs}/{wronged.run}/public")).content
    await tasks.carry_on(b"")
    appeal = await appealed(wronged, appellant)
    await texts_of(sandbox, appellant.who.phone, "您的申诉已收到")
    decided = await decide(wronged, appeal, officer, "upheld", correctedFacts=home_at_a())
    assert decided.status_code == 200, decided.text
    assert decided.json() == {
        "id": appeal,
        "state": "upheld",
        "movedTo": wronged.school("A"),
        "overCapacity": True,
    }
    place = await wronged.place(appellant)
    assert (place["school"], place["outcome"]) == ("A小学", "choice")
    assert "申诉成立" in place["explanation"]
    assert place["steps"][-1]["outcome"] == "by_appeal"
    assert await acts_about(place["id"]) == ["appeal", "uphold-appeal"]
    assert place["appeal"]["decision"] == "经核查不动产登记"
    old = await api.get(f"/certificates/{before['certificateId']}", headers=appellant.headers)
    assert old.json()["status"] == "superseded"
    new = await api.get(f"/certificates/{place['certificateId']}", headers=appellant.headers)
    assert (new.json()["status"], new.json()["claims"]["school"]) == ("valid", "A小学")
    await texts_of(sandbox, appellant.who.phone, "您的申诉成立")
    assert len((await wronged.by_school())["A小学"]) == 2, "nobody lost a place"

    now = (await api.get(f"{wronged.made.runs}/{wronged.run}/public")).content
    assert now == file, "the public file of a draw never changes"
    assert recompute(file).holds
    counts = (await api.get(f"{wronged.at}/corrections")).json()
    assert (counts["appealsUpheld"], counts["movedByAppeal"], counts["overCapacity"]) == (1, 1, 1)

    await wronged.appeal_window_passes()
    await wronged.refuse(held[0])
    for one in wronged.families:
        assert await wronged.offers(one) == [], "the seat on top is taken back before the list goes on"


async def test_an_upheld_appeal_that_reaches_no_better_school_moves_the_child_on_the_list(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 3})
    near, homeless, outside = family("A"), family(None, home=None), family(None)
    families = []
    for who in (near, homeless, outside):
        headers, case = await applied(api, sandbox, clerk, who, [made.schools["A"]])
        families.append(Family(who, headers, case))
    results = await publish(api, officer, made, families)
    await tasks.carry_on(b"")
    assert (await results.place(families[1]))["waitingLists"] == [], "class 6 is placed by coordination alone"
    assert (await results.place(families[2]))["waitingLists"][0]["number"] == 1
    appeal = await appealed(results, families[1])
    facts = {"residencePermit": {"since": "2015-01-01"}, "socialInsuranceMonths": 80} | home_at_a()
    facts["hukou"] = {"address": "广东省广州市天河区1号", "division": "440106", "since": "2015-01-01"}
    decided = await decide(results, appeal, officer, "upheld", correctedFacts=facts)
    assert decided.status_code == 200, decided.text
    assert decided.json()["movedTo"] is None, "class 4 stands behind the class 1 that has the seat"
    place = await results.place(families[1])
    assert place["school"] == "B小学"
    assert "录取结果不变" in place["explanation"]
    assert place["waitingLists"][0]["number"] == 1, "inside the catchment comes before outside"
    assert (await results.place(families[2]))["waitingLists"][0]["number"] == 2


async def test_a_dismissed_appeal_changes_nothing_and_says_why(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, wronged: Results, officer: Headers
) -> None:
    _, appellant, _ = wronged.families
    before = await wronged.place(appellant)
    appeal = await appealed(wronged, appellant)
    decided = await decide(wronged, appeal, officer, "dismissed")
    assert (decided.status_code, decided.json()["state"]) == (200, "dismissed")
    place = await wronged.place(appellant)
    assert (place["school"], place["certificateId"]) == (before["school"], before["certificateId"])
    assert "申诉未成立" in place["explanation"]
    assert place["appeal"]["decision"] == "经核查不动产登记"
    await texts_of(sandbox, appellant.who.phone, "您的申诉未成立")
    again = await decide(wronged, appeal, officer, "upheld", correctedFacts=home_at_a())
    assert (again.status_code, slug(again), again.json()["state"]) == (409, "appeal-decided", "dismissed")
    counts = (await api.get(f"{wronged.at}/corrections")).json()
    assert (counts["appealsDismissed"], counts["movedByAppeal"]) == (1, 0)


async def test_a_freed_seat_is_held_back_while_an_appeal_is_about_it(
    wronged: Results, officer: Headers
) -> None:
    _, appellant, _ = wronged.families
    [held] = (await wronged.by_school())["A小学"]
    [waiting] = [one for one in wronged.families if one not in (held, appellant)]
    appeal = await appealed(wronged, appellant)
    await wronged.appeal_window_passes()
    await wronged.refuse(held)
    assert await wronged.offers(waiting) == []
    decided = await decide(wronged, appeal, officer, "dismissed")
    assert decided.status_code == 200, decided.text
    assert [row["school"] for row in await wronged.offers(waiting)] == ["A小学"]


async def test_an_upheld_appeal_takes_the_seat_that_was_held_back(wronged: Results, officer: Headers) -> None:
    _, appellant, _ = wronged.families
    [held] = (await wronged.by_school())["A小学"]
    appeal = await appealed(wronged, appellant)
    await wronged.appeal_window_passes()
    await wronged.refuse(held)
    decided = await decide(wronged, appeal, officer, "upheld", correctedFacts=home_at_a())
    assert (decided.json()["movedTo"], decided.json()["overCapacity"]) == (wronged.school("A"), False)
    assert [one.case["id"] for one in (await wronged.by_school())["A小学"]] == [appellant.case["id"]]


async def test_without_holding_back_the_list_goes_on(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    results = await results_of(
        api,
        sandbox,
        make_round,
        clerk,
        officer,
        seats={"A": 1, "B": 3},
        wishes=["AB", "-A", "-A"],
        appeal_seats="over_capacity",
    )
    held, one, other = results.families
    await appealed(results, one)
    await results.appeal_window_passes()
    await results.refuse(held)
    offered = [await results.offers(waiting) for waiting in (one, other)]
    assert sorted(len(rows) for rows in offered) == [0, 1]


async def test_appeals_have_their_time_their_words_and_one_try(wronged: Results) -> None:
    winner, appellant, _ = wronged.families
    for body in ({"reason": " "}, {"reason": "长" * 2001}, {"reason": "有误", "evidence": "长" * 2001}):
        answer = await wronged.post(appellant, "appeals", **body)
        assert (answer.status_code, slug(answer)) == (422, "invalid-appeal"), body
    await appealed(wronged, appellant)
    twice = await wronged.post(appellant, "appeals", reason="再次申诉")
    assert (twice.status_code, slug(twice)) == (409, "already-appealed")
    await wronged.windows_pass()
    late = await wronged.post(winner, "appeals", reason="有误")
    assert (late.status_code, slug(late)) == (409, "appeal-closed")
    assert late.json()["appealBy"]


async def test_who_took_the_case_in_does_not_decide_and_nor_do_strangers(
    api: httpx.AsyncClient,
    wronged: Results,
    clerk: Headers,
    officer: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    _, appellant, _ = wronged.families
    appeal = await appealed(wronged, appellant)
    strangers = [
        ({}, 401),
        (appellant.headers, 403),
        (clerk, 403),
        (await sign_in_staff("officer", agency="health"), 403),
        (await sign_in_staff("officer", division="460106"), 403),
    ]
    for headers, status in strangers:
        tried = await decide(wronged, appeal, headers, "dismissed")
        assert tried.status_code == status, tried.text
    missing = await decide(wronged, str(new_id()), officer, "dismissed")
    assert (missing.status_code, slug(missing)) == (404, "appeal-not-found")
    for body in ({"reason": " "}, {"correctedFacts": {}}):
        tried = await decide(wronged, appeal, officer, "upheld", **body)
        assert (tried.status_code, slug(tried)) == (422, "invalid-appeal")
    [row] = (await api.get(f"{wronged.at}/appeals", headers=clerk)).json()["items"]
    assert (row["id"], row["state"], row["reason"]) == (appeal, "open", "住房已登记，核验有误")
    assert (row["caseId"], row["evidence"]) == (appellant.case["id"], "不动产权证")


async def test_an_officer_who_accepted_the_case_leaves_the_appeal_to_another(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    officer: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    made = await make_round({"A": 1})
    both = await sign_in_staff("officer")
    headers, case = await applied(api, sandbox, both, family("A"), [made.schools["A"]])
    results = await publish(api, both, made, [Family(family("A"), headers, case)])
    appeal = await appealed(results, results.families[0])
    tried = await decide(results, appeal, both, "dismissed")
    assert (tried.status_code, slug(tried)) == (403, "took-the-case-in")
    assert (await decide(results, appeal, officer, "dismissed")).status_code == 200


async def test_of_two_decisions_at_once_one_stands(wronged: Results, officer: Headers) -> None:
    _, appellant, _ = wronged.families
    appeal = await appealed(wronged, appellant)
    answers = await asyncio.gather(
        decide(wronged, appeal, officer, "upheld", correctedFacts=home_at_a()),
        decide(wronged, appeal, officer, "dismissed"),
        decide(wronged, appeal, officer, "upheld", correctedFacts=home_at_a()),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_a_refusal_and_an_upheld_appeal_at_once_leave_one_place_or_none(
    wronged: Results, officer: Headers
) -> None:
    _, appellant, _ = wronged.families
    appeal = await appealed(wronged, appellant)
    decided, refused = await asyncio.gather(
        decide(wronged, appeal, officer, "upheld", correctedFacts=home_at_a()),
        wronged.post(appellant, "refusal"),
    )
    assert decided.status_code == 200, decided.text
    assert refused.status_code == 200, refused.text
    place = await wronged.place(appellant)
    assert (place["school"] is None) == (place["answer"] == "refused")
    certificates = (await wronged.api.get("/certificates", headers=appellant.headers)).json()["items"]
    valid = [one["id"] for one in certificates if one["status"] == "valid"]
    assert valid == ([place["certificateId"]] if place["school"] else [])
