"""Deleting what is due of one class, a batch in a transaction, so that nobody waits for it.

How far a run is stands in the database and moves with each batch, in its transaction: whoever is killed in
between has done nothing of that batch, and the next worker goes on. Rows that somebody has locked are left
for the next run, and so is a row that another row refers to.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.db import database
from haiyiban.ids import new_id
from haiyiban.retention.models import Run
from haiyiban.terms import Ending, Term

BATCH = 2_000
"""Rows in one transaction."""
TAKEN = timedelta(seconds=60)
"""How long a worker has a run to itself without a sign of life: far longer than a batch takes."""
AGAIN = timedelta(hours=1)
"""After a run that failed, where the class is not looked through more often anyway."""


async def take(term: Term, ending: Ending, *, now: datetime) -> Run | None:
    """The run of this class for whoever calls: a new one where it is time, or one whose worker was killed or
    has stopped in the middle. None where nothing is to be done now."""
    async with database().transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('retention_run'))"))
        run = await latest(session, term)
        if run is None or run.ended_at is not None:
            if run is not None and not _is_time(run, ending, now=now):
                return None
            run = Run(id=new_id(), data_class=term.data_class, began_at=now)
            session.add(run)
        # Who took it may have looked at the clock just after us; far ahead is a clock that was moved back.
        elif run.taken_until is not None and now < run.taken_until <= now + 2 * TAKEN:
            return None
        run.taken_until = now + TAKEN
        return run


async def count(run: Run, ending: Ending) -> None:
    """Write down how much is due, once in a run."""
    if run.due is None:
        async with database().transaction() as session:
            due = await _count(session, ending, due_at(ending, run.began_at))
            await session.execute(update(Run).where(Run.id == run.id).values(due=due))


async def batch(run: Run, ending: Ending) -> bool:
    """Delete some of what was due when the run began. False once nothing of it can be."""
    async with database().transaction() as session:
        # Whoever holds one of these rows for long must not make those wait who want another.
        await session.execute(text("SET LOCAL lock_timeout = '2s'"))
        gone = await _delete_some(session, ending, run.began_at)
        await session.execute(
            update(Run).where(Run.id == run.id).values(gone=Run.gone + gone, taken_until=clock.now() + TAKEN)
        )
    return gone == BATCH


async def pause(run: Run) -> None:
    """Leave the rest to whoever comes next."""
    async with database().transaction() as session:
        await session.execute(update(Run).where(Run.id == run.id).values(taken_until=None))


async def end(run: Run, ending: Ending) -> None:
    """Write down what is left; what was deleted is recorded in the audit."""
    async with database().transaction() as session:
        ended = await session.get_one(Run, run.id, with_for_update=True)
        if ended.ended_at is not None:
            return
        ended.held = await _count(session, ending, due_at(ending, run.began_at))
        ended.oldest = await oldest(session, ending)
        await _close(session, ended)


async def fail(run: Run, kind: str) -> None:
    """Write down that an error of this kind stopped it; batches before it stay done."""
    async with database().transaction() as session:
        failed = await session.get_one(Run, run.id, with_for_update=True)
        failed.failed = kind
        await _close(session, failed)


async def latest(session: AsyncSession, term: Term) -> Run | None:
    """The last run of a class. By its id, which no clock that was moved back can make an earlier one's."""
    found: Run | None = await session.scalar(
        select(Run).where(Run.data_class == term.data_class).order_by(Run.id.desc()).limit(1)
    )
    return found


async def oldest(session: AsyncSession, ending: Ending) -> datetime | None:
    """From when the oldest row counts that is there."""
    query = select(func.min(ending.since)).select_from(ending.table)
    found: datetime | None = await session.scalar(query if ending.only is None else query.where(ending.only))
    return found


def due_at(ending: Ending, now: datetime) -> ColumnElement[bool]:
    """The rows whose time is over, those that another row refers to among them."""
    due: ColumnElement[bool] = ending.since < ending.limit(now)
    return due if ending.only is None else and_(due, ending.only)


def is_referred_to(ending: Ending) -> ColumnElement[bool]:
    """Whether a row refers to this one that does not go along with it, in whichever folder."""
    table = _table(ending)
    along = {column.property.columns[0] for column in ending.along}
    keys = [
        key
        for other in table.metadata.tables.values()
        for key in other.foreign_keys
        if key.column.table is table and key.parent not in along
    ]
    return or_(
        false(),
        *(exists().where(key.parent.table.alias().c[key.parent.name] == key.column) for key in keys),
    )


def _is_time(run: Run, ending: Ending, *, now: datetime) -> bool:
    """The clock of the demo may have been moved back behind the last run."""
    every = ending.every if run.failed is None else min(ending.every, AGAIN)
    return not now - every < run.began_at <= now


async def _count(session: AsyncSession, ending: Ending, which: ColumnElement[bool]) -> int:
    return await session.scalar(select(func.count()).select_from(ending.table).where(which)) or 0


async def _delete_some(session: AsyncSession, ending: Ending, now: datetime) -> int:
    table = _table(ending)
    key: list[Column[object]] = list(table.primary_key)
    wanted = (
        select(*key)
        .where(due_at(ending, now), not_(is_referred_to(ending)))
        .order_by(ending.since)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=table)
    )
    if ending.along:
        found = list(await session.scalars(wanted))
        for column in ending.along:
            await session.execute(delete(column.class_).where(column.in_(found)))
        which = key[0].in_(found)
    else:
        # In one statement, for millions may be due. As a CTE, which PostgreSQL reads once and no more.
        which = tuple_(*key).in_(select(wanted.cte("wanted")))
    gone = await session.execute(delete(table).where(which).returning(key[0]))
    return len(gone.all())


async def _close(session: AsyncSession, run: Run) -> None:
    run.ended_at, run.taken_until = clock.now(), None
    if run.gone:
        await audit.record(
            session,
            "retention.delete",
            object_kind="retention-run",
            object_id=run.id,
            reason=f"{run.data_class}: {run.gone}",
            outcome="done" if run.failed is None else "failed",
        )


def _table(ending: Ending) -> Table:
    table = ending.table.__table__
    assert isinstance(table, Table)
    return table
