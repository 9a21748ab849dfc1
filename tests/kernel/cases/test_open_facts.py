"""What a register could not say (待核实): the citizen goes on, the platform asks again, the clerk sees it."""

from __future__ import annotations

import httpx
import pytest

from haiyiban.cases import tasks
from haiyiban.db import Database
from tests import builders
from tests.builders import Somebody, slug
from tests.kernel.cases.conftest import Break
from tests.kernel.cases.office import PROOF, SCHOOL, Citizen, Office, audited, row


@pytest.mark.parametrize("mode", ["error", "garbage", "slow"])
async def test_a_case_opens_with_open_facts_is_handed_in_and_filled_later(
    api: httpx.AsyncClient, citizen: Citizen, bad_day: Break, mode: str
) -> None:
    await bad_day("social_insurance", mode=mode)
    draft = await citizen.draft(PROOF)
    assert set(draft["openFacts"]) == {"/insurance/months", "/insurance/division"}
    assert draft["prefill"]["/insurance/months"] == {"source": None, "at": None, "state": "unknown"}
    filled = {"purpose": "school", "insurance": {"months": 70, "division": "460105"}}
    assert (await citizen.patch(draft, filled)).status_code == 200
    case = (await citizen.submit(draft)).json()
    assert case["state"] == "submitted"
    office = Office(api, agency="human-resources")
    seen = (await office.get(case)).json()
    assert set(seen["openFacts"]) == {"/insurance/months", "/insurance/division"}
    queue = {one["id"]: one for one in await office.whole_queue()}
    assert queue[case["id"]]["hasOpenFacts"] is True
    version = (await row(case)).version
    await tasks.ask_again(b"")
    assert (await row(case)).version == version
    await bad_day("all", mode="off")
    await tasks.ask_again(b"")
    now = (await office.get(case)).json()
    assert now["openFacts"] == []
    assert {"/insurance/months", "/insurance/division"} <= set(now["locked"])
    assert now["prefill"]["/insurance/months"]["state"] == "known"
    assert now["version"] == version + 1
    await tasks.ask_again(b"")
    assert (await row(case)).version == version + 1


async def test_what_the_applicant_wrote_stays_and_the_clerk_sees_that_the_register_says_otherwise(
    api: httpx.AsyncClient, citizen: Citizen, bad_day: Break
) -> None:
    await bad_day("social_insurance")
    draft = await citizen.draft(PROOF)
    await citizen.patch(draft, {"purpose": "loan", "insurance": {"months": 300, "division": "460105"}})
    case = (await citizen.submit(draft)).json()
    await bad_day("all", mode="off")
    await tasks.ask_again(b"")
    seen = (await Office(api, agency="human-resources").get(case)).json()
    assert seen["form"]["insurance"]["months"] == 300
    assert seen["prefill"]["/insurance/months"]["state"] == "differs"
    assert seen["prefill"]["/insurance/division"]["state"] == "known"
    assert "/insurance/months" not in seen["locked"]
    assert seen["openFacts"] == []


async def test_an_empty_open_field_is_filled_by_the_register_when_it_answers(
    citizen: Citizen, bad_day: Break, database: Database
) -> None:
    await bad_day("household")
    draft = await citizen.draft()
    assert "/hukou/division" in draft["openFacts"]
    assert (await row(draft)).division == "460000"
    assert not [one for one in await audited(database, draft, "registers.read") if "household" in one.reason]
    await bad_day("all", mode="off")
    await tasks.ask_again(b"")
    later = await citizen.get(draft)
    assert later["openFacts"] == []
    assert "/hukou/division" in later["locked"]
    assert (await row(draft)).division == "460105"
    assert [one for one in await audited(database, draft, "registers.read") if "household" in one.reason]


async def test_nobody_waits_for_a_register_to_hand_in(citizen: Citizen, bad_day: Break) -> None:
    await bad_day("social_insurance")
    draft = await citizen.draft(PROOF)
    await citizen.patch(draft, {"purpose": "school"})
    handed_in = await citizen.submit(draft)
    assert handed_in.status_code == 200, handed_in.text
    assert set(handed_in.json()["openFacts"]) == {"/insurance/months", "/insurance/division"}


async def test_a_register_that_answers_and_holds_nothing_leaves_the_field_to_the_applicant(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, bad_day: Break
) -> None:
    uninsured = await Citizen.signed_in(api, sandbox, Somebody())
    await bad_day("social_insurance")
    draft = await uninsured.draft(PROOF)
    assert draft["openFacts"]
    await bad_day("all", mode="off")
    await tasks.ask_again(b"")
    later = await uninsured.get(draft)
    assert later["openFacts"] == []
    assert "/insurance/months" not in later["prefill"]


async def test_who_applies_is_known_without_the_population_register(citizen: Citizen, bad_day: Break) -> None:
    await bad_day("population")
    draft = await citizen.draft(PROOF)
    assert {"/applicant/name", "/applicant/idNumber"} <= set(draft["locked"])
    assert draft["prefill"]["/applicant/idNumber"]["source"] == "实名认证"
    refused = await citizen.patch(draft, {"applicant": {"idNumber": builders.id_number()}})
    assert slug(refused) == "field-from-register"
    senior = await citizen.draft()
    assert "/birthDate" in senior["openFacts"]


async def test_a_child_that_turns_out_to_be_a_strangers_cannot_be_handed_in(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, bad_day: Break
) -> None:
    other = builders.child("李小他")
    await builders.settle(sandbox, Somebody(name="李他", children=[other]))
    citizen = await Citizen.signed_in(api, sandbox, Somebody(children=[builders.child()]))
    await bad_day("birth", "household")
    draft = await citizen.draft(SCHOOL, subject={"idNumber": other["idNumber"]})
    await bad_day("all", mode="off")
    await tasks.ask_again(b"")
    refused = await citizen.submit(draft)
    assert (refused.status_code, slug(refused)) == (403, "not-your-child")
    held = await row(draft)
    assert (held.claim, held.has_open_facts) == (None, False)
    assert [finding["code"] for finding in held.findings] == ["not-your-child"]


async def test_a_child_that_is_confirmed_later_gets_its_name_and_is_locked(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, bad_day: Break
) -> None:
    pupil = builders.child("陈小贝")
    citizen = await Citizen.signed_in(api, sandbox, Somebody(children=[pupil]))
    await bad_day("birth", "household")
    draft = await citizen.draft(SCHOOL, subject={"idNumber": pupil["idNumber"]})
    assert "name" not in draft["form"]["child"]
    await bad_day("all", mode="off")
    await tasks.ask_again(b"")
    later = await citizen.get(draft)
    assert {"/child/name", "/child/idNumber"} <= set(later["locked"])
    assert later["openFacts"] == []
