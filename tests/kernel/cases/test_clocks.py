"""Promised and statutory clocks of a case. The counting itself is tested with the calendar (workdays)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import httpx
import pytest

from haiyiban import clock
from haiyiban.cases import tasks
from haiyiban.cases.calendar import calendar_from
from haiyiban.cases.clocks import correction_deadline
from haiyiban.cases.models import Workday
from haiyiban.cases.states import Verb
from haiyiban.db import Database
from tests.builders import Somebody, slug
from tests.kernel.cases.office import Citizen, Office, a_clerk, act_at, audited, change_row, row

NOON = 4
"""Noon in Hainan, in UTC hours."""


def noon(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=NOON, tzinfo=UTC)


@pytest.mark.parametrize(
    ("accepted", "promised", "statutory"),
    [
        ("2022-09-30", "2022-10-19", "2022-11-02"),
        ("2023-04-17", "2023-04-28", "2023-05-16"),
        ("2021-12-20", "2022-01-04", "2022-01-18"),
    ],
)
async def test_acceptance_starts_both_clocks_the_next_working_day(
    citizen: Citizen, accepted: str, promised: str, statutory: str
) -> None:
    case = await act_at(await citizen.handed_in(), Verb.ACCEPT, noon(accepted))
    assert case.promised_due_on == date.fromisoformat(promised)
    assert case.statutory_due_on == date.fromisoformat(statutory)
    assert case.due_provisional is False


async def test_a_local_holiday_counts_where_the_case_is_handled(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, citizen: Citizen, database: Database
) -> None:
    async with database.transaction() as session:
        for day in (date(2023, 4, 20), date(2023, 4, 21)):
            await session.merge(Workday(division="469028", day=day, is_off=True, source="陵水三月三放假通知"))
    lingshui = await Citizen.signed_in(api, sandbox, Somebody(division="469028"))
    there = await lingshui.handed_in()
    assert (await row(there)).division == "469028"
    clerk = a_clerk(division="469028")
    assert (await act_at(there, Verb.ACCEPT, noon("2023-04-17"), caller=clerk)).promised_due_on == date(
        2023, 5, 5
    )
    here = await act_at(await citizen.handed_in(), Verb.ACCEPT, noon("2023-04-17"))
    assert here.promised_due_on == date(2023, 4, 28)


async def test_a_year_without_a_published_calendar_makes_the_date_provisional(citizen: Citizen) -> None:
    case = await citizen.handed_in()
    assert (await act_at(case, Verb.ACCEPT, noon("2031-12-20"))).due_provisional is True
    assert (await citizen.get(case))["dueProvisional"] is True


async def test_suspended_days_do_not_count(citizen: Citizen) -> None:
    case = await citizen.handed_in()
    accepted = await act_at(case, Verb.ACCEPT, noon("2023-03-01"))
    assert accepted.promised_due_on == date(2023, 3, 15)
    await act_at(case, Verb.SUSPEND, noon("2023-03-06"), reason="需要专家评审")
    suspended = await citizen.get(case)
    assert (suspended["state"], suspended["clock"]) == ("suspended", "stopped")
    assert suspended["timeline"][-1]["note"] == "需要专家评审"
    resumed = await act_at(case, Verb.RESUME, noon("2023-03-10"))
    assert resumed.promised_due_on == date(2023, 3, 22)
    assert (await citizen.get(case))["clock"] == "running"


async def test_a_suspension_ends_by_itself_on_its_day_even_if_the_worker_is_late(citizen: Citizen) -> None:
    case = await citizen.handed_in()
    await act_at(case, Verb.ACCEPT, noon("2023-03-01"))
    await act_at(case, Verb.SUSPEND, noon("2023-03-06"), reason="检测", resume_on=date(2023, 3, 10))
    await tasks.resume(b"")
    await tasks.resume(b"")
    resumed = await citizen.get(case)
    assert (resumed["state"], resumed["dueOn"]) == ("accepted", "2023-03-22")
    assert [(step["event"], step["by"]) for step in resumed["timeline"]][-1] == ("resume", "system")


async def test_a_suspension_whose_day_has_not_come_goes_on(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    await office.done(case, "suspend", reason="检测", resumeOn="2099-01-01")
    await tasks.resume(b"")
    assert (await citizen.get(case))["state"] == "suspended"
    past = await office.act(await citizen.handed_in(), "suspend", reason="检测")
    assert (past.status_code, slug(past)) == (409, "illegal-transition")


async def test_a_suspension_says_why_and_does_not_end_in_the_past(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    silent = await office.act(case, "suspend")
    assert (silent.status_code, slug(silent)) == (422, "invalid-verb")
    assert [error["pointer"] for error in silent.json()["errors"]] == ["/reason"]
    past = await office.act(case, "suspend", reason="检测", resumeOn="2020-01-01")
    assert [error["pointer"] for error in past.json()["errors"]] == ["/resumeOn"]


async def test_an_extension_needs_a_second_person_and_moves_both_clocks_once(
    citizen: Citizen, office: Office, database: Database
) -> None:
    case = await citizen.handed_in()
    accepted = await office.done(case, "accept")
    for _ in range(2):
        asked = await office.act(case, "extend", days=5)
        assert asked.status_code == 202
        assert asked.json()["extensionAwaitsSecondPerson"] is True
        assert (asked.json()["version"], asked.json()["dueOn"]) == (accepted["version"], accepted["dueOn"])
    extended = await office.done(case, "extend", who="officer", days=5, note="情况复杂")
    held = await row(case)
    assert held.accepted_on is not None
    async with database.reading() as session:
        calendar = await calendar_from(session, held.accepted_on)
    expected = calendar.due(held.accepted_on, 15, division="460105")
    assert extended["dueOn"] == expected.day.isoformat()
    assert extended["statutoryDueOn"] > accepted["statutoryDueOn"]
    assert extended["extensionAwaitsSecondPerson"] is False
    outcomes = [record.outcome for record in await audited(database, case, "cases.extend")]
    assert outcomes == ["awaiting-second-person", "awaiting-second-person", "done"]
    again = await office.act(case, "extend", who="officer", days=1)
    assert (again.status_code, slug(again)) == (422, "invalid-verb")


@pytest.mark.parametrize("days", [None, 0, 11, -1])
async def test_an_extension_is_one_to_ten_days(citizen: Citizen, office: Office, days: int | None) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    refused = await office.act(case, "extend", who="officer", days=days)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/days"]


async def test_a_case_passed_to_another_agency_is_counted_from_its_acceptance_there(
    api: httpx.AsyncClient, citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    assert (await office.act(case, "transfer")).status_code == 422
    assert (await office.act(case, "transfer", agency="no-such-agency")).status_code == 422
    assert (await office.act(case, "transfer", agency="civil-affairs")).status_code == 422
    passed = await office.done(case, "transfer", agency="human-resources", note="属人社部门职责")
    assert (passed["state"], passed["dueOn"], passed["agency"]) == ("submitted", None, "human-resources")
    assert (await office.get(case)).status_code == 404
    there = Office(api, agency="human-resources")
    accepted = await there.done(case, "accept")
    assert accepted["dueOn"]


async def test_a_case_is_overdue_after_its_promised_day_while_its_clock_runs(
    citizen: Citizen, office: Office
) -> None:
    case = await citizen.handed_in()
    await act_at(case, Verb.ACCEPT, noon("2023-03-01"))
    mine = [one for one in await office.whole_queue(state="accepted") if one["id"] == case["id"]]
    assert mine[0]["isOverdue"] is True
    await office.done(case, "suspend", reason="检测")
    mine = [one for one in await office.whole_queue(state="suspended") if one["id"] == case["id"]]
    assert mine[0]["isOverdue"] is False


async def test_a_correction_may_come_until_the_end_of_its_thirtieth_day_or_the_next_working_day(
    database: Database,
) -> None:
    async with database.reading() as session:
        calendar = await calendar_from(session, date(2023, 3, 1))
    for asked, last in (
        ("2023-03-01", "2023-03-31"),
        ("2023-09-01", "2023-10-07"),
        ("2023-03-02", "2023-04-03"),
    ):
        deadline = correction_deadline(date.fromisoformat(asked), calendar=calendar, division="460105")
        assert deadline.astimezone(clock.SHANGHAI).isoformat() == f"{last}T23:59:59+08:00", asked


async def test_decided_cases_close_when_they_are_delivered(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    await office.done(case, "accept")
    await office.done(case, "deny", note="未满八十周岁")
    await tasks.close(b"")
    assert (await citizen.get(case))["state"] == "denied"
    await change_row(case, updated_at=clock.now() - tasks.DELIVERED_AFTER)
    await tasks.close(b"")
    closed = await citizen.get(case)
    assert (closed["state"], closed["outcome"]) == ("closed", "denied")
    assert closed["timeline"][-1]["by"] == "system"
