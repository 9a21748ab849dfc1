"""The verbs of the desk, one function each: what it needs, what it refuses, which fields it sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import decisions, materials
from haiyiban.cases.calendar import calendar_from
from haiyiban.cases.clocks import EXTENSION_DAYS_MOST, correction_deadline, due_dates
from haiyiban.cases.drafting import schema_of
from haiyiban.cases.handlers import require_approvable
from haiyiban.cases.models import Case, CaseEvent, Suspension
from haiyiban.cases.moves import standing
from haiyiban.cases.states import Verb
from haiyiban.clock import local_date
from haiyiban.errors import Conflict, FieldError, NotAllowed, Problem, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from haiyiban.matters import catalogue


class InvalidVerb(Problem):
    """The verb lacks something it needs."""

    type = "cases/invalid-verb"
    title = Words("请补全办理意见", "Please complete what this step needs")


class OneNoticeOnly(Conflict):
    """What is missing is told once and completely. Source: 行政许可法 art. 32; docs/domain.md §3.6."""

    type = "cases/one-correction-notice-only"
    title = Words(
        "补正要求须一次性告知，本件已发过补正通知",
        "What is missing is told once and completely; this case has had its correction notice",
    )


class DecidedByPublication(NotAllowed):
    """Cases of this matter are decided by the publication of a draw, not by a clerk."""

    type = "cases/decided-by-publication"
    title = Words(
        "本事项由公开派位结果统一决定，不能单件审批", "Cases of this matter are decided by the published draw"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbInput:
    """What comes with a verb; each verb says below which of it it needs."""

    note: str = ""
    reason: str = ""
    days: int | None = None
    agency: str | None = None
    resume_on: date | None = None
    items: Sequence[tuple[str, str]] = ()
    """Pointer and words of each thing to correct."""


@dataclass(frozen=True, slots=True)
class Step:
    """One verb about to be carried out."""

    case: Case
    given: VerbInput
    caller: StaffCaller
    now: datetime


@dataclass(frozen=True, slots=True)
class Effect:
    """What a verb leaves in the timeline: figures, and the items of a correction notice."""

    detail: dict[str, Any] = field(default_factory=dict)
    items: Sequence[dict[str, str]] = ()


async def _accept(session: AsyncSession, step: Step) -> Effect:
    await start_clock(session, step.case, on=local_date(step.now))
    return Effect({"provisional": step.case.due_provisional})


async def start_clock(session: AsyncSession, case: Case, *, on: date) -> None:
    """The case is accepted; its days run from the next working day."""
    case.accepted_on = on
    await _set_due(session, case)


async def _refuse(_: AsyncSession, step: Step) -> Effect:
    _require_opinion(step.given)
    step.case.outcome = "refused"
    step.case.claim = None
    return Effect()


async def _request_correction(session: AsyncSession, step: Step) -> Effect:
    schema = schema_of(step.case)
    errors = []
    for index, (pointer, message) in enumerate(step.given.items):
        if not schema.knows(pointer) and pointer not in materials.pointers(step.case):
            words = Words("表单中没有这一项", "The form has no such field")
            errors.append(FieldError(f"/items/{index}/pointer", words))
        if not message.strip():
            words = Words("请写明怎样补正", "Say what to do about it")
            errors.append(FieldError(f"/items/{index}/message", words))
    if errors:
        raise InvalidVerb(errors=errors)
    if not step.given.items:
        _require_opinion(step.given)
    earlier = await session.scalar(
        select(func.count())
        .select_from(CaseEvent)
        .where(CaseEvent.case_id == step.case.id, CaseEvent.verb == Verb.REQUEST_CORRECTION.value)
    )
    if earlier:
        raise OneNoticeOnly(members=standing(step.case))
    today = local_date(step.now)
    step.case.correction_due_at = correction_deadline(
        today, calendar=await calendar_from(session, today), division=step.case.division
    )
    return Effect(
        items=[{"pointer": pointer, "message": message.strip()} for pointer, message in step.given.items]
    )


async def _suspend(session: AsyncSession, step: Step) -> Effect:
    if not (step.given.reason.strip() or step.given.note.strip()):
        raise InvalidVerb(
            errors=[FieldError("/reason", Words("请写明中止的原因", "Say why the clock stops"))]
        )
    today = local_date(step.now)
    if step.given.resume_on is not None and step.given.resume_on < today:
        raise InvalidVerb(
            errors=[FieldError("/resumeOn", Words("恢复日期不能早于今天", "It cannot resume before today"))]
        )
    step.case.resume_on = step.given.resume_on
    session.add(Suspension(id=new_id(), case_id=step.case.id, began_on=today))
    return Effect({"resumeOn": step.given.resume_on.isoformat()} if step.given.resume_on else {})


async def _resume(session: AsyncSession, step: Step) -> Effect:
    await end_suspension(session, step.case, on=local_date(step.now))
    return Effect()


async def end_suspension(session: AsyncSession, case: Case, *, on: date) -> None:
    """Let the clock run again after a day; the due dates move by the days it stood."""
    open_one = await session.scalar(
        select(Suspension).where(Suspension.case_id == case.id, Suspension.ended_on.is_(None))
    )
    assert open_one is not None, "a suspended case has its suspension"
    open_one.ended_on = on
    await session.flush()
    case.resume_on = None
    await _set_due(session, case)


async def _extend(session: AsyncSession, step: Step) -> Effect | None:
    if step.given.days is None or not 1 <= step.given.days <= EXTENSION_DAYS_MOST:
        raise InvalidVerb(
            errors=[FieldError("/days", Words("延期须为 1 到 10 个工作日", "Extend by 1 to 10 working days"))]
        )
    if step.case.extended_days:
        raise InvalidVerb(errors=[FieldError("/days", Words("每件只能延期一次", "A case is extended once"))])
    handled_by = step.case.extension_asked_by or await _accepted_by(session, step.case)
    if step.caller.staff_id == handled_by:
        # The clerk who handles the case asks; somebody else of the same desk confirms by the same verb.
        step.case.extension_asked_by = step.caller.staff_id
        return None
    step.case.extended_days = step.given.days
    step.case.extension_asked_by = None
    await _set_due(session, step.case)
    return Effect({"days": step.given.days})


async def _transfer(_: AsyncSession, step: Step) -> Effect:
    if not step.given.agency or step.given.agency == step.case.agency:
        raise InvalidVerb(
            errors=[FieldError("/agency", Words("请选择要转交的部门", "Say which agency takes it"))]
        )
    if step.given.agency not in catalogue().agencies:
        raise InvalidVerb(errors=[FieldError("/agency", Words("没有这个部门", "There is no such agency"))])
    step.case.agency = step.given.agency
    # The clock begins anew when the other agency accepts.
    step.case.accepted_on = step.case.promised_due_on = step.case.statutory_due_on = None
    step.case.extended_days = 0
    step.case.extension_asked_by = None
    return Effect({"agency": step.given.agency})


async def _terminate(_: AsyncSession, step: Step) -> Effect:
    _require_opinion(step.given)
    step.case.outcome = "terminated"
    step.case.claim = None
    return Effect()


async def _approve(session: AsyncSession, step: Step) -> Effect:
    _require_clerk_decides(step.case)
    await require_approvable(session, step.case)
    step.case.outcome = "approved"
    certificate = await decisions.carry_out(session, step.case, now=step.now)
    return Effect({"certificate": str(certificate)} if certificate else {})


async def _deny(session: AsyncSession, step: Step) -> Effect:
    _require_clerk_decides(step.case)
    _require_opinion(step.given)
    step.case.outcome = "denied"
    step.case.claim = None
    await decisions.carry_out(session, step.case, now=step.now)
    return Effect()


async def _close(_: AsyncSession, __: Step) -> Effect:
    return Effect()


async def _set_due(session: AsyncSession, case: Case) -> None:
    assert case.accepted_on is not None
    ended = await session.execute(
        select(Suspension.began_on, Suspension.ended_on).where(
            Suspension.case_id == case.id, Suspension.ended_on.is_not(None)
        )
    )
    due = due_dates(
        catalogue().version(case.matter, case.matter_version).item,
        case.accepted_on,
        calendar=await calendar_from(session, case.accepted_on),
        division=case.division,
        suspensions=[(row.began_on, row.ended_on) for row in ended],
        extended_days=case.extended_days,
    )
    case.promised_due_on, case.statutory_due_on, case.due_provisional = due


async def _accepted_by(session: AsyncSession, case: Case) -> UUID | None:
    return await session.scalar(
        select(CaseEvent.by_id)
        .where(CaseEvent.case_id == case.id, CaseEvent.verb == Verb.ACCEPT.value)
        .order_by(CaseEvent.id.desc())
        .limit(1)
    )


def _require_opinion(given: VerbInput) -> None:
    if not given.note.strip():
        raise InvalidVerb(
            errors=[
                FieldError(
                    "/note", Words("请写明理由，申请人会看到", "Give the reason; the applicant will read it")
                )
            ]
        )


def _require_clerk_decides(case: Case) -> None:
    if catalogue().version(case.matter, case.matter_version).decided_by == "publication":
        raise DecidedByPublication


VERBS = {
    Verb.ACCEPT: _accept,
    Verb.REFUSE: _refuse,
    Verb.REQUEST_CORRECTION: _request_correction,
    Verb.SUSPEND: _suspend,
    Verb.RESUME: _resume,
    Verb.EXTEND: _extend,
    Verb.TRANSFER: _transfer,
    Verb.TERMINATE: _terminate,
    Verb.APPROVE: _approve,
    Verb.DENY: _deny,
    Verb.CLOSE: _close,
}
"""What each verb does beyond moving the case along the table; None where a second person must confirm."""
