"""What a clerk does to a case (审批工作台): each verb in one transaction with its event, audit and notice."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import access, moves
from haiyiban.cases.access import Seen
from haiyiban.cases.models import Case
from haiyiban.cases.notices import UNDO_WINDOW, tell
from haiyiban.cases.states import By, Verb
from haiyiban.cases.verbs import VERBS, Step, VerbInput
from haiyiban.identity.callers import StaffCaller

AWAITING = "awaiting-second-person"


class Acted(NamedTuple):
    """The case after a verb; `awaits` where a second person must confirm before anything moves."""

    case: Case
    awaits: bool = False


async def act(
    session: AsyncSession,
    case_id: UUID,
    verb: Verb,
    given: VerbInput,
    *,
    seen: Seen,
    caller: StaffCaller,
    now: datetime,
) -> Acted:
    """Carry out a verb. Of two clerks at once the second waits, then gets a conflict with the new state.

    Raises CaseMissing, Stale, VersionConflict, IllegalMove and what the verb itself refuses.
    """
    case = await access.of_desk_for_change(session, case_id, caller, seen=seen)
    begun = moves.begin(case, verb, by=By.CLERK)
    effect = await VERBS[verb](session, Step(case, given, caller, now))
    if effect is None:
        await moves.record(session, case, verb, outcome=AWAITING)
        return Acted(case, awaits=True)
    await moves.finish(
        session,
        case,
        begun,
        by_id=caller.staff_id,
        now=now,
        note=given.note.strip() or given.reason.strip() or None,
        items=effect.items,
        detail=effect.detail,
    )
    await tell(session, case, verb, delay=UNDO_WINDOW)
    return Acted(case)
