"""The officer's three calls, and what each of them refuses. Source: docs/domain.md §11."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from haiyiban import db
from haiyiban.ids import new_id
from services.school_places.models import Enrolment
from tests import builders
from tests.zones.school_places.conftest import (
    Headers,
    MakeRound,
    Round,
    SignInStaff,
    accept,
    applied,
    apply,
    drawn,
    family,
    noon,
)


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rsplit("/", 1)[-1]


@pytest.fixture
async def made(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, clerk: Headers
) -> Round:
    """An enrolment with one accepted case."""
    made = await make_round({"A": 2})
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    return made


def bodies(made: Round, run: object) -> dict[str, dict[str, Any]]:
    return {
        made.runs: {},
        f"{made.runs}/{run}/draw": {"beacon": "1"},
        f"{made.runs}/{run}/publication": {},
        f"{made.runs}/{run}/annulment": {"reason": "x"},
    }


async def test_only_officers_of_the_enrolment_run_it(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    made: Round,
    clerk: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    parent = await builders.resident(api, sandbox)
    strangers = [
        await sign_in_staff("officer", agency="health"),
        await sign_in_staff("officer", division="460106"),
    ]
    for path, body in bodies(made, new_id()).items():
        assert (await api.post(path, json=body)).status_code == 401
        for headers in (parent, clerk, *strangers):
            assert (await api.post(path, json=body, headers=headers)).status_code == 403


async def test_a_run_that_does_not_exist_is_not_found(
    api: httpx.AsyncClient, officer: Headers, made: Round
) -> None:
    nowhere = Round(new_id())
    for path, body in bodies(made, new_id()).items():
        if path != made.runs:
            answer = await api.post(path, json=body, headers=officer)
            assert (answer.status_code, slug(answer)) == (404, "run-not-found")
    for path, body in bodies(nowhere, new_id()).items():
        answer = await api.post(path, json=body, headers=officer)
        assert (answer.status_code, slug(answer)) == (404, "enrolment-not-found")
    assert (await api.get(f"{made.runs}/{new_id()}/public")).status_code == 404


async def test_an_enrolment_has_one_run(api: httpx.AsyncClient, officer: Headers, made: Round) -> None:
    answers = await asyncio.gather(*(api.post(made.runs, json={}, headers=officer) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    first = next(answer for answer in answers if answer.status_code == 201).json()
    assert slug(refused) == "run-exists"
    assert (refused.json()["state"], refused.json()["runId"]) == ("committed", first["runId"])
    assert len(first["rollHash"]) == 64


async def test_a_roll_waits_for_the_end_and_for_every_case(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    still_open = await make_round({"A": 1}, closes_by_roll=False)
    await applied(api, sandbox, clerk, family("A"), [still_open.schools["A"]])
    answer = await api.post(still_open.runs, json={}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "enrolment-still-open")
    waiting = await builders.resident(api, sandbox, family("A"))
    case = (await apply(api, waiting, [still_open.schools["A"]])).json()
    async with db.database().transaction() as session:
        enrolment = await session.get_one(Enrolment, still_open.id)
        enrolment.closes_at = noon(0)
    answer = await api.post(still_open.runs, json={}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "cases-pending")
    assert answer.json()["pending"] == {"submitted": 1}
    await accept(api, clerk, case)
    assert (await api.post(still_open.runs, json={}, headers=officer)).status_code == 201


async def test_without_an_accepted_case_there_is_nothing_to_draw(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, officer: Headers
) -> None:
    made = await make_round({"A": 1})
    parent = await builders.resident(api, sandbox, family("A"))
    await apply(api, parent, [made.schools["A"]])
    answer = await api.post(made.runs, json={}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "nothing-to-allocate")
    assert answer.json()["pending"] == {"submitted": 1}


async def test_the_draw_waits_for_the_beacon(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 1}, draw_after=noon(1))
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = (await api.post(made.runs, json={}, headers=officer)).json()["runId"]
    answer = await api.post(f"{made.runs}/{run}/draw", json={"beacon": "1"}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "draw-too-early")


async def test_lots_are_drawn_once(api: httpx.AsyncClient, officer: Headers, made: Round) -> None:
    run = (await api.post(made.runs, json={}, headers=officer)).json()["runId"]
    missing = await api.get(f"{made.runs}/{run}/public")
    assert (missing.status_code, slug(missing)) == (404, "public-file-not-up")
    blank = await api.post(f"{made.runs}/{run}/draw", json={"beacon": " "}, headers=officer)
    assert (blank.status_code, slug(blank)) == (422, "invalid-beacon")
    answers = await asyncio.gather(
        *(
            api.post(f"{made.runs}/{run}/draw", json={"beacon": str(number)}, headers=officer)
            for number in range(3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    won = next(answer for answer in answers if answer.status_code == 200).json()
    assert won["state"] == "drawn"
    assert (await api.get(f"{made.runs}/{run}/public")).json()["seed"] == won["seed"]


async def test_results_are_published_once_and_only_after_the_draw(
    api: httpx.AsyncClient, officer: Headers, made: Round
) -> None:
    run = (await api.post(made.runs, json={}, headers=officer)).json()["runId"]
    early = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert (early.status_code, slug(early)) == (409, "wrong-run-state")
    await api.post(f"{made.runs}/{run}/draw", json={"beacon": "1"}, headers=officer)
    answers = await asyncio.gather(
        *(api.post(f"{made.runs}/{run}/publication", json={}, headers=officer) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_with_four_eyes_another_officer_publishes(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
    sign_in_staff: SignInStaff,
) -> None:
    made = await make_round({"A": 1}, four_eyes=True)
    await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    for _ in range(2):
        answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
        assert (answer.status_code, answer.json()["state"]) == (202, "awaiting-second-person")
    second = await sign_in_staff("officer")
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=second)
    assert (answer.status_code, answer.json()["state"]) == (200, "published")


async def test_a_case_that_a_clerk_suspends_after_the_roll_stops_the_publication(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> None:
    made = await make_round({"A": 2})
    _, case = await applied(api, sandbox, clerk, family("A"), [made.schools["A"]])
    run = await drawn(api, officer, made)
    seen = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    suspended = await api.post(
        f"/desk/cases/{case['id']}/suspend",
        json={"reason": "核查", "version": seen["version"]},
        headers=clerk,
    )
    assert suspended.status_code == 200, suspended.text
    answer = await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "cases-pending")
    assert answer.json()["pending"] == {"suspended": 1}


async def test_an_annulled_run_stays_public_and_another_follows_with_a_new_secret(
    api: httpx.AsyncClient, officer: Headers, made: Round, sign_in_staff: SignInStaff
) -> None:
    address = f"/zones/school-places/enrolments/{made.id}"
    before = (await api.get(address)).json()
    run = await drawn(api, officer, made)
    path = f"{made.runs}/{run}/annulment"
    nothing = await api.post(path, json={"reason": " "}, headers=officer)
    assert (nothing.status_code, slug(nothing)) == (422, "reason-needed")
    for _ in range(2):
        asked = await api.post(path, json={"reason": "录入的容量有误"}, headers=officer)
        assert (asked.status_code, asked.json()["state"]) == (202, "awaiting-second-person")
    operator = await sign_in_staff("operator")
    done = await api.post(path, json={"reason": "同意"}, headers=operator)
    assert (done.status_code, done.json()["state"]) == (200, "annulled")

    after = (await api.get(address)).json()
    assert after["state"] == "open"
    assert after["commitment"] != before["commitment"], "the first secret is known by now"
    assert after["runs"][0]["annulmentReason"] == "录入的容量有误"
    assert (await api.get(f"{made.runs}/{run}/public")).status_code == 200
    for step, body in (("draw", {"beacon": "2"}), ("publication", {}), ("annulment", {"reason": "x"})):
        late = await api.post(f"{made.runs}/{run}/{step}", json=body, headers=officer)
        assert (late.status_code, slug(late)) == (409, "wrong-run-state")

    second = await drawn(api, officer, made)
    published = await api.post(f"{made.runs}/{second}/publication", json={}, headers=officer)
    assert published.json()["placed"] == 1


async def test_a_published_run_is_not_annulled(api: httpx.AsyncClient, officer: Headers, made: Round) -> None:
    run = await drawn(api, officer, made)
    await api.post(f"{made.runs}/{run}/publication", json={}, headers=officer)
    answer = await api.post(f"{made.runs}/{run}/annulment", json={"reason": "x"}, headers=officer)
    assert (answer.status_code, slug(answer)) == (409, "wrong-run-state")


async def test_unknown_members_are_refused(api: httpx.AsyncClient, officer: Headers, made: Round) -> None:
    answer = await api.post(made.runs, json={"force": True}, headers=officer)
    assert answer.status_code == 400
