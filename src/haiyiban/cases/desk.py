"""What a clerk does to a case (审批工作台): each verb in one transaction with its event, audit and notice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, outbox
from haiyiban.cases import access, decisions
from haiyiban.cases.models import Case, CaseEvent, Suspension
from haiyiban.cases.notices import UNDO_WINDOW, tell
from haiyiban.cases.states import By, IllegalMove, State, Verb, next_state
from haiyiban.cases.timeline import add_event, events_of, put_back, remember
from haiyiban.cases.verbs import VERBS, Step, VerbInput
from haiyiban.errors import Conflict, Words
from haiyiban.identity.callers import StaffCaller


class TooLateToUndo(Conflict):
    """Only the last verb, by the same clerk, within a minute and before its notice is out."""

    type = "cases/too-late-to-undo"
    title = Words("已超过撤销时限，不能撤销", "It is too late to undo this")


_UNDOABLE = frozenset(
    {
        Verb.ACCEPT,
        Verb.REFUSE,
        Verb.REQUEST_CORRECTION,
        Verb.SUSPEND,
        Verb.RESUME,
        Verb.EXTEND,
        Verb.TRANSFER,
        Verb.TERMINATE,
        Verb.APPROVE,
        Verb.DENY,
    }
)


async def act(
    session: AsyncSession, case_id: UUID, verb: Verb, given: VerbInput, *, caller: StaffCaller, now: datetime
) -> Case:
    """Carry out a verb. Of two clerks at once the second waits, then gets a conflict with the new state.

    Raises CaseMissing, VersionConflict, IllegalMove and what the verb itself refuses.
    """
    case = await access.of_desk_for_change(session, case_id, caller)
    access.require_version(case, given.version)
    if verb is Verb.UNDO:
        return await _undo(session, case, caller=caller, now=now)
    try:
        state = next_state(State(case.state), verb, by=By.CLERK)
    except IllegalMove:
        raise IllegalMove(members={"state": case.state, "version": case.version}) from None
    before = remember(case)
    detail = await VERBS[verb](session, Step(case, given, caller, now))
    if detail.get("awaiting"):
        return case
    case.state = state
    case.version += 1
    case.updated_at = now
    await add_event(
        session,
        case,
        verb,
        by=By.CLERK,
        by_id=caller.staff_id,
        now=now,
        before=before,
        note=given.note or None,
        detail=detail,
    )
    await audit.record(
        session,
        f"cases.{verb}",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        reason=case.matter,
    )
    if verb in _UNDOABLE:
        await tell(session, case, verb, delay=UNDO_WINDOW)
    return case


async def _undo(session: AsyncSession, case: Case, *, caller: StaffCaller, now: datetime) -> Case:
    """Take back the last verb of the same clerk while its notice waits."""
    last = (await events_of(session, case))[-1]
    if last.verb not in _UNDOABLE or last.by_id != caller.staff_id or now - last.at > UNDO_WINDOW:
        raise TooLateToUndo(members={"state": case.state, "version": case.version})
    if not await outbox.recall(session, case.id, since=last.at):
        raise TooLateToUndo(members={"state": case.state, "version": case.version})
    before = remember(case)
    await _undo_suspension(session, case, last)
    if "certificate" in last.detail:
        await decisions.take_back(session, UUID(last.detail["certificate"]), now=now)
    put_back(case, last.before)
    case.version += 1
    case.updated_at = now
    # The event stays in the timeline, renamed, so that what it counts for (one notice) is free again.
    last.verb = f"{last.verb}-undone"
    await add_event(session, case, Verb.UNDO, by=By.CLERK, by_id=caller.staff_id, now=now, before=before)
    await audit.record(
        session,
        "cases.undo",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        reason=last.verb,
    )
    return case


async def _undo_suspension(session: AsyncSession, case: Case, last: CaseEvent) -> None:
    newest = await session.scalar(
        select(Suspension).where(Suspension.case_id == case.id).order_by(Suspension.id.desc()).limit(1)
    )
    if newest is None:
        return
    if last.verb == Verb.SUSPEND:
        await session.delete(newest)
    elif last.verb == Verb.RESUME:
        newest.ended_on = None
