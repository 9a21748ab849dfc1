"""A family confirms or refuses its place; silence keeps it. Source: docs/domain.md §6.1, §6.2."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from haiyiban.ids import new_id
from services.school_places import tasks
from tests import builders
from tests.zones.school_places.afterwards import (
    PLACEMENTS,
    Family,
    Results,
    apply_all,
    publish,
    results_of,
    slug,
    texts_of,
    undo_time_passes,
)
from tests.zones.school_places.conftest import Headers, MakeRound, accept, apply, family


@pytest.fixture
async def two(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    """One seat at A, of which the second family got none; B has room."""
    return await results_of(
        api, sandbox, make_round, clerk, officer, seats={"A": 1, "B": 2}, wishes=["AB", "AB"]
    )


async def sides(results: Results) -> tuple[Family, Family]:
    """Who is at A, and who waits for it at B."""
    placed = await results.by_school()
    return placed["A小学"][0], placed["B小学"][0]


async def test_a_family_confirms_its_place(api: httpx.AsyncClient, two: Results) -> None:
    first, _ = await sides(two)
    before = await two.place(first)
    assert before["answer"] is None
    assert before["answerBy"] > before["appealBy"]
    answers = [await two.post(first, "acceptance") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["answer"] == "confirmed"
    assert answers[1].json()["school"] == "A小学"


async def test_silence_keeps_the_place(two: Results) -> None:
    first, _ = await sides(two)
    await two.windows_pass()
    await tasks.carry_on(b"")
    place = await two.place(first)
    assert (place["school"], place["answer"]) == ("A小学", None)


async def test_a_refusal_ends_the_notice_in_the_same_breath_and_tells_the_family(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, two: Results
) -> None:
    first, _ = await sides(two)
    before = await two.place(first)
    answer = await two.post(first, "refusal", reason="去外地就读")
    assert answer.status_code == 200, answer.text
    place = answer.json()
    assert (place["outcome"], place["school"], place["certificateId"]) == ("refused", None, None)
    assert place["answer"] == "refused"
    assert place["undoBy"] is not None
    assert "家长放弃了A小学的学位" in place["explanation"]
    assert place["steps"][-1]["outcome"] == "refused"
    notice = (await api.get(f"/certificates/{before['certificateId']}", headers=first.headers)).json()
    assert notice["status"] == "revoked"
    await texts_of(sandbox, first.who.phone, "10 分钟内登录撤销")
    again = await two.post(first, "refusal")
    assert (again.status_code, slug(again)) == (409, "no-place")
    confirmed = await two.post(first, "acceptance")
    assert (confirmed.status_code, slug(confirmed)) == (409, "no-place")


async def test_within_ten_minutes_a_refusal_is_taken_back(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, two: Results
) -> None:
    first, second = await sides(two)
    await two.appeal_window_passes()
    old = (await two.place(first))["certificateId"]
    await two.post(first, "refusal")
    await tasks.carry_on(b"")
    assert await two.offers(second) == [], "the seat is kept while the family may come back"
    path = f"{PLACEMENTS}/{(await two.place(first))['id']}/refusal"
    answer = await api.delete(path, headers=first.headers)
    assert answer.status_code == 200, answer.text
    place = answer.json()
    assert (place["school"], place["outcome"], place["answer"]) == ("A小学", "choice", None)
    assert place["certificateId"] not in (None, old)
    notice = (await api.get(f"/certificates/{place['certificateId']}", headers=first.headers)).json()
    assert (notice["status"], notice["claims"]["school"]) == ("valid", "A小学")
    await texts_of(sandbox, first.who.phone, "学位保留")
    twice = await api.delete(path, headers=first.headers)
    assert (twice.status_code, slug(twice)) == (409, "nothing-to-undo")


async def test_after_ten_minutes_it_is_not(api: httpx.AsyncClient, two: Results) -> None:
    first, _ = await sides(two)
    await two.post(first, "refusal")
    await undo_time_passes()
    place = await two.place(first)
    assert place["undoBy"] is None
    answer = await api.delete(f"{PLACEMENTS}/{place['id']}/refusal", headers=first.headers)
    assert (answer.status_code, slug(answer)) == (409, "nothing-to-undo")


async def test_after_the_deadline_nothing_is_answered(two: Results) -> None:
    first, _ = await sides(two)
    await two.windows_pass()
    for path in ("acceptance", "refusal"):
        answer = await two.post(first, path)
        assert (answer.status_code, slug(answer)) == (409, "answer-closed")
        assert answer.json()["answerBy"]
    assert (await two.place(first))["school"] == "A小学"


async def test_before_the_publication_nothing_is_answered(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1})
    [only] = await apply_all(api, sandbox, clerk, made, ["A"])
    assert (await api.post(made.runs, json={}, headers=officer)).status_code == 201
    results = Results(api, made, "", [only])
    for path in ("acceptance", "refusal"):
        answer = await results.post(only, path)
        assert (answer.status_code, slug(answer)) == (409, "not-published")
    appealed = await results.post(only, "appeals", reason="户口有误")
    assert (appealed.status_code, slug(appealed)) == (409, "not-published")


async def test_only_the_guardian_who_applied_answers(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, two: Results, officer: Headers
) -> None:
    first, second = await sides(two)
    place = (await two.place(first))["id"]
    low = await builders.sign_in(api, sandbox, first.who.phone)
    acts = (
        ("POST", f"{PLACEMENTS}/{place}/acceptance", {}),
        ("POST", f"{PLACEMENTS}/{place}/refusal", {}),
        ("DELETE", f"{PLACEMENTS}/{place}/refusal", None),
        ("DELETE", f"{PLACEMENTS}/{place}/waiting-lists/{two.school('A')}", None),
        ("POST", f"{PLACEMENTS}/{place}/appeals", {"reason": "户口有误"}),
    )
    for method, path, body in acts:
        for headers, status in (({}, 401), (low, 403), (officer, 403), (second.headers, 404)):
            answer = await api.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, (method, path, answer.text)
    unknown = await api.post(f"{PLACEMENTS}/{new_id()}/acceptance", json={}, headers=first.headers)
    assert (unknown.status_code, slug(unknown)) == (404, "placement-not-found")
    assert (await two.place(first))["answer"] is None


async def test_one_twin_is_never_given_up_silently(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 2})
    who = family("A", children=2)
    headers = await builders.resident(api, sandbox, who)
    cases = []
    for child in who.children:
        cases.append((await apply(api, headers, [made.schools["A"]], child=child["idNumber"])).json())
        await accept(api, clerk, cases[-1])
    results = await publish(api, officer, made, [Family(who, headers, case) for case in cases])
    one, other = results.families
    refused = await results.post(one, "refusal")
    assert (refused.status_code, slug(refused)) == (422, "twin-has-a-place-too")
    assert refused.json()["errors"][0]["pointer"] == "/onlyThisChild"
    assert (await results.place(one))["school"] == "A小学"
    answer = await results.post(one, "refusal", onlyThisChild=True)
    assert answer.status_code == 200, answer.text
    assert (await results.place(one))["school"] is None
    kept = await results.place(other)
    assert (kept["school"], kept["answer"]) == ("A小学", None)


async def test_of_two_answers_at_once_each_sees_the_other(two: Results) -> None:
    first, _ = await sides(two)
    answers = await asyncio.gather(*(two.post(first, "refusal") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_a_reason_has_an_end(two: Results) -> None:
    first, _ = await sides(two)
    answer = await two.post(first, "refusal", reason="长" * 501)
    assert (answer.status_code, slug(answer)) == (422, "reason-too-long")
