"""Looking again at those whose phones hold a code: what a register learned meanwhile withdraws it.

Source: schemas/codes/README.md §3 (a capsule whose colour changed is on the deny-list at once).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from haiyiban import clock
from haiyiban.codes.claims import Kind
from haiyiban.codes.models import Capsule
from haiyiban.db import database
from haiyiban.identity.models import Person
from haiyiban.zone import Task
from services.health_code.models import Status
from services.health_code.service import refresh

AGAIN_AFTER = timedelta(minutes=10)
BATCH = 100
"""In one run; those asked longest ago first, so that nobody is passed over."""


async def recheck(_: bytes) -> None:
    """Decide anew for those with a living capsule whose registers were asked ten minutes ago or longer."""
    now = clock.now()
    async with database().reading() as session:
        holders = list(
            await session.scalars(
                select(Status.person_id)
                .join(Person, Person.id == Status.person_id)
                .where(
                    Status.asked_at < now - AGAIN_AFTER,
                    select(Capsule.id)
                    .where(
                        Capsule.kind == Kind.HEALTH,
                        Capsule.ref == Person.ref,
                        Capsule.expires_at > now,
                        Capsule.withdrawn_at.is_(None),
                    )
                    .exists(),
                )
                .order_by(Status.asked_at)
                .limit(BATCH)
            )
        )
    for person_id in holders:
        await refresh(person_id, now=clock.now())


RECHECK = Task(name="health-code.recheck", run=recheck, schedule="* * * * *")
