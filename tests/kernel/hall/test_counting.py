"""The counts of the hall: from the rows that stand there, once each, whoever counts and however often."""

from __future__ import annotations

import asyncio
import secrets
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from haiyiban import clock, tallies
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.db import Database
from haiyiban.hall import counting, figures, rules
from haiyiban.hall.models import Board, Count
from haiyiban.hall.rules import Kind
from haiyiban.identity import persons
from haiyiban.ids import new_id
from tests import builders

LINGSHUI = "469028"
MATTER = "education.exam-score-proof"


def id_of(past: timedelta) -> UUID:
    """An id as it was made some time ago."""
    return UUID(int=rules.first_id(clock.wall() - past).int | secrets.randbits(62))


async def step(
    database: Database,
    verb: str,
    *,
    past: timedelta = timedelta(),
    matter: str = MATTER,
    due: date | None = None,
    state: str = "draft",
) -> UUID:
    """A case with one step of its timeline, as the platform writes them. Returns the step's id."""
    now = clock.now()
    async with database.transaction() as session:
        person = await persons.find_or_create(session, "陈海", id_number=builders.id_number())
        case = Case(
            id=new_id(),
            matter=matter,
            matter_version=1,
            state="submitted",
            applicant_id=person.id,
            agency="education",
            division=LINGSHUI,
            form={},
            prefill={},
            locked=[],
            created_at=now,
            updated_at=now,
            promised_due_on=due,
        )
        session.add(case)
        await session.flush()
        event_id = id_of(past) if past else new_id()
        session.add(
            CaseEvent(
                id=event_id, case_id=case.id, at=now, verb=verb, by_kind="applicant", before={"state": state}
            )
        )
    return event_id


async def count(database: Database) -> Board:
    """Count, after the worker if it is just at it."""
    async with database.reading() as session:
        before = await session.scalar(select(Board.number)) or 0
    while True:
        await counting.count(b"")
        async with database.reading() as session:
            board = await session.scalar(select(Board))
        if board is not None and board.number > before and board.figures is not None:
            return board
        await asyncio.sleep(0.05)


async def kinds(database: Database) -> dict[Kind, int]:
    """Today's counts."""
    async with database.reading() as session:
        return await figures.kinds(session, rules.day_of(clock.now()))


def kind(name: str, matter: str = MATTER) -> Kind:
    return Kind(f"cases.{name}", LINGSHUI, matter)


@pytest.fixture(autouse=True)
def worker_runs(worker: Any) -> None:
    """Another process counts at the same time, as in production."""


async def test_cases_are_counted_where_and_for_what_they_were_submitted(database: Database) -> None:
    await count(database)
    before = await kinds(database)
    await step(database, "submission")
    await step(database, "submission", state="correction_requested")
    await count(database)
    now = await kinds(database)
    assert now[kind("submitted")] == before.get(kind("submitted"), 0) + 1, "an answer to a notice is no case"
    await count(database)
    assert (await kinds(database))[kind("submitted")] == now[kind("submitted")], "once"


async def test_a_decision_is_late_after_its_promised_day_and_gone_once_undone(database: Database) -> None:
    await count(database)
    before = await kinds(database)
    today = clock.today()
    await step(database, "approve", due=today)
    await step(database, "approve", due=today - timedelta(days=1))
    undone = await step(database, "deny", due=today - timedelta(days=1))
    async with database.transaction() as session:
        await session.execute(update(CaseEvent).where(CaseEvent.id == undone).values(verb="deny-undone"))
    board = await count(database)
    now = await kinds(database)
    assert now[kind("decided")] - before.get(kind("decided"), 0) == 2
    assert now[kind("decided_late")] - before.get(kind("decided_late"), 0) == 1
    assert board.figures is not None
    decided, late = (
        sum(number for each, number in now.items() if each.name == name)
        for name in ("cases.decided", "cases.decided_late")
    )
    assert board.figures["onTimeRate"] == rules.share(decided - late, decided)


