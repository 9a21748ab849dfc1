"""Writing the audit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.context import current
from haiyiban.ids import new_id


async def enrol(session: AsyncSession, person_id: UUID) -> None:
    """Give a new person a pseudonym; a second call changes nothing."""
    await session.execute(
        upsert(AuditSubject).values(person_id=person_id, pseudonym=uuid4()).on_conflict_do_nothing()
    )


async def record(
    session: AsyncSession,
    action: str,
    *,
    subject: UUID | None = None,
    object_kind: str | None = None,
    object_id: UUID | None = None,
    fields: Sequence[str] = (),
    reason: str | None = None,
    outcome: str = "done",
) -> None:
    """Record one act in the caller's transaction. `subject` is the person's id; the pseudonym is stored."""
    context = current()
    pseudonym = (
        select(AuditSubject.pseudonym).where(AuditSubject.person_id == subject).scalar_subquery()
        if subject
        else None
    )
    await session.execute(
        insert(AuditRecord).values(
            id=new_id(),
            at=clock.now(),
            action=action,
            outcome=outcome,
            actor_kind=context.actor_kind,
            actor_id=context.actor_id,
            actor_unit=context.actor_unit,
            delegation_id=context.delegation_id,
            subject=pseudonym,
            object_kind=object_kind,
            object_id=object_id,
            fields=list(fields),
            reason=reason,
            request_id=context.request_id,
            address=context.address,
        )
    )


async def refused(
    session: AsyncSession,
    action: str,
    *,
    outcome: str,
    object_kind: str | None = None,
    object_id: UUID | None = None,
) -> None:
    """Record a refused request: `action` is its method and route, `outcome` the problem's slug.

    The object is what its address names, such as a case that is another's: who tries doors can be found.
    """
    await record(session, action, outcome=outcome, object_kind=object_kind, object_id=object_id)
