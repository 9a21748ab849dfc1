"""Two people, or one person's two phones, at the same case at the same time."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from haiyiban.db import Database
from tests.builders import slug
from tests.kernel.cases.office import PROOF, Citizen, Office, audited


async def test_of_two_clerks_one_wins_and_the_other_sees_the_new_state(
    citizen: Citizen, office: Office, database: Database
) -> None:
    case = await citizen.handed_in()
    await office.headers("first"), await office.headers("second")
    answers = await asyncio.gather(
        office.act(case, "accept", who="first", version=case["version"]),
        office.act(case, "refuse", who="second", version=case["version"], note="材料不属实"),
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    now = won.json()
    assert slug(lost) == "version-conflict"
    assert (lost.json()["state"], lost.json()["version"]) == (now["state"], now["version"])
    verbs = [*await audited(database, case, "cases.accept"), *await audited(database, case, "cases.refuse")]
    assert len(verbs) == 1


async def test_without_a_version_the_second_clerk_gets_the_state_that_forbids_it(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await office.headers("first"), await office.headers("second")
    answers = await asyncio.gather(
        office.act(case, "accept", who="first"), office.act(case, "accept", who="second")
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    assert slug(lost) == "illegal-transition"
    assert (lost.json()["state"], lost.json()["version"]) == ("accepted", won.json()["version"])


async def test_a_stale_version_is_a_conflict_and_a_stale_tag_a_failed_condition(
    api: httpx.AsyncClient, citizen: Citizen, office: Office
) -> None:
    draft = await citizen.draft()
    fresh = await citizen.patch(draft, {"bankAccount": "6222021234567890"}, version=draft["version"])
    assert fresh.status_code == 200
    assert fresh.headers["etag"] == f'"{fresh.json()["version"]}"'
    stale = await citizen.patch(draft, {"bankAccount": "6222021234567891"}, version=draft["version"])
    assert (stale.status_code, slug(stale)) == (409, "version-conflict")
    assert (stale.json()["state"], stale.json()["version"]) == ("draft", fresh.json()["version"])
    tagged = await citizen.patch(draft, {}, headers={"If-Match": f'"{draft["version"]}"'})
    assert (tagged.status_code, slug(tagged)) == (412, "stale")
    assert (await citizen.patch(draft, {}, headers={"If-Match": fresh.headers["etag"]})).status_code == 200
    at_desk = await citizen.handed_in()
    headers = await office.headers() | {"If-Match": '"1"'}
    answer = await api.post(f"/desk/cases/{at_desk['id']}/accept", json={}, headers=headers)
    assert answer.status_code == 412
    assert (await citizen.submit(draft, version=1)).status_code == 409


async def test_a_clerk_and_a_withdrawing_applicant_do_not_both_win(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.headers()
    answers = await asyncio.gather(
        office.act(case, "refuse", version=case["version"], note="不属于受理范围"), citizen.withdraw(case)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_two_phones_handing_in_the_same_draft_make_one_submission(citizen: Citizen) -> None:
    case = await citizen.ready()
    answers = await asyncio.gather(citizen.submit(case), citizen.submit(case))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_same_post_five_times_at_once_opens_one_case(
    api: httpx.AsyncClient, newcomer: Citizen
) -> None:
    headers = newcomer.headers | {"Idempotency-Key": f"open-{newcomer.somebody.phone}"}
    answers = await asyncio.gather(
        *(api.post("/cases", json={"matter": PROOF}, headers=headers) for _ in range(5))
    )
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert len((await api.get("/cases", headers=newcomer.headers)).json()["items"]) == 1
    other = await api.post("/cases", json={"matter": "civil-affairs.senior-card"}, headers=headers)
    assert (other.status_code, slug(other)) == (422, "idempotency-mismatch")


@pytest.mark.parametrize("verb", ["submission", "withdrawal"])
async def test_a_move_repeated_with_its_key_is_made_once(
    api: httpx.AsyncClient, citizen: Citizen, verb: str
) -> None:
    case = await citizen.ready()
    headers = citizen.headers | {"Idempotency-Key": f"{verb}-{case['id']}"}
    answers = await asyncio.gather(
        *(api.post(f"/cases/{case['id']}/{verb}", json={}, headers=headers) for _ in range(5))
    )
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.content for answer in answers}) == 1


async def test_twenty_submissions_at_once_get_twenty_numbers_in_a_row(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizens = [await Citizen.signed_in(api, sandbox) for _ in range(2)]
    drafts = [(one, await one.ready(PROOF)) for one in citizens for _ in range(10)]
    answers = await asyncio.gather(*(one.submit(draft) for one, draft in drafts))
    assert [answer.status_code for answer in answers] == [200] * 20
    numbers = sorted(answer.json()["number"] for answer in answers)
    serials = [int(number[-6:]) for number in numbers]
    assert serials == list(range(serials[0], serials[0] + 20))
    assert len({number[:-6] for number in numbers}) == 1
