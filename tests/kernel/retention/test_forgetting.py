"""What is due goes, in batches, whoever else is at work; what is not due stays, and so does what is used."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import ForeignKey, MetaData, delete, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema, DropSchema

from haiyiban import clock, terms
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Base, Database
from haiyiban.errors import Words
from haiyiban.ids import new_id
from haiyiban.retention import forgetting, report
from haiyiban.retention.models import Run
from haiyiban.runtime import retention_task
from haiyiban.terms import Ending, Term

ROOT = Path(__file__).parents[3]
DAY = timedelta(days=1)
MONTH = 30 * DAY
SOMETHING = Words("某物", "something")


class Own(DeclarativeBase):
    """Tables of these tests, in a schema of their own beside those of the platform."""

    metadata = MetaData(schema="retention_test")
    type_annotation_map = Base.type_annotation_map


class Note(Own):
    __tablename__ = "note"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime | None]


class Page(Own):
    """Goes with its note."""

    __tablename__ = "page"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    note_id: Mapped[UUID] = mapped_column(ForeignKey(Note.id))


class Quote(Own):
    """Keeps its note."""

    __tablename__ = "quote"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    note_id: Mapped[UUID] = mapped_column(ForeignKey(Note.id))


class Line(Own):
    """A table whose key has two columns."""

    __tablename__ = "line"

    page: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


NOTES = Ending(table=Note, since=Note.at, after=MONTH, along=(Page.note_id,))
LINES = Ending(table=Line, since=Line.at, after=MONTH)


def term(name: str, ending: Ending) -> Term:
    return Term(
        data_class=f"test.{name}", what=SOMETHING, tables=(), kept=SOMETHING, why=SOMETHING, ending=ending
    )


@pytest.fixture(scope="module", autouse=True)
async def tables(database: Database) -> AsyncIterator[None]:
    async with database.engine.begin() as connection:
        await connection.execute(CreateSchema("retention_test", if_not_exists=True))
        await connection.run_sync(Own.metadata.create_all)
    yield
    async with database.engine.begin() as connection:
        await connection.execute(DropSchema("retention_test", cascade=True))


@pytest.fixture(autouse=True)
async def only_these(tables: None, database: Database) -> AsyncIterator[None]:
    """The classes of these tests and no others, for moving the clock makes everything else due."""
    others = terms.installed()
    terms.install((term("notes", NOTES), term("lines", LINES)))
    yield
    terms.install(others)
    async with database.transaction() as session:
        for table in (Page, Quote, Note, Line):
            await session.execute(delete(table))
        await session.execute(delete(Run).where(Run.data_class.startswith("test.")))


@pytest.fixture
def later() -> Iterator[None]:
    """A clock that is put right afterwards."""
    yield
    clock.shift(0)


async def write(database: Database, *ages: timedelta) -> list[UUID]:
    """Notes of these ages."""
    notes = [Note(id=new_id(), at=clock.now() - age) for age in ages]
    async with database.transaction() as session:
        session.add_all(notes)
    return [note.id for note in notes]


async def left(database: Database) -> set[UUID]:
    async with database.reading() as session:
        return set(await session.scalars(select(Note.id)))


async def runs(database: Database, name: str = "notes") -> list[Run]:
    async with database.reading() as session:
        found = await session.scalars(select(Run).where(Run.data_class == f"test.{name}").order_by(Run.id))
        return list(found)


async def begun(database: Database) -> Run:
    run = await forgetting.take(term("notes", NOTES), NOTES, now=clock.now())
    assert run is not None
    return run


async def test_what_is_due_goes_on_its_day_and_is_reported(database: Database, later: None) -> None:
    early, late = await write(database, 2 * DAY, timedelta())
    async with database.transaction() as session:
        session.add_all([Page(id=new_id(), note_id=early), Page(id=new_id(), note_id=late)])
        session.add(Note(id=new_id(), at=None))
    await retention_task.run()
    assert {early, late} <= await left(database)
    clock.shift((MONTH - DAY).total_seconds())
    await retention_task.run()
    assert early not in await left(database)
    assert late in await left(database)
    first, second = await runs(database)
    assert (first.due, first.gone, first.held) == (0, 0, 0)
    assert (second.due, second.gone, second.held, second.failed) == (1, 1, 0, None)
    async with database.reading() as session:
        assert second.oldest == (await session.get_one(Note, late)).at
        assert [*await session.scalars(select(Page.note_id))] == [late], "a page goes with its note"
        recorded = await session.scalars(select(AuditRecord).where(AuditRecord.object_id == second.id))
        assert [(each.action, each.reason) for each in recorded] == [("retention.delete", "test.notes: 1")]
    clock.shift((2 * MONTH).total_seconds())
    await retention_task.run()
    async with database.reading() as session:
        assert [each.at for each in await session.scalars(select(Note))] == [None], "not begun, never over"
        [_, line] = await report.lines(session)
        assert (line.term.data_class, line.gone) == ("test.notes", 2)
        assert await report.overdue(session, now=clock.now()) == {}


async def test_a_dated_setting_counts_by_the_day(database: Database, later: None) -> None:
    changes = clock.today() + 3 * DAY

    def after(day: date) -> timedelta:
        return MONTH if day < changes else timedelta(hours=1)

    await write(database, timedelta(hours=2))
    terms.install([term("notes", Ending(table=Note, since=Note.at, after=after))])
    await retention_task.run()
    assert len(await left(database)) == 1
    clock.shift((4 * DAY).total_seconds())
    await retention_task.run()
    assert await left(database) == set()


async def test_it_is_not_looked_for_again_before_it_is_time(database: Database, later: None) -> None:
    await retention_task.run()
    await write(database, 2 * MONTH)
    await retention_task.run()
    assert len(await runs(database)) == 1
    clock.shift(NOTES.every.total_seconds())
    await retention_task.run()
    assert len(await runs(database)) == 2
    assert await left(database) == set()
    clock.shift(0)
    await retention_task.run()
    assert len(await runs(database)) == 3, "a clock that was moved back holds nothing up"


@pytest.mark.parametrize("count", [1, 3, 4, 6, 7])
async def test_each_transaction_deletes_a_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 3)
    await write(database, *[2 * MONTH] * count, timedelta())
    run = await begun(database)
    sizes = []
    goes_on = True
    while goes_on:
        before = len(await left(database))
        goes_on = await forgetting.batch(run, NOTES)
        sizes.append(before - len(await left(database)))
        [told] = await runs(database)
        assert told.gone == sum(sizes), "counted in the batch's own transaction"
    assert max(sizes) <= 3
    assert sum(sizes) == count


async def test_a_key_of_two_columns(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    async with database.transaction() as session:
        session.add_all(
            [
                Line(page=page, number=number, at=clock.now() - age)
                for page, number, age in (
                    (1, 1, 2 * MONTH),
                    (1, 2, DAY),
                    (2, 1, DAY),
                    (2, 2, 2 * MONTH),
                    (3, 1, 2 * MONTH),
                )
            ]
        )
    await retention_task.run()
    async with database.reading() as session:
        assert {tuple(row) for row in await session.execute(select(Line.page, Line.number))} == {
            (1, 2),
            (2, 1),
        }


async def test_what_another_row_refers_to_stays_until_that_is_gone(database: Database, later: None) -> None:
    [_, quoted] = await write(database, 2 * MONTH, 2 * MONTH)
    async with database.transaction() as session:
        session.add(Quote(id=new_id(), note_id=quoted))
    await retention_task.run()
    assert await left(database) == {quoted}
    [run] = await runs(database)
    assert (run.due, run.gone, run.held) == (2, 1, 1)
    async with database.transaction() as session:
        await session.execute(delete(Quote))
    clock.shift(NOTES.every.total_seconds())
    await retention_task.run()
    assert await left(database) == set()


async def test_a_row_that_somebody_holds_keeps_nobody_waiting(database: Database, later: None) -> None:
    [held, _] = await write(database, 2 * MONTH, 2 * MONTH)
    async with database.transaction() as other:
        await other.execute(select(Note).where(Note.id == held).with_for_update())
        async with asyncio.timeout(5):
            await retention_task.run()
        assert await left(database) == {held}
    [run] = await runs(database)
    assert (run.gone, run.held) == (1, 1)
    clock.shift(NOTES.every.total_seconds())
    await retention_task.run()
    assert await left(database) == set()


async def test_one_class_that_fails_leaves_the_others_done_and_is_told(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    later: None,
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 1)
    gone, stone = await write(database, 3 * MONTH, 2 * MONTH)
    async with database.transaction() as session:
        session.add(Line(page=1, number=1, at=clock.now() - 2 * MONTH))
        for statement in _REFUSE.format(id=stone).split(";;"):
            await session.execute(text(statement))
    with caplog.at_level(logging.ERROR, logger="haiyiban.retention"):
        # Whichever comes first by the minute.
        for _ in range(2):
            await retention_task.run()
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Line)) == 0
    assert await left(database) == {stone}, f"the batch before, {gone}, stays done"
    [run] = await runs(database)
    assert (run.due, run.gone, run.held) == (2, 1, None)
    assert run.failed == "sqlalchemy.exc.DBAPIError [P0001]"
    assert run.ended_at is not None
    [told] = caplog.records
    assert "test.notes" in told.getMessage()
    assert "13912345678" not in told.getMessage(), "the words of an error may be a person's"
    async with database.transaction() as session:
        await session.execute(text("DROP TRIGGER refuse ON retention_test.note"))
    clock.shift(forgetting.AGAIN.total_seconds())
    await retention_task.run()
    assert await left(database) == set(), "tried again after an hour"


_REFUSE = """
CREATE FUNCTION retention_test.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF old.id = '{id}' THEN RAISE EXCEPTION 'of 13912345678'; END IF;
  RETURN old;
