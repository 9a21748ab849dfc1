"""After the results, as families act on them: answers, offers of seats, appeals."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.certificates import NotInForce
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.wire import Input, Nothing, problems
from services.school_places.placement_views import PlacementRead, placement_read
from services.school_places.service.afterwards import answers, appeals, offers
from services.school_places.service.afterwards.answers import (
    AnswerClosed,
    NoPlace,
    NothingToUndo,
    NotWaiting,
    ReasonTooLong,
    TwinHasPlaceToo,
)
from services.school_places.service.afterwards.appeals import AlreadyAppealed, AppealClosed, InvalidAppeal
from services.school_places.service.afterwards.offers import OfferClosed, OfferMissing
from services.school_places.service.afterwards.places import NotPublished, PlacementMissing
from services.school_places.service.results import Place


class RefusalCreate(Input):
    """Giving a place up."""

    reason: str | None = None
    only_this_child: bool = False
    """Said by the family of twins: the other one keeps its place."""


class AppealCreate(Input):
    """What is wrong with the result, and what shows it."""

    reason: str
    evidence: str | None = None


class PlacementsController(Controller):
    """What a family does about its placement; each answer is the placement as it stands then."""

    path = "/zones/school-places/placements/{placement_id:uuid}"
    tags = ["school-places"]
    guards = [resident(Level.L3)]

    @post(
        "/acceptance",
        status_code=200,
        summary="Confirm a place",
        responses=problems(PlacementMissing, NotPublished, NoPlace, AnswerClosed),
    )
    async def confirm(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        placement_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> PlacementRead:
        """The child comes. Saying nothing keeps the place as well."""
        now = clock.now()
        return await _shown(
            session, await answers.confirm(session, placement_id, person_id=_person(request), now=now)
        )

    @post(
        "/refusal",
        status_code=200,
        summary="Refuse a place",
        responses=problems(
            PlacementMissing, NotPublished, NoPlace, AnswerClosed, TwinHasPlaceToo, ReasonTooLong, NotInForce
        ),
    )
    async def refuse(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        placement_id: FromPath[UUID],
        data: JSONBody[RefusalCreate],
    ) -> PlacementRead:
        """The notice ends at once; for ten minutes the place can be taken back, then the seat goes on."""
        place = await answers.refuse(
            session,
            placement_id,
            reason=data.reason,
            only_this_child=data.only_this_child,
            person_id=_person(request),
            now=clock.now(),
        )
        return await _shown(session, place)

    @delete(
        "/refusal",
        status_code=200,
        summary="Take a refusal back",
        responses=problems(PlacementMissing, NotPublished, NothingToUndo),
    )
    async def undo_refusal(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], placement_id: FromPath[UUID]
    ) -> PlacementRead:
        """Within ten minutes; a new notice is issued."""
        place = await answers.undo_refusal(session, placement_id, person_id=_person(request), now=clock.now())
        return await _shown(session, place)

    @delete(
        "/waiting-lists/{school_id:uuid}",
        status_code=200,
        summary="Leave a waiting list",
        responses=problems(PlacementMissing, NotPublished, NotWaiting),
    )
    async def leave(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        placement_id: FromPath[UUID],
        school_id: FromPath[UUID],
    ) -> PlacementRead:
        """For good: there is no way back onto a list."""
        place = await answers.leave(
            session, placement_id, school_id, person_id=_person(request), now=clock.now()
        )
        return await _shown(session, place)

    @post(
        "/appeals",
        status_code=201,
        summary="Appeal",
        responses=problems(PlacementMissing, NotPublished, AppealClosed, AlreadyAppealed, InvalidAppeal),
    )
    async def appeal(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        placement_id: FromPath[UUID],
        data: JSONBody[AppealCreate],
    ) -> PlacementRead:
        """Within the appeal window, once. Somebody who did not take the application in decides."""
        place = await appeals.file(
            session,
            placement_id,
            reason=data.reason,
            evidence=data.evidence,
            person_id=_person(request),
            now=clock.now(),
        )
        return await _shown(session, place)


class OffersController(Controller):
    """Seats offered from a waiting list (候补递补)."""

    path = "/zones/school-places/offers/{offer_id:uuid}"
    tags = ["school-places"]
    guards = [resident(Level.L3)]

    @post(
        "/acceptance",
        status_code=200,
        summary="Accept an offered seat",
        responses=problems(OfferMissing, OfferClosed, NotPublished, NotInForce),
    )
    async def accept(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        offer_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> PlacementRead:
        """The child moves: the old seat goes on, the old notice is superseded by one for the new school."""
        place = await offers.accept(session, offer_id, person_id=_person(request), now=clock.now())
        return await _shown(session, place)

    @post(
        "/refusal",
        status_code=200,
        summary="Decline an offered seat",
        responses=problems(OfferMissing, OfferClosed, NotPublished),
    )
    async def decline(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        offer_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> PlacementRead:
        """The seat goes to the next on the list; what the child has it keeps."""
        place = await offers.decline(session, offer_id, person_id=_person(request), now=clock.now())
        return await _shown(session, place)


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L2 without a person"
    return person_id


async def _shown(session: AsyncSession, place: Place) -> PlacementRead:
    await session.flush()
    return await placement_read(session, place, now=clock.now())
