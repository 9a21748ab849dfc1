"""One thing at a time broken on purpose, after a run in which nothing was: what the checker must find.

A checker that finds nothing is worth what it would have found. Each change is made in a transaction that is
taken back, past the constraints that would not let it happen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import select, text, update

from haiyiban.audit.models import AuditLeaf, AuditRecord
from haiyiban.db import database
from tests.chaos import checking
from tests.chaos.broken import BROKEN, Place
from tests.chaos.people import World


async def missed(world: World) -> list[str]:
    """What the checker does not find though it is broken. Nobody may be about anything any more."""
    missed: list[str] = []
    for broken, kind in BROKEN.items():
        found = await _found(world, broken)
        if kind not in found:
            missed.append(f"{broken.__name__} is no {kind}: {found}")
    if not await _edit_is_found():
        missed.append("an edited record of the audit")
    return missed


async def _found(world: World, broken: Callable[[Place], Awaitable[None]]) -> list[str]:
    """The kinds that the checker reports while this is broken."""
    told = replace(
        world.told,
        cases={each: dict(known) for each, known in world.told.cases.items()},
        valid=dict(world.told.valid),
    )
    async with AsyncExitStack() as undo, database().sessions() as session:
        # As a fault does, it asks no foreign key and no trigger.
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await broken(Place(session, replace(world, told=told), undo))
        await session.flush()
        found = await checking.look(session, replace(world, told=told))
        await session.rollback()
    return [kind for kind, each in asdict(found).items() if each]


async def _edit_is_found() -> bool:
    """Whether `haiyiban audit verify` is asked, and heard; it reads what is committed, so this is kept."""
    async with database().transaction() as session:
        first: UUID | None = await session.scalar(select(AuditLeaf.record_id).where(AuditLeaf.seq == 0))
        await session.execute(
            update(AuditRecord).where(AuditRecord.id == first).values(reason="written by somebody")
        )
    return bool(await asyncio.to_thread(checking.verify_audit))
