"""Appeals over HTTP, as the bureau reads and decides them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.certificates import NotInForce
from haiyiban.errors import Malformed, NotAllowed
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.school_places.service.afterwards import appeals, desk
from services.school_places.service.afterwards.appeals import (
    AppealDecided,
    AppealMissing,
    InvalidAppeal,
    TookTheCaseIn,
)
from services.school_places.service.afterwards.corrected import CorrectedFacts
from services.school_places.service.enrolments import EnrolmentMissing


class FiledRead(Output, kw_only=True, omit_defaults=False):
    """An appeal as the bureau reads it."""

    id: UUID
    placement_id: UUID
    case_id: UUID
    case_number: str | None
    state: str
    filed_at: datetime
    reason: str
    evidence: str | None
    decided_at: datetime | None
    decision: str | None
    moved_to: UUID | None
    """The better school where the child is now by this appeal."""
    over_capacity: bool


class DecisionCreate(Input):
    """What becomes of an appeal; the family reads the reason."""

    decision: Literal["upheld", "dismissed"]
    reason: str
    corrected_facts: CorrectedFacts | None = None
    """With upheld: the facts that were wrong, as they are."""


class DecisionRead(Output, kw_only=True, omit_defaults=False):
    """The appeal as decided."""

    id: UUID
    state: str
    moved_to: UUID | None
    over_capacity: bool


class AppealsController(Controller):
    """The appeals (申诉) of an enrolment."""

    path = "/zones/school-places/enrolments/{enrolment_id:uuid}/appeals"
    tags = ["school-places"]

    @get(
        summary="Appeals",
        guards=[staff("clerk", "officer")],
        responses=problems(Malformed, NotAllowed, EnrolmentMissing),
    )
    async def filed(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[FiledRead]:
        """Oldest first. Each look is recorded."""
        size = page_limit(limit)
        enrolment = await desk.of_staff(session, enrolment_id, request.user)
        rows = await desk.appeals(session, enrolment, after=after_cursor(cursor), limit=size + 1)
        for row in rows[:size]:
            await desk.record_look(session, row.entry, field="appeal")
        return Page(
            items=[_filed(row) for row in rows[:size]],
            next=cursor_of(rows[size - 1].appeal.id) if len(rows) > size else None,
        )

    @post(
        "/{appeal_id:uuid}/decision",
        status_code=200,
        summary="Decide an appeal",
        guards=[staff("officer")],
        responses=problems(
            NotAllowed,
            TookTheCaseIn,
            EnrolmentMissing,
            AppealMissing,
            AppealDecided,
            InvalidAppeal,
            NotInForce,
        ),
    )
    async def decide(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        appeal_id: FromPath[UUID],
        data: JSONBody[DecisionCreate],
    ) -> DecisionRead:
        """Upheld: this child alone is judged anew with the corrected facts, and gets a seat at a better
        school that would have admitted it, over capacity if need be; nobody else loses anything."""
        now = clock.now()
        if data.decision == "upheld":
            appeal = await appeals.uphold(
                session,
                enrolment_id,
                appeal_id,
                reason=data.reason,
                facts=data.corrected_facts or CorrectedFacts(),
                caller=request.user,
                now=now,
            )
        else:
            appeal = await appeals.dismiss(
                session, enrolment_id, appeal_id, reason=data.reason, caller=request.user, now=now
            )
        return DecisionRead(
            id=appeal.id, state=appeal.state, moved_to=appeal.moved_to, over_capacity=appeal.over_capacity
        )


def _filed(row: desk.Filed) -> FiledRead:
    appeal = row.appeal
    return FiledRead(
        id=appeal.id,
        placement_id=row.entry.id,
        case_id=row.case.id,
        case_number=row.case.number,
        state=appeal.state,
        filed_at=appeal.filed_at,
        reason=appeal.reason,
        evidence=appeal.evidence,
        decided_at=appeal.decided_at,
        decision=appeal.decision,
        moved_to=appeal.moved_to,
        over_capacity=appeal.over_capacity,
    )