END $$;;
CREATE TRIGGER refuse BEFORE DELETE ON retention_test.note
FOR EACH ROW EXECUTE FUNCTION retention_test.refuse()
"""


async def test_who_looked_at_the_clock_before_a_run_was_taken_leaves_it_alone(database: Database) -> None:
    before = clock.now()
    assert await forgetting.take(term("notes", NOTES), NOTES, now=before + timedelta(seconds=1))
    assert await forgetting.take(term("notes", NOTES), NOTES, now=before) is None


async def test_two_workers_at_once_delete_it_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 4)
    await write(database, *[2 * MONTH] * 40)
    await asyncio.gather(*(retention_task.run() for _ in range(3)))
    [run] = await runs(database)
    assert (run.due, run.gone, run.held) == (40, 40, 0)
    assert run.ended_at is not None
    # As where one was so slow that another took the run over.
    await write(database, *[2 * MONTH] * 40)
    async with database.transaction() as session:
        await session.execute(delete(Run).where(Run.data_class == "test.notes"))
    slow = await begun(database)

    async def work() -> None:
        while await forgetting.batch(slow, NOTES):
            pass
        await forgetting.end(slow, NOTES)

    await asyncio.gather(*(work() for _ in range(3)))
    assert await left(database) == set()
    [run] = await runs(database)
    assert run.gone == 40, "no row is counted twice"


async def test_a_run_whose_worker_was_killed_goes_on(
    database: Database, database_url: str, later: None
) -> None:
    many = 500
    await write(database, *[2 * MONTH] * many)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, database_url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"a batch\n"
    worker.kill()
    await worker.communicate()
    await retention_task.run()
    [killed] = await runs(database)
    assert killed.ended_at is None, "nobody else has it yet: it may be alive"
    assert 0 < killed.gone < many
    clock.shift((forgetting.TAKEN + timedelta(seconds=1)).total_seconds())
    await retention_task.run()
    [run] = await runs(database)
    assert run.id == killed.id
    assert (run.due, run.gone, run.held) == (many, many, 0), (
        "no row is lost from the count, and none twice in it"
    )
    assert run.ended_at is not None
    assert await left(database) == set()


_WORKER = """
import asyncio, sys
from haiyiban import clock, db
from haiyiban.retention import forgetting
from tests.kernel.retention.test_forgetting import NOTES, term

async def work():
    db.install(db.Database(sys.argv[1], pool_size=1))
    run = await forgetting.take(term("notes", NOTES), NOTES, now=clock.now())
    await forgetting.count(run, NOTES)
    while await forgetting.batch(run, NOTES):
        print("a batch", flush=True)

forgetting.BATCH = 1
asyncio.run(work())
"""
"""A worker at its work, until it is killed."""


async def test_a_turn_ends_and_the_next_one_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    await write(database, *[2 * MONTH] * 5)
    await retention_task.look_through(term("notes", NOTES), NOTES, ends=0)
    assert len(await left(database)) == 3
    [run] = await runs(database)
    assert (run.gone, run.ended_at) == (2, None)
    await retention_task.look_through(term("notes", NOTES), NOTES, ends=math.inf)
    [run] = await runs(database)
    assert run.gone == 5
    assert run.ended_at is not None
