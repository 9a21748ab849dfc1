"""Moving a case along the table: its state, version, timeline and audit change together, whoever acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.audit import Act
from haiyiban.cases.models import Case
from haiyiban.cases.states import By, IllegalMove, State, Verb, next_state
from haiyiban.cases.timeline import add_event, event_of, remember


class Begun(NamedTuple):
    """A move that the table allows, with the case as it was before."""

    verb: Verb
    by: By
    to: State
    before: dict[str, Any]


def begin(case: Case, verb: Verb, *, by: By) -> Begun:
    """Ask the table before anything of the case is changed. Raises IllegalMove with where the case stands."""
    to = next_state(State(case.state), verb, by=by)
    if to is None:
        raise IllegalMove(members=standing(case))
    return Begun(verb, by, to, remember(case))


async def finish(
    session: AsyncSession,
    case: Case,
    begun: Begun,
    *,
    by_id: UUID | None,
    now: datetime,
    note: str | None = None,
    items: Sequence[Mapping[str, str]] = (),
    detail: dict[str, Any] | None = None,
) -> None:
    """Carry out what was begun. `by_id` is None where the system acts."""
    take(case, begun, now=now)
    event = event_of(
        case,
        begun.verb,
        by=begun.by,
        by_id=by_id,
        now=now,
        before=begun.before,
        note=note,
        items=items,
        detail=detail,
    )
    await add_event(session, event)
    await record(session, case, begun.verb)


def take(case: Case, begun: Begun, *, now: datetime) -> None:
    """The case itself, moved: its step and its record are for the caller to write."""
    case.state = begun.to
    case.version += 1
    case.updated_at = now


async def record(session: AsyncSession, case: Case, verb: Verb, *, outcome: str = "done") -> None:
    """The audit record of a verb."""
    await audit.record_all(session, [act(case, verb, outcome=outcome)])


def act(case: Case, verb: Verb, *, outcome: str = "done") -> Act:
    """A verb as the audit has it."""
    return Act(
        f"cases.{verb}",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        reason=case.matter,
        outcome=outcome,
    )


def standing(case: Case) -> dict[str, Any]:
    """How a case stands now: the members of every conflict."""
    return {"state": case.state, "version": case.version}
