"""Allocation runs over HTTP, as enrolment officers carry them out."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import NotAllowed
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Input, Nothing, Output, problems
from services.school_places.draw import NotTheSecret
from services.school_places.service import publication, runs
from services.school_places.service.enrolments import EnrolmentMissing
from services.school_places.service.runs import (
    CasesPending,
    DrawTooEarly,
    EnrolmentStillOpen,
    InvalidBeacon,
    NothingToAllocate,
    ReasonNeeded,
    RunExists,
    RunMissing,
    WrongRunState,
)
from services.school_places.service.settling import RollChanged

AWAITING = "awaiting-second-person"
_AWAITING = "Waits for the second person"
_GOES_ON = "Waits for the second person, or goes on in the background"


class DrawCreate(Input):
    """What the public event brought."""

    beacon: str


class AnnulmentCreate(Input):
    """Why a run is annulled; published."""

    reason: str = ""


class Committed(Output):
    """The roll is fixed."""

    run_id: UUID
    state: str
    roll_hash: str


class Drawn(Output):
    """The lots are drawn."""

    run_id: UUID
    state: str
    seed: str


class PublicationRead(Output, kw_only=True, omit_defaults=False):
    """The results are public, or wait for the second person."""

    run_id: UUID
    state: str
    placed: int = 0
    """Children whom a school of their list took."""
    coordinated: int = 0
    """Children placed by 统筹."""
    without_seat: int = 0
    withdrawn: int = 0
    remaining: int | msgspec.UnsetType = msgspec.UNSET
    """Children still to be decided, while a large enrolment is `publishing`."""


class AnnulmentRead(Output):
    """The run is annulled, or waits for the second person."""

    run_id: UUID
    state: str


class AllocationRunsController(Controller):
    """Draws of an enrolment (派位): committed, drawn, published."""

    path = "/zones/school-places/enrolments/{enrolment_id:uuid}/allocation-runs"
    tags = ["school-places"]

    @post(
        status_code=201,
        summary="Fix the roll",
        guards=[staff("officer")],
        responses=problems(
            NotAllowed, EnrolmentMissing, RunExists, EnrolmentStillOpen, CasesPending, NothingToAllocate
        ),
    )
    async def commit(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> Committed:
        """Every accepted case goes on the roll, whose hash is published; from now on it cannot change."""
        run = await runs.commit(session, enrolment_id, caller=request.user, now=clock.now())
        return Committed(run_id=run.id, state=run.state, roll_hash=run.roll_hash)

    @post(
        "/{run_id:uuid}/draw",
        status_code=200,
        summary="Draw lots",
        guards=[staff("officer")],
        responses=problems(
            NotAllowed,
            EnrolmentMissing,
            RunMissing,
            WrongRunState,
            DrawTooEarly,
            NotTheSecret,
            RollChanged,
            InvalidBeacon,
        ),
    )
    async def draw(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[DrawCreate],
    ) -> Drawn:
        """Once, after the public event: secret, beacon and roll give the seed, the seed gives the numbers."""
        run = await runs.draw_lots(
            session, enrolment_id, run_id, beacon=data.beacon, caller=request.user, now=clock.now()
        )
        return Drawn(run_id=run.id, state=run.state, seed=run.seed or "")

    @post(
        "/{run_id:uuid}/publication",
        status_code=200,
        summary="Publish the results",
        guards=[staff("officer")],
        responses={202: ResponseSpec(PublicationRead, generate_examples=False, description=_GOES_ON)}
        | problems(NotAllowed, EnrolmentMissing, RunMissing, WrongRunState, RollChanged, CasesPending),
    )
    async def publish(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> Response[PublicationRead]:
        """Cases are decided, families told, notices issued. With four eyes the first officer's call answers
        202 and another officer's publishes. A large enrolment answers 202 `publishing` and goes on by itself;
        the same call then says how far it is."""
        published = await publication.publish(
            session, enrolment_id, run_id, caller=request.user, now=clock.now()
        )
        run, outcomes = published.run, published.outcomes
        if run.state == "drawn":
            return Response(PublicationRead(run_id=run.id, state=AWAITING), status_code=202)
        return Response(
            PublicationRead(
                run_id=run.id,
                state=run.state,
                remaining=published.remaining or msgspec.UNSET,
                placed=outcomes["choice"],
                coordinated=outcomes["coordination"],
                without_seat=outcomes["no_seat"],
                withdrawn=outcomes["withdrawn"],
            ),
            status_code=200 if run.state == "published" else 202,
        )

    @post(
        "/{run_id:uuid}/annulment",
        status_code=200,
        summary="Annul a run",
        guards=[staff("officer", "operator")],
        responses={202: ResponseSpec(AnnulmentRead, generate_examples=False, description=_AWAITING)}
        | problems(NotAllowed, EnrolmentMissing, RunMissing, WrongRunState, ReasonNeeded),
    )
    async def annul(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        enrolment_id: FromPath[UUID],
        run_id: FromPath[UUID],
        data: JSONBody[AnnulmentCreate],
    ) -> Response[AnnulmentRead]:
        """The first call gives the reason and answers 202; somebody else's confirms, before publication."""
        run = await runs.annul(
            session, enrolment_id, run_id, reason=data.reason, caller=request.user, now=clock.now()
        )
        if run.state != "annulled":
            return Response(AnnulmentRead(run_id=run.id, state=AWAITING), status_code=202)
        return Response(AnnulmentRead(run_id=run.id, state=run.state), status_code=200)
