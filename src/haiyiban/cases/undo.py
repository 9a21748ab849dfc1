"""Taking the last verb back: by the clerk who did it, within a minute, before anybody was told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox
from haiyiban.cases import access, decisions, moves
from haiyiban.cases.access import Seen
from haiyiban.cases.models import Case, CaseEvent, Suspension
from haiyiban.cases.notices import UNDO_WINDOW
from haiyiban.cases.states import By, Verb
from haiyiban.cases.timeline import add_event, event_of, events_of, put_back, remember
from haiyiban.errors import Conflict, Words
from haiyiban.identity.callers import StaffCaller


class TooLateToUndo(Conflict):
    """Only the last verb, by the same clerk, within a minute, before its notice is out and before anybody
    else has touched the case."""

    type = "cases/too-late-to-undo"
    title = Words("已超过撤销时限，不能撤销", "It is too late to undo this")


async def undo(
    session: AsyncSession, case_id: UUID, *, seen: Seen, caller: StaffCaller, now: datetime
) -> Case:
    """Put the case back and recall the notice. Raises CaseMissing, Stale, VersionConflict, TooLateToUndo."""
    case = await access.of_desk_for_undo(session, case_id, caller, seen=seen, now=now)
    last = (await events_of(session, case))[-1]
    if not _may_undo(case, last, caller, now) or not await outbox.recall(session, case.id, since=last.at):
        raise TooLateToUndo(members=moves.standing(case))
    before = remember(case)
    await _undo_suspension(session, case, last)
    if last.verb in {Verb.APPROVE, Verb.DENY}:
        issued = last.detail.get("certificate")
        await decisions.take_back(session, case, UUID(issued) if issued else None, now=now)
    put_back(case, last.before)
    case.version += 1
    case.updated_at = now
    # The event stays in the timeline under another name, so that it no longer counts as the one notice.
    last.verb = f"{last.verb}-undone"
    await _put_back_place(session, case)
    undone = event_of(case, Verb.UNDO, by=By.CLERK, by_id=caller.staff_id, now=now, before=before)
    await add_event(session, undone)
    await moves.record(session, case, Verb.UNDO)
    return case


def _may_undo(case: Case, last: CaseEvent, caller: StaffCaller, now: datetime) -> bool:
    untouched = case.version == last.before.get("version", 0) + 1
    return (
        last.by_kind == By.CLERK
        and last.by_id == caller.staff_id
        and last.verb != Verb.UNDO
        and now - last.at <= UNDO_WINDOW
        and untouched
    )


async def _put_back_place(session: AsyncSession, case: Case) -> None:
    """Between a refusal and its undo the family may have applied anew: then the new application stands."""
    standing = moves.standing(case)
    try:
        await session.flush()
    except IntegrityError as error:
        raise TooLateToUndo(members=standing) from error


async def _undo_suspension(session: AsyncSession, case: Case, last: CaseEvent) -> None:
    if last.verb not in {Verb.SUSPEND, Verb.RESUME}:
        return
    newest = await session.scalar(
        select(Suspension).where(Suspension.case_id == case.id).order_by(Suspension.id.desc()).limit(1)
    )
    assert newest is not None, "a suspension was begun before it is undone or ended"
    if last.verb == Verb.SUSPEND:
        await session.delete(newest)
    else:
        newest.ended_on = None
