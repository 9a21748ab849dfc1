"""Free seats go down the list in its order, offer by offer. Source: docs/domain.md §6.2, §11."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import select

from haiyiban import clock, db
from haiyiban.ids import new_id
from services.school_places import tasks
from services.school_places.models import HomeUse
from services.school_places.service import standings
from tests import builders
from tests.zones.school_places.afterwards import (
    PLACEMENTS,
    Family,
    Results,
    acts_about,
    offers_run_out,
    publish,
    results_of,
    slug,
    texts_of,
)
from tests.zones.school_places.conftest import Headers, MakeRound, SignInStaff, accept, apply, family

OFFERS = "/zones/school-places/offers"


@pytest.fixture
async def queue(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    """One seat at A, one at B, one at C; three families want A, then B, then C, and get one each."""
    return await results_of(
        api,
        sandbox,
        make_round,
        clerk,
        officer,
        seats={"A": 1, "B": 1, "C": 1},
        wishes=["ABC", "ABC", "ABC"],
    )


async def by_lot(results: Results) -> list[Family]:
    """The families, first lottery number first: they got their first, second and third choice."""
    numbered = [((await results.place(one))["lottery"], at) for at, one in enumerate(results.families)]
    return [results.families[at] for _, at in sorted(numbered)]


async def answer(results: Results, family: Family, verb: str, *, choice: int = 1) -> httpx.Response:
    """The family's answer to the offer of one of its choices."""
    [offer] = [row for row in await results.offers(family) if row["choice"] == choice]
    return await results.api.post(f"{OFFERS}/{offer['id']}/{verb}", json={}, headers=family.headers)


async def test_a_family_reads_where_it_stands_on_each_list(queue: Results) -> None:
    await tasks.carry_on(b"")
    _, second, third = await by_lot(queue)
    lists = (await queue.place(third))["waitingLists"]
    assert [(row["school"], row["choice"], row["state"], row["number"]) for row in lists] == [
        ("A小学", 1, "waiting", 2),
        ("B小学", 2, "waiting", 1),
    ]
    assert lists[0]["text"] == "第一志愿A小学：候补第 2 位"
    [mine] = (await queue.place(second))["waitingLists"]
    assert mine["text"] == "第一志愿A小学：候补第 1 位"
    english = await queue.api.get(PLACEMENTS, headers=second.headers | {"Accept-Language": "en"})
    text = english.json()["items"][0]["waitingLists"][0]["text"]
    assert text == "First choice A school: number 1 on the waiting list"


async def test_a_freed_seat_goes_down_the_whole_chain(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, queue: Results
) -> None:
    first, second, third = await by_lot(queue)
    await queue.refuse(first)
    assert await queue.offers(second) == [], "not before the appeal window has ended"
    await queue.appeal_window_passes()
    await tasks.carry_on(b"")
    [offer] = await queue.offers(second)
    assert offer["school"] == "A小学"
    assert "候补轮到您" in offer["text"]
    assert await queue.offers(third) == []
    await texts_of(sandbox, second.who.phone, "有一个候补学位轮到您的孩子")
    old = (await queue.place(second))["certificateId"]

    accepted = await answer(queue, second, "acceptance")
    assert accepted.status_code == 200, accepted.text
    place = accepted.json()
    assert (place["school"], place["outcome"], place["answer"]) == ("A小学", "choice", "confirmed")
    assert "候补递补录取：第一志愿A小学" in place["explanation"]
    assert place["steps"][-1]["outcome"] == "from_waiting_list"
    assert [row["state"] for row in place["waitingLists"]] == ["accepted"]
    shown = (await api.get(f"/certificates/{old}", headers=second.headers)).json()
    assert shown["status"] == "superseded"
    new = (await api.get(f"/certificates/{place['certificateId']}", headers=second.headers)).json()
    assert (new["status"], new["claims"]["school"]) == ("valid", "A小学")
    await texts_of(sandbox, second.who.phone, "您已接受候补学位")

    [next_offer] = await queue.offers(third)
    assert next_offer["school"] == "B小学", "the seat that became free went on at once"
    assert (await answer(queue, third, "acceptance", choice=2)).status_code == 200
    assert (await queue.place(third))["school"] == "B小学"
    assert [row["state"] for row in (await queue.place(third))["waitingLists"]] == ["waiting", "accepted"]


