"""Counting what happened since the last time, every five seconds, by one worker at a time.

The last minute is counted anew each time and takes the place of what stood there, so doing it twice harms
nothing. What commits later than twenty seconds after its id was made, or is undone, is found when its hour
has been over for ten minutes: then the whole hour is counted once more, for good, and takes the place of its
minutes. No other row is ever read again, and whoever claims, verifies or applies writes nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, tallies
from haiyiban.db import database
from haiyiban.hall import figures, rules
from haiyiban.hall.models import Board, Count

LATE = timedelta(seconds=20)
SETTLED = timedelta(minutes=10)
BACK = timedelta(hours=47)
"""How far back a hall that counts for the first time, or was off, looks: yesterday must be whole."""
KEPT = timedelta(days=400)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def count(_: bytes) -> None:
    """Bring the board up to date; who finds another at it leaves it to them."""
    now = clock.now()
    async with database().transaction() as session:
        await session.execute(
            upsert(Board)
            .values(id=1, number=0, at=now - BACK, closed_until=rules.hour_of(now - BACK))
            .on_conflict_do_nothing()
        )
        board = await session.scalar(select(Board).with_for_update(skip_locked=True))
        if board is None:
            return
        before = await figures.kinds(session, rules.day_of(now))
        await _close_hours(session, board, now=now)
        await _count_minutes(session, board, now=now)
        await _fold_days(session, now=now)
        board.number, board.at = board.number + 1, now
        board.figures = await figures.of(session, board, before=before, now=now)


async def write_seen() -> None:
    """Add what this process saw to the minute that runs."""
    seen = tallies.take()
    if not seen:
        return
    since = rules.minute_of(clock.now())
    rows = [
        {"since": since, "seconds": 60, "name": name, "division": "", "matter": "", "count": number}
        # In one order, so that two processes never wait for each other's rows.
        for name, number in sorted(seen.items())
    ]
    statement = upsert(Count)
    added = statement.on_conflict_do_update(
        index_elements=[Count.since, Count.seconds, Count.name, Count.division, Count.matter],
        set_={"count": Count.count + statement.excluded.count},
    )
    is_written = False
    try:
        async with database().transaction() as session:
            await session.execute(added, rows)
        is_written = True
    finally:
        if not is_written:
            tallies.give_back(seen)


async def _close_hours(session: AsyncSession, board: Board, *, now: datetime) -> None:
    until = rules.hour_of(now - SETTLED)
    for since in rules.spans(max(board.closed_until, rules.hour_of(now - BACK)), until, length=HOUR):
        seen = await _fold(session, since, since + HOUR, names=_seen_names())
        await _replace(session, since, HOUR, seen)
    board.closed_until = max(board.closed_until, until)


async def _count_minutes(session: AsyncSession, board: Board, *, now: datetime) -> None:
    first = max(board.closed_until, rules.minute_of(board.at - LATE))
    for since in rules.spans(first, now, length=MINUTE):
        await _replace(session, since, MINUTE, ())


async def _replace(
    session: AsyncSession, since: datetime, length: timedelta, seen: Iterable[dict[str, Any]]
) -> None:
    """What is known of a span, by its rows, instead of what was."""
    skew = clock.now() - clock.wall()
    ids = {"first": rules.first_id(since - skew), "past": rules.first_id(since + length - skew)}
    counted = [tally for tally in tallies.installed() if tally.query]
    names = [tally.name for tally in counted]
    await session.execute(
        delete(Count).where(Count.since >= since, Count.since < since + length, Count.name.in_(names))
    )
    rows = [
        {"name": tally.name, "division": division, "matter": matter, "count": number}
        for tally in counted
        for division, matter, number in await session.execute(text(tally.query or ""), ids)
    ]
    await _add(session, since, length, [*rows, *seen])


async def _fold_days(session: AsyncSession, *, now: datetime) -> None:
    """Of the days before yesterday nobody asks for the hours; after a year nobody asks for the days."""
    yesterday = rules.day_of(rules.day_of(now) - HOUR)
    oldest = await session.scalar(
        select(func.min(Count.since)).where(Count.since < yesterday, Count.seconds < DAY.total_seconds())
    )
    if oldest is not None:
        since = rules.day_of(oldest)
        await _add(session, since, DAY, await _fold(session, since, since + DAY, names=None))
    await session.execute(delete(Count).where(Count.since < now - KEPT))


async def _fold(
    session: AsyncSession, since: datetime, past: datetime, *, names: list[str] | None
) -> list[dict[str, Any]]:
    """Take the rows of a time away; what they say together."""
    where = (Count.since >= since) & (Count.since < past)
    if names is not None:
        where &= Count.name.in_(names)
    query = (
        select(Count.name, Count.division, Count.matter, func.sum(Count.count).label("count"))
        .where(where)
        .group_by(Count.name, Count.division, Count.matter)
    )
    found = [dict(row) for row in (await session.execute(query)).mappings()]
    await session.execute(delete(Count).where(where))
    return [{**row, "count": int(row["count"])} for row in found]


async def _add(
    session: AsyncSession, since: datetime, length: timedelta, rows: Iterable[dict[str, Any]]
) -> None:
    whole = [{**row, "since": since, "seconds": int(length.total_seconds())} for row in rows]
    if whole:
        await session.execute(insert(Count), whole)


def _seen_names() -> list[str]:
    return [tally.name for tally in tallies.installed() if not tally.query]
