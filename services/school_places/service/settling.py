"""From a draw to the entries of its run, some hundred at a time: a province's would fill the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from haiyiban.errors import Conflict, Words
from services.school_places.coordination import Waiting
from services.school_places.models import AllocationRun, RollEntry
from services.school_places.service import allocation

_AT_ONCE = 500


class RollChanged(Conflict):
    """What is stored is not what was committed to: somebody changed it since. Nothing goes on from it."""

    type = "school-places/roll-changed"
    title = Words(
        "名单或抽签结果与已公布的哈希不一致，已停止；请报告并按作废程序处理",
        "Roll or result is not what its published hash says; stopped. Report it and annul the run",
    )


async def settle(session: AsyncSession, run: AllocationRun, drawn: allocation.Drawn) -> None:
    """Write every entry's result: first those without a place of their list are found places, for that is
    decided among all of them. Raises RollChanged where entries and roll do not name the same children."""
    waiting: dict[int, Waiting] = {}
    named: set[str] = set()
    async for entries in entries_by_part(session, run):
        part = {entry.pseudonym for entry in entries}
        named |= part
        if not part <= drawn.position_of.keys():
            raise RollChanged(members={"state": run.state})
        waiting |= allocation.waiting_of(entries, drawn)
    if len(named) != len(drawn.position_of):
        raise RollChanged(members={"state": run.state})
    coordinated = allocation.coordinate(waiting, drawn)
    async for entries in entries_by_part(session, run):
        allocation.settle(entries, drawn, coordinated)
        for entry in entries:
            # Written even where they stay empty: rows that all write the same columns go out together.
            flag_modified(entry, "choice")
            flag_modified(entry, "school_id")
        await session.flush()


async def entries_by_part(session: AsyncSession, run: AllocationRun) -> AsyncIterator[Sequence[RollEntry]]:
    """The roll of a run, child by child, in parts."""
    after: UUID | None = None
    while True:
        query = select(RollEntry).where(RollEntry.run_id == run.id).order_by(RollEntry.id).limit(_AT_ONCE)
        if after is not None:
            query = query.where(RollEntry.id > after)
        entries = (await session.scalars(query)).all()
        if not entries:
            return
        yield entries
        after = entries[-1].id
