"""Writing the audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Table, Uuid, bindparam, column, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.context import current
from haiyiban.ids import new_id


async def enrol(session: AsyncSession, person_id: UUID) -> None:
    """Give a person a pseudonym. Whoever comes back finds their own again while it is there."""
    await session.execute(
        upsert(AuditSubject)
        .values(person_id=person_id, pseudonym=uuid4())
        .on_conflict_do_update(
            index_elements=["person_id"],
            set_={"retired_at": None},
            where=AuditSubject.retired_at.is_not(None),
        )
    )


async def retire(session: AsyncSession, person_id: UUID, *, now: datetime) -> None:
    """The person has closed their account: the time of their pseudonym runs (terms.py)."""
    await session.execute(
        update(AuditSubject).where(AuditSubject.person_id == person_id).values(retired_at=now)
    )


class Act(NamedTuple):
    """An act on its way into the audit. `subject` is the person's id; the pseudonym is stored."""

    action: str
    subject: UUID | None = None
    object_kind: str | None = None
    object_id: UUID | None = None
    fields: Sequence[str] = ()
    reason: str | None = None
    outcome: str = "done"


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
    await record_all(
        session,
        [
            Act(
                action,
                subject=subject,
                object_kind=object_kind,
                object_id=object_id,
                fields=fields,
                reason=reason,
                outcome=outcome,
            )
        ],
    )


async def record_all(session: AsyncSession, acts: Iterable[Act]) -> None:
    """Record the acts of one request or task in the caller's transaction, all in one round trip."""
    context = current()
    rows = [
        {
            "id": new_id(),
            "at": clock.now(),
            "action": act.action,
            "outcome": act.outcome,
            "actor_kind": context.actor_kind,
            "actor_id": context.actor_id,
            "actor_unit": context.actor_unit,
            "delegation_id": context.delegation_id,
            "person_id": act.subject,
            "object_kind": act.object_kind,
            "object_id": act.object_id,
            "fields": list(act.fields),
            "reason": act.reason,
            "request_id": context.request_id,
            "address": context.address,
        }
        for act in acts
    ]
    if rows:
        await session.execute(_RECORD, rows)


async def record_each(
    session: AsyncSession,
    action: str,
    people: Sequence[UUID],
    *,
    object_kind: str,
    fields: Sequence[str] = (),
    reason: str | None = None,
) -> None:
    """The same act on each of many people: a record for each of them, all in one statement. The object is
    the person."""
    if not people:
        return
    context = current()
    await session.execute(
        _EACH,
        {
            "ids": [new_id() for _ in people],
            "people": list(people),
            "at": clock.now(),
            "action": action,
            "outcome": "done",
            "actor_kind": context.actor_kind,
            "actor_id": context.actor_id,
            "actor_unit": context.actor_unit,
            "delegation_id": context.delegation_id,
            "object_kind": object_kind,
            "fields": list(fields),
            "reason": reason,
            "request_id": context.request_id,
            "address": context.address,
        },
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


_RECORDS = cast("Table", AuditRecord.__table__)
_RECORD = insert(_RECORDS).values(
    {name: bindparam(name) for name in _RECORDS.columns.keys() if name not in ("subject", "xid")}  # noqa: SIM118
    | {
        "subject": select(AuditSubject.pseudonym)
        .where(AuditSubject.person_id == bindparam("person_id", type_=Uuid()))
        .scalar_subquery()
    }
)

_PEOPLE = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid())), bindparam("people", type_=ARRAY(Uuid())))
    .table_valued(column("id", Uuid()), column("person_id", Uuid()))
    .render_derived(name="act")
)
_SAME = (
    *("at", "action", "outcome", "actor_kind", "actor_id", "actor_unit", "delegation_id"),
    *("object_kind", "fields", "reason", "request_id", "address"),
)
_EACH = insert(_RECORDS).from_select(
    ["id", "subject", "object_id", *_SAME],
    select(
        _PEOPLE.c.id,
        AuditSubject.pseudonym,
        _PEOPLE.c.person_id,
        *(bindparam(name, type_=_RECORDS.columns[name].type).label(name) for name in _SAME),
    ).select_from(_PEOPLE.outerjoin(AuditSubject, AuditSubject.person_id == _PEOPLE.c.person_id)),
)
