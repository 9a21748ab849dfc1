"""Leave to hand in after the close (逾期补报), given by an officer for a good reason and recorded.

A family that moved here late or whose papers came late is still owed a place: schooling is compulsory
(义务教育法 art. 5, 12). What it missed is the draw. Where the roll is not fixed yet the case goes on it like
any other; after that, the child stands behind all of its own class on the waiting lists, and is placed by
统筹 into the seats that nobody waits for. Source: docs/domain.md §6.1 (统筹 before 08-14), §6.2.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.identity.callers import StaffCaller
from services.school_places.afterwards_models import LateApplication
from services.school_places.models import Enrolment
from services.school_places.service import enrolments, runs
from services.school_places.service.afterwards.telling import tell
from services.school_places.service.runs import EnrolmentStillOpen

MATTER = "education.school-place"


class DraftMissing(NotFound):
    """No such draft of an application for a school place."""

    type = "school-places/draft-not-found"
    title = Words(
        "没有找到这份待提交的学位申请，请家长先填写草稿并提供办件编号",
        "There is no such draft; the family fills one in first and gives its id",
    )


class LeaveGiven(Conflict):
    """The family has leave already."""

    type = "school-places/leave-given"
    title = Words("这份申请已获准逾期提交", "This application has leave to be handed in late already")


class LateReasonNeeded(Problem):
    """Leave is given for a reason, which is kept."""

    type = "school-places/late-reason-needed"
    title = Words("请写明准予逾期提交的理由", "Please give the reason why it may be handed in late")


async def give(
    session: AsyncSession,
    enrolment_id: UUID,
    *,
    case_id: UUID,
    reason: str,
    caller: StaffCaller,
    now: datetime,
) -> LateApplication:
    """Let a family hand its draft in after the close. The officer reads nothing of the draft.

    Raises EnrolmentMissing, NotAllowed, EnrolmentStillOpen, LateReasonNeeded, DraftMissing, LeaveGiven.
    """
    enrolment = await enrolments.lock(session, enrolment_id)
    runs.require_officer_of(enrolment, caller)
    is_on_time = now <= enrolment.closes_at and await enrolments.live_run(session, enrolment_id) is None
    if is_on_time:
        raise EnrolmentStillOpen(members={"closesAt": enrolment.closes_at.isoformat()})
    if not 0 < len(reason.strip()) <= 1000:
        raise LateReasonNeeded(errors=[FieldError("/reason", LateReasonNeeded.title)])
    case = await session.scalar(
        select(Case).where(Case.id == case_id, Case.matter == MATTER, Case.state == State.DRAFT.value)
    )
    if case is None:
        raise DraftMissing
    if await session.get(LateApplication, case_id) is not None:
        raise LeaveGiven
    late = LateApplication(
        case_id=case_id, enrolment_id=enrolment_id, permitted_at=now, permitted_by=caller.staff_id
    )
    late.reason = reason.strip()
    session.add(late)
    await session.flush()
    await audit.record(
        session,
        "school-places.permit-late",
        subject=case.subject_id,
        object_kind="case",
        object_id=case_id,
        reason=MATTER,
    )
    await tell(session, "late-permitted", case_id=case_id, enrolment=enrolment)
    return late


async def enrolment_for(session: AsyncSession, case_id: UUID) -> Enrolment | None:
    """The enrolment to which this case may be handed in late; None without leave."""
    found: Enrolment | None = await session.scalar(
        select(Enrolment)
        .join(LateApplication, LateApplication.enrolment_id == Enrolment.id)
        .where(LateApplication.case_id == case_id)
    )
    return found
