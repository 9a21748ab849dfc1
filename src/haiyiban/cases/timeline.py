"""The timeline of a case: what happened, by whom, when, and how it was before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.models import Case, CaseEvent
from haiyiban.ids import new_id

_PUT_BACK = (
    "state",
    "agency",
    "division",
    "accepted_on",
    "promised_due_on",
    "statutory_due_on",
    "due_provisional",
    "extended_days",
    "extension_asked_by",
    "resume_on",
    "correction_due_at",
    "outcome",
    "claim",
)


def remember(case: Case) -> dict[str, Any]:
    """The fields that a verb may change, so that an undo can put them back, and the version."""
    return {"version": case.version} | {name: _plain(getattr(case, name)) for name in _PUT_BACK}


def put_back(case: Case, before: dict[str, Any]) -> None:
    """Undo: the case as it was."""
    for name in _PUT_BACK:
        setattr(case, name, _typed(name, before[name]))


async def add_event(session: AsyncSession, event: CaseEvent) -> CaseEvent:
    """Write one step."""
    session.add(event)
    await session.flush()
    return event


def event_of(
    case: Case,
    verb: str,
    *,
    by: str,
    by_id: UUID | None,
    now: datetime,
    before: dict[str, Any],
    note: str | None = None,
    items: Sequence[Mapping[str, str]] = (),
    detail: dict[str, Any] | None = None,
) -> CaseEvent:
    """One step, to be written."""
    return CaseEvent(
        id=new_id(),
        case_id=case.id,
        at=now,
        verb=verb,
        by_kind=by,
        by_id=by_id,
        note=note,
        items=list(items) or None,
        detail=detail or {},
        before=before,
    )


async def events_of(session: AsyncSession, case: Case) -> list[CaseEvent]:
    """The steps of a case, oldest first."""
    rows = await session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id))
    return list(rows)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    if name.endswith("_on"):
        return date.fromisoformat(value)
    return UUID(value) if name.endswith("_by") else value