async def test_who_declines_keeps_what_it_has_and_the_next_is_asked(queue: Results) -> None:
    first, second, third = await by_lot(queue)
    await queue.refuse(first)
    await queue.windows_pass()
    await tasks.carry_on(b"")
    declined = await answer(queue, second, "refusal")
    assert declined.status_code == 200, declined.text
    assert declined.json()["school"] == "B小学"
    assert declined.json()["waitingLists"][0]["text"] == "第一志愿A小学：您已放弃这次递补"
    assert await acts_about(declined.json()["id"]) == ["offer", "decline-offer"]
    assert [row["school"] for row in await queue.offers(third)] == ["A小学"]


async def test_an_offer_runs_out_and_goes_on(sandbox: httpx.AsyncClient, queue: Results) -> None:
    first, second, third = await by_lot(queue)
    await queue.refuse(first)
    await queue.windows_pass()
    await tasks.carry_on(b"")
    [offer] = await queue.offers(second)
    await offers_run_out()
    late = await queue.api.post(f"{OFFERS}/{offer['id']}/acceptance", json={}, headers=second.headers)
    assert (late.status_code, slug(late), late.json()["state"]) == (409, "offer-closed", "expired")
    place = await queue.place(second)
    assert place["school"] == "B小学"
    assert await acts_about(place["id"]) == ["offer", "expire-offer"]
    assert [row["school"] for row in await queue.offers(third)] == ["A小学"]
    await texts_of(sandbox, second.who.phone, "候补学位逾期未答复")


async def test_a_child_without_a_seat_gets_one_and_its_case_says_so(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    results = await results_of(api, sandbox, make_round, clerk, officer, seats={"A": 1}, wishes=["A", "A"])
    placed = await results.by_school()
    [winner], [loser] = placed["A小学"], placed[None]
    await results.refuse(winner)
    await results.windows_pass()
    await tasks.carry_on(b"")
    assert (await answer(results, loser, "acceptance")).status_code == 200
    place = await results.place(loser)
    assert place["school"] == "A小学"
    notice = (await api.get(f"/certificates/{place['certificateId']}", headers=loser.headers)).json()
    assert notice["status"] == "valid"
    case = (await api.get(f"/cases/{loser.case['id']}", headers=loser.headers)).json()
    assert case["outcome"] == "approved"
    assert "候补递补录取" in case["timeline"][-1]["note"]


async def test_the_home_of_a_place_that_was_given_up_is_free_again(queue: Results) -> None:
    first, *_ = await by_lot(queue)

    async def used() -> int:
        home = standings.blind("home", first.who.home["id"])  # type: ignore[index]
        async with db.database().reading() as session:
            return len((await session.scalars(select(HomeUse.id).where(HomeUse.home == home))).all())

    assert await used() == 1
    await queue.refuse(first)
    assert await used() == 0


async def test_who_leaves_a_list_is_not_asked(queue: Results) -> None:
    await tasks.carry_on(b"")
    first, second, third = await by_lot(queue)
    at = f"{PLACEMENTS}/{(await queue.place(second))['id']}/waiting-lists/{queue.school('A')}"
    left = await queue.api.delete(at, headers=second.headers)
    assert left.status_code == 200, left.text
    assert left.json()["waitingLists"][0]["state"] == "left"
    assert await acts_about(left.json()["id"]) == ["leave-waiting-list"]
    again = await queue.api.delete(at, headers=second.headers)
    assert (again.status_code, slug(again)) == (404, "not-waiting")
    assert (await queue.place(third))["waitingLists"][0]["number"] == 1
    await queue.refuse(first)
    await queue.windows_pass()
    await tasks.carry_on(b"")
    assert await queue.offers(second) == []
    assert [row["school"] for row in await queue.offers(third)] == ["A小学"]


async def test_an_offer_is_only_its_familys_to_answer(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, queue: Results, officer: Headers
) -> None:
    first, second, third = await by_lot(queue)
    await queue.refuse(first)
    await queue.windows_pass()
    await tasks.carry_on(b"")
    [offer] = await queue.offers(second)
    low = await builders.sign_in(api, sandbox, second.who.phone)
    for verb in ("acceptance", "refusal"):
        for headers, status in (({}, 401), (low, 403), (officer, 403), (third.headers, 404)):
            tried = await api.post(f"{OFFERS}/{offer['id']}/{verb}", json={}, headers=headers)
            assert tried.status_code == status, tried.text
        unknown = await api.post(f"{OFFERS}/{new_id()}/{verb}", json={}, headers=second.headers)
        assert (unknown.status_code, slug(unknown)) == (404, "offer-not-found")
    waiting = (await queue.place(third))["waitingLists"][0]
    early = await api.post(f"{OFFERS}/{waiting['id']}/acceptance", json={}, headers=third.headers)
    assert (early.status_code, slug(early), early.json()["state"]) == (409, "offer-closed", "waiting")
    assert len(await queue.offers(second)) == 1


async def test_the_last_seat_is_accepted_once(queue: Results) -> None:
    first, second, _ = await by_lot(queue)
    await queue.refuse(first)
    await queue.windows_pass()
    await tasks.carry_on(b"")
    [offer] = await queue.offers(second)
    path = f"{OFFERS}/{offer['id']}"
    answers = await asyncio.gather(
        *(
            queue.api.post(f"{path}/{verb}", json={}, headers=second.headers)
            for verb in ("acceptance", "refusal", "acceptance", "refusal")
        ),
        tasks.carry_on(b""),
    )
    codes = sorted(one.status_code for one in answers if one is not None)
    assert codes == [200, 409, 409, 409]
    placed = await queue.by_school()
    assert len(placed.get("A小学", [])) <= 1
    assert len(placed.get("B小学", [])) <= 1


async def test_a_refusal_while_the_better_seat_is_accepted_leaves_one_seat_or_none(queue: Results) -> None:
    first, second, _ = await by_lot(queue)
    await queue.refuse(first)
    await queue.appeal_window_passes()
    await tasks.carry_on(b"")
    [offer] = await queue.offers(second)
    accepted, refused = await asyncio.gather(
        queue.api.post(f"{OFFERS}/{offer['id']}/acceptance", json={}, headers=second.headers),
        queue.post(second, "refusal"),
    )
    assert accepted.status_code == 200, accepted.text
    assert refused.status_code in {200, 409}
    place = await queue.place(second)
    assert (place["school"] is None) == (place["answer"] == "refused")
    certificates = (await queue.api.get("/certificates", headers=second.headers)).json()["items"]
    valid = [one for one in certificates if one["status"] == "valid"]
    assert [one["id"] for one in valid] == ([place["certificateId"]] if place["school"] else [])


async def test_twins_at_the_cut_are_both_offered_a_seat(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1, "B": 3})
    winner = family("A")
    twins = family("B", children=2)
    families = []
    for who in (winner, twins):
        headers = await builders.resident(api, sandbox, who)
        for child in who.children:
            choices = [made.schools["A"], made.schools["B"]]
            case = (await apply(api, headers, choices, child=child["idNumber"])).json()
            await accept(api, clerk, case)
            families.append(Family(who, headers, case))
    results = await publish(api, officer, made, families)
    placed = await results.by_school()
    assert placed["A小学"] == families[:1], "the twins live elsewhere"
    await results.refuse(placed["A小学"][0])
    await results.windows_pass()
    await tasks.carry_on(b"")
    offered = [len(await results.offers(one)) for one in families[1:]]
    assert offered == [1, 1]
    for one in families[1:]:
        assert (await answer(results, one, "acceptance")).status_code == 200
    assert len((await results.by_school())["A小学"]) == 2


