"""A clerk sees the cases of the own agency, in the own division and below, and nothing else."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from haiyiban.db import Database
from tests import builders, queries
from tests.builders import Somebody, slug
from tests.kernel.cases.office import PROOF, SCHOOL, Citizen, Office, audited, change_row, row


async def test_another_agency_and_another_division_do_not_see_the_case(
    api: httpx.AsyncClient, citizen: Citizen
) -> None:
    case = await citizen.handed_in()
    for agency, division in (
        ("education", "460105"),
        ("civil-affairs", "460106"),
        ("civil-affairs", "460105001"),
        ("civil-affairs", "469028"),
    ):
        stranger = Office(api, agency=agency, division=division)
        assert slug(await stranger.get(case)) == "not-found"
        assert (await stranger.act(case, "accept")).status_code == 404
        assert (await stranger.act(case, "undo")).status_code == 404
        assert case["id"] not in [one["id"] for one in (await stranger.queue(limit=100))["items"]]


@pytest.mark.parametrize("division", ["460105", "460100", "460000"])
async def test_a_division_sees_what_lies_below_it(
    api: httpx.AsyncClient, citizen: Citizen, division: str
) -> None:
    case = await citizen.handed_in()
    above = Office(api, division=division)
    assert (await above.get(case)).status_code == 200


async def test_a_county_that_hangs_under_the_province_is_seen_by_the_province_and_not_by_a_prefix(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    lingshui = await Citizen.signed_in(api, sandbox, Somebody(division="469028"))
    case = await lingshui.handed_in()
    assert (await Office(api, division="460000").get(case)).status_code == 200
    assert (await Office(api, division="469028").get(case)).status_code == 200
    assert (await Office(api, division="460100").get(case)).status_code == 404


async def test_a_division_that_does_not_exist_leads_to_the_matters_own(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    nowhere = await Citizen.signed_in(api, sandbox, Somebody(division="460199"))
    case = await nowhere.draft()
    handed_in = await nowhere.patch(case, {"bankAccount": "6222021234567890"})
    assert handed_in.status_code == 200
    assert (await row(case)).division == "460000"


async def test_drafts_are_nobodys_business(citizen: Citizen, office: Office) -> None:
    draft = await citizen.ready()
    assert (await office.get(draft)).status_code == 404
    assert (await office.act(draft, "accept")).status_code == 404
    ids = [one["id"] for one in await office.whole_queue()]
    assert draft["id"] not in ids
    assert (await office.queue(state="draft"))["items"] == []


async def test_the_queue_is_read_page_by_page_and_by_state_and_matter(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    there = await Citizen.signed_in(api, sandbox, Somebody(division="469030"))
    office = Office(api, division="469030")
    before = [one["id"] for one in await office.whole_queue()]
    cases = [(await there.handed_in())["id"] for _ in range(5)]
    await office.done({"id": cases[0]}, "accept")
    seen, cursor = [], None
    while True:
        page = await office.queue(limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == before + cases
    assert cases[0] in [one["id"] for one in await office.whole_queue(state="accepted")]
    submitted = await office.queue(state="submitted", matter="civil-affairs.senior-allowance", limit=100)
    assert [one["id"] for one in submitted["items"]][-4:] == cases[1:]
    assert (await office.queue(matter=PROOF))["items"] == []
    headers = await office.headers()
    for wrong in ({"state": "lost"}, {"limit": "0"}, {"cursor": "?"}):
        assert (await api.get("/desk/cases", params=wrong, headers=headers)).status_code == 400


async def test_a_look_at_a_case_is_recorded_with_the_fields_that_were_shown(
    citizen: Citizen, office: Office, database: Database
) -> None:
    case = await citizen.handed_in()
    read = (await office.get(case)).json()
    assert read["form"]["applicant"]["idNumber"] == citizen.somebody.id_number
    (record,) = await audited(database, case, "cases.read")
    assert {"/applicant/idNumber", "/bankAccount"} <= set(record.fields)
    assert (record.actor_kind, record.actor_unit, record.outcome) == ("staff", "civil-affairs", "done")
    assert record.subject is not None
    assert citizen.somebody.id_number not in str(record)


async def test_a_list_shows_no_personal_data(citizen: Citizen, office: Office) -> None:
    await citizen.handed_in()
    page = str(await office.whole_queue())
    assert citizen.somebody.id_number not in page
    assert citizen.somebody.name not in page
    assert citizen.somebody.phone not in page


async def test_a_verb_that_does_not_exist_or_is_not_the_clerks_is_not_there(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    for verb in ("submission", "withdrawal", "lapse", "publish"):
        assert (await office.act(case, verb)).status_code == 404
    assert (await office.act(case, "accept", nonsense=1)).status_code == 400


async def test_a_clerk_is_told_what_may_be_done_now(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    assert set((await office.get(case)).json()["verbs"]) == {"accept", "refuse", "request-correction"}
    accepted = await office.done(case, "accept")
    assert {"suspend", "extend", "transfer", "terminate", "approve", "deny"} == set(accepted["verbs"])
    assert (await citizen.get(case))["verbs"] == ["withdrawal"]


async def test_a_longer_list_takes_no_more_queries(
    api: httpx.AsyncClient, citizen: Citizen, office: Office, database: Database
) -> None:
    for _ in range(3):
        await citizen.handed_in()
    async with queries.heard(database) as statements:
        assert len((await office.queue(limit=3))["items"]) == 3
        mine = await api.get("/cases", params={"limit": "3"}, headers=citizen.headers)
        assert len(mine.json()["items"]) == 3
    assert len([statement for statement in statements if "cases_case" in statement]) == 2


async def test_what_a_draw_decides_is_not_decided_case_by_case(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    parent = await Citizen.signed_in(api, sandbox, Somebody(children=[builders.child()]))
    case = await parent.draft(SCHOOL)
    # Handing in and accepting belong to the zone's own tests; here the case is simply there.
    await change_row(case, state="accepted", accepted_on=date(2026, 3, 2))
    office = Office(api, agency="education")
    assert {"approve", "deny"}.isdisjoint((await office.get(case)).json()["verbs"])
    for verb in ("approve", "deny"):
        refused = await office.act(case, verb, note="符合条件")
        assert (refused.status_code, slug(refused)) == (403, "decided-by-publication")
    assert (await row(case)).state == "accepted"
