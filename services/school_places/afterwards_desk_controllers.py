"""After the results, as the bureau handles them: waiting lists, late applications, a second round."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import Malformed, NotAllowed
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.school_places.models import Enrolment
from services.school_places.placement_views import named
from services.school_places.service import enrolments
from services.school_places.service.afterwards import desk, late_leave, rounds
from services.school_places.service.afterwards.late_leave import DraftMissing, LateReasonNeeded, LeaveGiven
from services.school_places.service.afterwards.places import NotPublished
from services.school_places.service.afterwards.rounds import (
    InvalidRound,
    NoSeatLeft,
    NotSettled,
    SecondRoundExists,
)
from services.school_places.service.enrolments import EnrolmentMissing
from services.school_places.service.runs import EnrolmentStillOpen

ON_LISTS = ("waiting",)
OFFERS = ("offered", "accepted", "declined", "expired")


class ListedRead(Output, kw_only=True, omit_defaults=False):
    """A child on a waiting list, by its case; names stand in the case."""

    id: UUID
    school_id: UUID
    school: str
    position: int
    """Order of the list; twins share one."""
    choice: int
    state: str
    case_id: UUID
    case_number: str | None
    offered_at: datetime | None
    answer_by: datetime | None


class LateCreate(Input):
    """Leave for a draft to be handed in late."""

    case_id: UUID
    reason: str


class LateRead(Output):
    """The leave that was given."""

    case_id: UUID
    enrolment_id: UUID
    permitted_at: datetime


class SecondRoundCreate(Input):
    """The window of a second round, and the public event of its draw."""

    opens_at: datetime
    closes_at: datetime
    draw_after: datetime
    beacon_source: str


class SecondRoundRead(Output):
    """The enrolment that follows."""

    enrolment_id: UUID
    code: str
    commitment: str


class Corrections(Output, kw_only=True, omit_defaults=False):
    """How often a published result was changed since; no person, no school."""

    appeals_open: int
    appeals_upheld: int
    appeals_dismissed: int
    moved_by_appeal: int
    over_capacity: int
    """Of those moved by appeal, how many are one more than their school had seats."""
    places_refused: int
    offers_open: int
    offers_accepted: int
    offers_declined: int
    offers_expired: int
    late: int
    """Children who applied late, after the draw."""


class AfterwardsController(Controller):
    """What the bureau does with an enrolment whose results are out."""

    path = "/zones/school-places/enrolments/{enrolment_id:uuid}"
    tags = ["school-places"]

    @get("/corrections", summary="Changes since the results", responses=problems(EnrolmentMissing))
    async def corrections(
        self, session: NamedDependency[AsyncSession], enrolment_id: FromPath[UUID]
    ) -> Corrections:
        """The public file of the draw never changes; what was changed after it is counted here."""
        enrolment = await enrolments.find(session, enrolment_id)
        return Corrections(**await desk.counts(session, enrolment))

    @get(
        "/waiting-lists",
        summary="Waiting lists",
        guards=[staff("clerk", "officer")],
        responses=problems(Malformed, NotAllowed, EnrolmentMissing),
    )
    async def waiting_lists(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        school: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[ListedRead]:
        """Who waits at which school. Each look is recorded."""
        enrolment = await desk.of_staff(session, enrolment_id, request.user)
        return await _listed(session, enrolment, ON_LISTS, school, after_cursor(cursor), page_limit(limit))

    @get(
        "/offers",
        summary="Offered seats",
        guards=[staff("clerk", "officer")],
        responses=problems(Malformed, NotAllowed, EnrolmentMissing),
    )
    async def offers(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        school: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[ListedRead]:
        """Seats that were offered from the lists, and what came of it. Each look is recorded."""
        enrolment = await desk.of_staff(session, enrolment_id, request.user)
        return await _listed(session, enrolment, OFFERS, school, after_cursor(cursor), page_limit(limit))

    @post(
        "/late-applications",
        status_code=201,
        summary="Permit a late application",
        guards=[staff("officer")],
        responses=problems(
            NotAllowed, EnrolmentMissing, EnrolmentStillOpen, DraftMissing, LeaveGiven, LateReasonNeeded
        ),
    )
    async def permit_late(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        data: JSONBody[LateCreate],
    ) -> LateRead:
        """For a good reason the family may hand its draft in after the close. It then stands behind its class
        on the lists, and is placed where nobody waits."""
        late = await late_leave.give(
            session,
            enrolment_id,
            case_id=data.case_id,
            reason=data.reason,
            caller=request.user,
            now=clock.now(),
        )
        return LateRead(case_id=late.case_id, enrolment_id=late.enrolment_id, permitted_at=late.permitted_at)

    @post(
        "/second-round",
        status_code=201,
        summary="Open a second round",
        guards=[staff("officer")],
        responses=problems(
            NotAllowed,
            EnrolmentMissing,
            NotPublished,
            SecondRoundExists,
            NotSettled,
            NoSeatLeft,
            InvalidRound,
        ),
    )
    async def second_round(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        data: JSONBody[SecondRoundCreate],
    ) -> SecondRoundRead:
        """An enrolment of its own over the seats that are left, with its own commitment, roll and draw."""
        follower = await rounds.open_second(
            session,
            enrolment_id,
            opens_at=data.opens_at,
            closes_at=data.closes_at,
            draw_after=data.draw_after,
            beacon_source=data.beacon_source,
            caller=request.user,
            now=clock.now(),
        )
        return SecondRoundRead(enrolment_id=follower.id, code=follower.code, commitment=follower.commitment)


async def _listed(
    session: AsyncSession,
    enrolment: Enrolment,
    states: tuple[str, ...],
    school: UUID | None,
    after: UUID | None,
    size: int,
) -> Page[ListedRead]:
    rows = await desk.waiting(session, enrolment, states=states, school=school, after=after, limit=size + 1)
    for row in rows[:size]:
        await desk.record_look(session, row.entry, field="waiting-list")
    items = [
        ListedRead(
            id=row.waiting.id,
            school_id=row.school.id,
            school=named(row.school),
            position=row.waiting.position,
            choice=row.waiting.choice + 1,
            state=row.waiting.state,
            case_id=row.case.id,
            case_number=row.case.number,
            offered_at=row.waiting.offered_at,
            answer_by=row.waiting.answer_by,
        )
        for row in rows[:size]
    ]
    return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)
