"""What is kept, for how long and why, and what was deleted: of every class of data, a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import terms
from haiyiban.retention import forgetting
from haiyiban.retention.models import Run
from haiyiban.terms import Ending, Term

OVERDUE_AFTER = timedelta(days=1)
"""Every class is looked through several times a day: what is due for longer was not deleted as it should."""


class Line(NamedTuple):
    """One class of data, as it stands."""

    term: Term
    run: Run | None
    """The last one; None before the first, and of what no task deletes."""
    gone: int
    """Rows deleted so far, in all runs."""


async def lines(session: AsyncSession) -> list[Line]:
    """Every class, by its name."""
    sums = select(Run.data_class, func.sum(Run.gone)).group_by(Run.data_class)
    gone = {name: int(count) for name, count in await session.execute(sums)}
    return [
        Line(
            term,
            await forgetting.latest(session, term),
            gone.get(term.data_class, 0),
        )
        for term in terms.installed()
    ]


async def overdue(session: AsyncSession, *, now: datetime) -> dict[str, int]:
    """By class, the rows whose time was over a day ago and that no other row refers to. It counts, which
    takes a while in large tables."""
    found = {
        term.data_class: await _overdue(session, term.ending, now=now)
        for term in terms.installed()
        if term.ending is not None
    }
    return {name: count for name, count in found.items() if count}


async def _overdue(session: AsyncSession, ending: Ending, *, now: datetime) -> int:
    due = forgetting.due_at(ending, now - OVERDUE_AFTER)
    free = not_(forgetting.is_referred_to(ending))
    found = select(func.count()).select_from(ending.table).where(due, free)
    return await session.scalar(found) or 0


def markdown(found: Sequence[Term]) -> str:
    """The table of docs/retention.md, in the order given."""
    head = "| 数据 data | 保存 kept | 依据 why | 表 tables |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {term.what.zh}<br>{term.what.en} (`{term.data_class}`) "
        f"| {term.kept.zh}<br>{term.kept.en} "
        f"| {term.why.zh}<br>{term.why.en} "
        f"| {_tables(term)} |\n"
        for term in found
    )


def _tables(term: Term) -> str:
    names = [f"`{table.__tablename__}`" for table in term.tables]
    if not names and term.ending is not None:
        names = [f"part of `{term.ending.table.__tablename__}`"]
    return ", ".join(names)
