"""Taking an application back, at any time before the decision."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import access
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.states import By, IllegalMove, State, Verb, next_state
from haiyiban.cases.timeline import add_event, remember


async def withdraw(session: AsyncSession, case_id: UUID, *, person_id: UUID, now: datetime) -> Case:
    """End the application; the child's place in the queue is free again. Raises CaseMissing, IllegalMove."""
    case = await access.own_for_change(session, case_id, person_id)
    try:
        state = next_state(State(case.state), Verb.WITHDRAWAL, by=By.APPLICANT)
    except IllegalMove:
        raise IllegalMove(members={"state": case.state, "version": case.version}) from None
    before = remember(case)
    was_handed_in = case.number is not None
    case.state = state
    case.outcome = "withdrawn"
    case.claim = None
    case.version += 1
    case.updated_at = now
    await add_event(session, case, Verb.WITHDRAWAL, by=By.APPLICANT, by_id=person_id, now=now, before=before)
    await audit.record(
        session, "cases.withdrawal", subject=case.subject_id, object_kind="case", object_id=case.id
    )
    if was_handed_in:
        await tell(session, case, Verb.WITHDRAWAL)
    return case