async def test_the_desk_reads_lists_and_offers_and_nobody_else(
    api: httpx.AsyncClient,
    queue: Results,
    clerk: Headers,
    officer: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    first, second, third = await by_lot(queue)
    await queue.refuse(first)
    await queue.windows_pass()
    await tasks.carry_on(b"")
    for headers in (clerk, officer):
        waiting = (await api.get(f"{queue.at}/waiting-lists", headers=headers)).json()["items"]
        assert sorted((row["school"], row["caseId"]) for row in waiting) == [
            ("A小学", third.case["id"]),
            ("B小学", third.case["id"]),
        ]
    only_b = await api.get(
        f"{queue.at}/waiting-lists", params={"school": queue.school("B"), "limit": 1}, headers=clerk
    )
    assert [row["school"] for row in only_b.json()["items"]] == ["B小学"]
    [offer] = (await api.get(f"{queue.at}/offers", headers=clerk)).json()["items"]
    assert (offer["caseId"], offer["state"]) == (second.case["id"], "offered")
    assert offer["caseNumber"] == second.case["number"]
    assert offer["answerBy"] > clock.now().isoformat()
    strangers = [
        (await sign_in_staff("clerk", agency="health"), 403),
        (await sign_in_staff("officer", division="460106"), 403),
        (first.headers, 403),
        ({}, 401),
    ]
    for path in ("waiting-lists", "offers", "appeals"):
        for headers, status in strangers:
            assert (await api.get(f"{queue.at}/{path}", headers=headers)).status_code == status
        nowhere = f"/zones/school-places/enrolments/{new_id()}/{path}"
        assert (await api.get(nowhere, headers=clerk)).status_code == 404
