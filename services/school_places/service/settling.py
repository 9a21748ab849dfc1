"""From a draw to the entries of its run, some hundred at a time: a province's would fill the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.crypto import vault
from haiyiban.errors import Conflict, Words
from haiyiban.sealed import place
from services.school_places.coordination import Waiting
from services.school_places.matching import UNPLACED
from services.school_places.models import AllocationRun, RollEntry
from services.school_places.service import allocation
from services.school_places.service.allocation import Drawn, Result
from services.school_places.service.standings import Standing

_AT_ONCE = 500


class RollChanged(Conflict):
    """What is stored is not what was committed to: somebody changed it since. Nothing goes on from it."""

    type = "school-places/roll-changed"
    title = Words(
        "名单或抽签结果与已公布的哈希不一致，已停止；请报告并按作废程序处理",
        "Roll or result is not what its published hash says; stopped. Report it and annul the run",
    )


async def settle(session: AsyncSession, run: AllocationRun, drawn: Drawn) -> None:
    """Write every entry's result: first those without a place of their list are found places, for that is
    decided among all of them. Raises RollChanged where entries and roll do not name the same children."""
    waiting: dict[int, Waiting] = {}
    named: set[int] = set()
    async for part in _parts(session, run, drawn):
        named.update(part)
        waiting.update(
            (pupil, allocation.waiting(pupil, _standing_of(row), drawn))
            for pupil, row in part.items()
            if drawn.file.placements[pupil] == UNPLACED
        )
    if len(named) != len(drawn.position_of):
        raise RollChanged(members={"state": run.state})
    coordinated = allocation.coordinate(waiting, drawn)
    async for part in _parts(session, run, drawn):
        await session.execute(
            _WRITE,
            [
                _columns(
                    row.id,
                    allocation.result_of(pupil, _standing_of(row), drawn, coordinated=coordinated.get(pupil)),
                )
                for pupil, row in part.items()
            ],
        )


# Below the ORM: the officer waits for it, in a province for 150,000 children. benchmarks/publication.py
_TABLE: Any = RollEntry.__table__
_READ = (_TABLE.c.id, _TABLE.c.pseudonym_sealed, _TABLE.c.standing_sealed)
_WRITE = update(_TABLE).where(_TABLE.c.id == bindparam("entry_id"))
_decode_standing = msgspec.json.Decoder(Standing).decode


async def _parts(session: AsyncSession, run: AllocationRun, drawn: Drawn) -> AsyncIterator[dict[int, Any]]:
    """The roll by position in the file, in parts. Raises RollChanged for a child who is not in the file."""
    after: UUID | None = None
    while True:
        query = select(*_READ).where(_TABLE.c.run_id == run.id).order_by(_TABLE.c.id).limit(_AT_ONCE)
        if after is not None:
            query = query.where(_TABLE.c.id > after)
        rows = (await session.execute(query)).all()
        if not rows:
            return
        try:
            yield {drawn.position_of[_opened(row, "pseudonym_sealed").decode()]: row for row in rows}
        except KeyError:
            raise RollChanged(members={"state": run.state}) from None
        after = rows[-1].id


def _standing_of(row: Any) -> Standing:
    return _decode_standing(_opened(row, "standing_sealed"))


def _opened(row: Any, column: str) -> bytes:
    return vault().open(getattr(row, column), where=place(_TABLE.name, column, row.id))


def _columns(entry_id: UUID, result: Result) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "lottery": result.lottery,
        "choice": result.choice,
        "school_id": result.school_id,
        "outcome": result.outcome,
        "explanation_sealed": vault().seal(
            msgspec.json.encode(result.explanation),
            where=place(_TABLE.name, "explanation_sealed", entry_id),
        ),
    }
