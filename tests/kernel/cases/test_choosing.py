"""Whom a case about a child is about."""

from __future__ import annotations

from datetime import date

import httpx

from haiyiban.db import database
from haiyiban.identity import persons
from tests import builders
from tests.builders import Somebody, slug
from tests.kernel.cases.conftest import Break
from tests.kernel.cases.office import SCHOOL, Citizen, row


def twins() -> list[dict[str, str]]:
    born = builders.school_age()
    first = builders.child("何小木", birth=born)
    second = builders.child("何小棉", birth=born)
    while second["idNumber"] == first["idNumber"]:
        second = builders.child("何小棉", birth=born)
    return [first, second]


async def parent(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, children: list[dict[str, str]]
) -> Citizen:
    return await Citizen.signed_in(api, sandbox, Somebody(name="何成双", children=children))


async def test_the_only_possible_child_is_the_one(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    pupil, baby = builders.child(), builders.child("陈小小", birth=date(2025, 5, 5))
    citizen = await parent(api, sandbox, [pupil, baby])
    case = await citizen.draft(SCHOOL)
    assert "choicesFor" not in case
    assert "/child/idNumber" in case["locked"]
    assert case["form"]["child"]["idNumber"] != pupil["idNumber"]
    async with database().reading() as session:
        subject = await persons.by_id_number(session, pupil["idNumber"])
    assert subject is not None
    assert (await row(case)).subject_id == subject.id


async def test_of_twins_one_is_chosen_by_a_patch_and_the_draft_remembers_the_choice(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    both = twins()
    citizen = await parent(api, sandbox, both)
    case = await citizen.draft(SCHOOL)
    wanted = {(one["name"], one["idNumber"]) for one in both}
    for shown in (case, await citizen.get(case)):
        assert {(one["name"], one["idNumber"]) for one in shown["choicesFor"]["/child"]} == wanted
    assert "child" not in case["form"]
    written = await citizen.patch(case, {"category": "private"})
    assert written.status_code == 200
    chosen = await citizen.patch(case, {"child": {"idNumber": both[1]["idNumber"].lower()}})
    assert chosen.status_code == 200, chosen.text
    settled = chosen.json()
    assert "choicesFor" not in settled
    assert settled["form"]["category"] == "private"
    assert {"/child/name", "/child/idNumber"} <= set(settled["locked"])
    async with database().reading() as session:
        subject = await persons.by_id_number(session, both[1]["idNumber"])
    assert subject is not None
    assert (await row(case)).subject_id == subject.id
    again = await citizen.patch(case, {"child": {"idNumber": both[0]["idNumber"]}})
    assert (again.status_code, slug(again)) == (422, "field-from-register")


async def test_a_named_child_needs_no_choice(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    both = twins()
    citizen = await parent(api, sandbox, both)
    case = await citizen.draft(SCHOOL, subject={"idNumber": both[0]["idNumber"]})
    assert "choicesFor" not in case
    assert "/child/idNumber" in case["locked"]


async def test_a_strangers_child_is_refused_when_opening_and_when_choosing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    other = builders.child("李小他")
    await parent(api, sandbox, [other])
    citizen = await parent(api, sandbox, twins())
    refused = await citizen.open(SCHOOL, subject={"idNumber": other["idNumber"]})
    assert (refused.status_code, slug(refused)) == (403, "not-your-child")
    assert other["idNumber"] not in refused.text
    case = await citizen.draft(SCHOOL)
    refused = await citizen.patch(case, {"child": {"idNumber": other["idNumber"]}})
    assert (refused.status_code, slug(refused)) == (403, "not-your-child")


async def test_a_child_of_another_age_does_not_qualify(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    baby = builders.child("陈小小", birth=date(2025, 5, 5))
    citizen = await parent(api, sandbox, [baby])
    for body in ({}, {"subject": {"idNumber": baby["idNumber"]}}):
        refused = await citizen.open(SCHOOL, **body)
        assert (refused.status_code, slug(refused)) == (422, "nobody-possible")


async def test_a_number_that_cannot_exist_is_named(citizen: Citizen) -> None:
    for number in ("460105202002300012", "46010520200101001", "?"):
        refused = await citizen.open(SCHOOL, subject={"idNumber": number})
        assert (refused.status_code, slug(refused)) == (422, "invalid-id-number")
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/subject/idNumber"]


async def test_while_the_registers_of_families_are_down_the_child_is_named_and_stays_open(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, bad_day: Break
) -> None:
    pupil, stranger = builders.child(), builders.child("李小他")
    citizen = await parent(api, sandbox, [pupil])
    await bad_day("birth", "household")
    unnamed = await citizen.open(SCHOOL)
    assert (unnamed.status_code, slug(unnamed)) == (422, "subject-needed")
    case = await citizen.draft(SCHOOL, subject={"idNumber": stranger["idNumber"]})
    assert "/child/idNumber" in case["openFacts"]
    assert "/child/idNumber" not in case["locked"]
    slip = await citizen.patch(case, {"child": {"idNumber": pupil["idNumber"], "name": pupil["name"]}})
    assert slip.status_code == 200, slip.text
    assert slip.json()["form"]["child"]["name"] == pupil["name"]
    async with database().reading() as session:
        subject = await persons.by_id_number(session, pupil["idNumber"])
    assert subject is not None
    assert (await row(case)).subject_id == subject.id
    gone = await citizen.patch(case, {"child": None})
    assert (gone.status_code, slug(gone)) == (422, "invalid-form")
