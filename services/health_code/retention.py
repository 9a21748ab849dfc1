"""When the service ends, its data ends: everything that this folder keeps of people is deleted.

The national service itself ended in 2022–23, and what has no purpose any more goes (个人信息保护法 art. 47).
Source: docs/domain.md §5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.codes.claims import Kind
from haiyiban.codes.withdrawn import withdraw
from haiyiban.db import database
from haiyiban.identity.models import Person
from services.health_code.models import (
    Appeal,
    Appointment,
    Check,
    Declaration,
    Guardian,
    ManualChange,
    Status,
)

BATCH = 5_000
"""People in one transaction: stopped in between, the next run goes on with who is left."""
_TABLES: Mapping[str, type[Status | Declaration | Appeal | ManualChange | Appointment | Check | Guardian]] = {
    "statuses": Status,
    "declarations": Declaration,
    "changes": ManualChange,
    "appeals": Appeal,
    "appointments": Appointment,
    "checks": Check,
    "guardians": Guardian,
}
"""In the order in which they go: changes refer to appeals."""


async def kept() -> dict[str, int]:
    """How many rows there are of people now."""
    async with database().reading() as session:
        return {
            name: await session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in _TABLES.items()
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
    people = await _some_people(session)
    if not people:
        return {}
    return await delete_of(session, people, because="retention ended", now=now)


async def delete_of(
    session: AsyncSession, people: Sequence[UUID], *, because: str, now: datetime
) -> dict[str, int]:
    """Delete what is kept of these people, and withdraw the codes on their phones. Returns how many rows of
    each kind went; where there was none, nothing is recorded."""
    refs = await session.scalars(select(Person.ref).where(Person.id.in_(people)))
    await withdraw(session, Kind.HEALTH, list(refs), now=now)
    gone = {}
    for name, table in _TABLES.items():
        rows = await session.scalars(
            delete(table).where(table.person_id.in_(people)).returning(table.person_id)
        )
        gone[name] = len(rows.all())
    # A child's row names the guardian too.
    named = await session.scalars(
        delete(Guardian).where(Guardian.guardian_id.in_(people)).returning(Guardian.person_id)
    )
    gone["guardians"] += len(named.all())
    if any(gone.values()):
        await audit.record(
            session,
            "health-code.delete",
            object_kind="health_code",
            fields=["colour", "declarations", "appeals", "changes", "appointments", "checks", "guardians"],
            reason=f"{because}: " + ", ".join(f"{count} {name}" for name, count in gone.items()),
        )
    return gone


async def _some_people(session: AsyncSession) -> list[UUID]:
    """Of whom something is kept. Of the first table that is not empty, not of all together: a batch must not
    read everything that is left."""
    for table in _TABLES.values():
        rows = await session.scalars(select(table.person_id).limit(BATCH))
        if people := sorted(set(rows)):
            return people
    return []
