"""When the service ends, its data ends: everything that this folder keeps of people is deleted.

The national service itself ended in 2022–23, and what has no purpose any more goes (个人信息保护法 art. 47).
Source: docs/domain.md §5.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.codes.claims import Kind
from haiyiban.codes.withdrawn import withdraw
from haiyiban.db import database
from haiyiban.identity.models import Person
from services.health_code.models import Declaration, Status

BATCH = 5_000
"""People in one transaction: stopped in between, the next run goes on with who is left."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows there are, or how many were deleted."""

    statuses: int = 0
    declarations: int = 0

    def __add__(self, other: Kept) -> Kept:
        return Kept(
            statuses=self.statuses + other.statuses, declarations=self.declarations + other.declarations
        )


async def kept() -> Kept:
    """What is kept of people now."""
    async with database().reading() as session:
        return Kept(
            statuses=await session.scalar(select(func.count()).select_from(Status)) or 0,
            declarations=await session.scalar(select(func.count()).select_from(Declaration)) or 0,
        )


async def delete_all(*, passing: Callable[[Kept], object] = lambda _: None) -> Kept:
    """Delete all of it, and withdraw the codes that phones still hold. `passing` hears of each batch."""
    gone = Kept()
    while True:
        async with database().transaction() as session:
            batch = await _delete_some(session, now=clock.now())
        if batch == Kept():
            return gone
        gone += batch
        passing(gone)


async def _delete_some(session: AsyncSession, *, now: datetime) -> Kept:
    holders = select(Status.person_id).union(select(Declaration.person_id)).limit(BATCH)
    people = list(await session.scalars(holders))
    if not people:
        return Kept()
    refs = await session.scalars(select(Person.ref).where(Person.id.in_(people)))
    await withdraw(session, Kind.HEALTH, list(refs), now=now)
    declarations = await session.scalars(
        delete(Declaration).where(Declaration.person_id.in_(people)).returning(Declaration.id)
    )
    statuses = await session.scalars(
        delete(Status).where(Status.person_id.in_(people)).returning(Status.person_id)
    )
    gone = Kept(statuses=len(statuses.all()), declarations=len(declarations.all()))
    await audit.record(
        session,
        "health-code.delete",
        object_kind="health_code",
        fields=["colour", "declarations"],
        reason=f"retention ended: {gone.statuses} statuses, {gone.declarations} declarations",
    )
    return gone
