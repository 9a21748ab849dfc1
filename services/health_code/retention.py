"""When the service ends, its data ends: everything that this folder keeps of people is deleted.

The national service itself ended in 2022–23, and what has no purpose any more goes (个人信息保护法 art. 47).
Source: docs/domain.md §5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

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


async def kept() -> dict[str, int]:
    """How many rows there are of people now."""
    async with database().reading() as session:
        return {
            "statuses": await session.scalar(select(func.count()).select_from(Status)) or 0,
            "declarations": await session.scalar(select(func.count()).select_from(Declaration)) or 0,
        }


async def delete_all(passing: Callable[[Mapping[str, int]], object] = lambda _: None) -> dict[str, int]:
    """Delete all of it, and withdraw the codes that phones still hold. `passing` hears of each batch, and how
    much is deleted so far."""
    gone: Counter[str] = Counter()
    while True:
        async with database().transaction() as session:
            batch = await _delete_some(session, now=clock.now())
        if not batch:
            return dict(gone)
        gone.update(batch)
        passing(dict(gone))


async def _delete_some(session: AsyncSession, *, now: datetime) -> dict[str, int]:
    """Delete what is kept of one batch of people; empty where nobody is left."""
    holders = select(Status.person_id).union(select(Declaration.person_id)).limit(BATCH)
    people = list(await session.scalars(holders))
    if not people:
        return {}
    refs = await session.scalars(select(Person.ref).where(Person.id.in_(people)))
    await withdraw(session, Kind.HEALTH, list(refs), now=now)
    declarations = await session.scalars(
        delete(Declaration).where(Declaration.person_id.in_(people)).returning(Declaration.id)
    )
    statuses = await session.scalars(
        delete(Status).where(Status.person_id.in_(people)).returning(Status.person_id)
    )
    gone = {"statuses": len(statuses.all()), "declarations": len(declarations.all())}
    await audit.record(
        session,
        "health-code.delete",
        object_kind="health_code",
        fields=["colour", "declarations"],
        reason=f"retention ended: {gone['statuses']} statuses, {gone['declarations']} declarations",
    )
    return gone