async def test_what_was_committed_late_is_found_when_its_hour_closes(database: Database) -> None:
    """A transaction that hung, a worker that was off: the hour is counted whole, once."""
    hour = rules.hour_of(clock.now()) - timedelta(hours=2)
    await count(database)
    await step(database, "submission", past=clock.now() - hour - timedelta(minutes=30))
    await count(database)
    assert await _of_hour(database, hour) == 0, "nobody reads old rows again"
    async with database.transaction() as session:
        await session.execute(update(Board).values(closed_until=hour))
    await count(database)
    assert await _of_hour(database, hour) == 1
    async with database.transaction() as session:
        await session.execute(update(Board).values(closed_until=hour))
    await count(database)
    assert await _of_hour(database, hour) == 1


async def test_what_leaves_no_row_is_added_up_and_survives_the_closing_of_its_hour(
    database: Database,
) -> None:
    hour = rules.hour_of(clock.now()) - timedelta(hours=3)
    before = (await kinds(database)).get(Kind("codes.shown", "", ""), 0)
    for _ in range(3):
        tallies.saw("codes.shown")
    await counting.write_seen()
    tallies.saw("codes.shown")
    await counting.write_seen()
    await counting.write_seen()
    assert (await kinds(database))[Kind("codes.shown", "", "")] >= before + 4
    since = [hour + timedelta(minutes=minute) for minute in (3, 40)]
    async with database.transaction() as session:
        await session.execute(
            delete(Count).where(Count.since >= hour, Count.since < hour + timedelta(hours=1))
        )
        session.add_all(
            Count(since=each, seconds=60, name="codes.shown", division="", matter="", count=7)
            for each in since
        )
        await session.execute(update(Board).values(closed_until=hour))
    await count(database)
    async with database.reading() as session:
        rows = await session.execute(
            select(Count.seconds, Count.count).where(
                Count.name == "codes.shown", Count.since >= hour, Count.since < hour + timedelta(hours=1)
            )
        )
        assert [tuple(row) for row in rows] == [(3600, 14)]


async def test_days_before_yesterday_become_one_row_of_a_kind(database: Database) -> None:
    day = rules.day_of(clock.now() - timedelta(days=9))
    async with database.transaction() as session:
        session.add_all(
            Count(
                since=day + timedelta(hours=hour),
                seconds=3600,
                name="codes.shown",
                division="",
                matter="",
                count=2,
            )
            for hour in range(24)
        )
    await count(database)
    async with database.reading() as session:
        rows = await session.execute(
            select(Count.since, Count.seconds, Count.count).where(
                Count.since >= day, Count.since < day + timedelta(days=1)
            )
        )
        assert [tuple(row) for row in rows] == [(day, 86400, 48)]


async def test_the_feed_speaks_once_five_have_come_together(database: Database) -> None:
    matter = "education.school-place"
    await count(database)
    full = (await kinds(database)).get(kind("submitted", matter), 0)
    for _ in range(4 - full % 5):
        await step(database, "submission", matter=matter)
    board = await count(database)
    known = {line["id"] for line in _lines(board, matter)}
    await step(database, "submission", matter=matter)
    (line,) = [line for line in _lines(await count(database), matter) if line["id"] not in known]
    assert line == {**line, "name": "cases.submitted", "division": LINGSHUI, "matter": matter, "more": 5}
    assert set(line) == {"id", "at", "name", "division", "matter", "more"}, "and nothing of a person"


async def test_a_matter_of_health_is_never_named(database: Database) -> None:
    for _ in range(6):
        await step(database, "submission", matter="healthcare-security.remote-medical-filing")
    board = await count(database)
    assert "healthcare-security" not in str(board.figures)


def _lines(board: Board, matter: str) -> list[dict[str, Any]]:
    assert board.figures is not None
    return [line for line in board.figures["feed"] if line["matter"] == matter]


async def _of_hour(database: Database, hour: Any) -> int:
    async with database.reading() as session:
        rows = await session.scalars(
            select(Count.count).where(
                Count.name == "cases.submitted",
                Count.division == LINGSHUI,
                Count.since >= hour,
                Count.since < hour + timedelta(hours=1),
            )
        )
        return sum(rows)
