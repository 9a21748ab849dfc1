"""Delegations over HTTP, for both of their sides."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.delegations import access, agreeing, ending, faces, proving, views
from haiyiban.delegations.access import Actor, DelegationMissing
from haiyiban.delegations.agreeing import NameDiffers
from haiyiban.delegations.faces import GiverFaceCheckOver, GiverFaceMismatch, GiverFacesLocked
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.proving import NotYourRelative
from haiyiban.delegations.rules import (
    FACE_LIFE,
    AdultsOnly,
    DelegationEnded,
    DelegationExpired,
    GrownUp,
    InvalidDelegation,
    TooManyOpen,
    TooManyToday,
    ToOneself,
)
from haiyiban.delegations.wire import (
    AgreementCreate,
    DelegationRead,
    FaceCheckBegun,
    FaceToken,
    GuardianCreate,
    ParentCreate,
)
from haiyiban.errors import FieldError, Malformed, NotSignedIn, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.registers import FaceCheckExpired, RegisterUnavailable
from haiyiban.texts import TextOutdated
from haiyiban.wire import Nothing, Page, after_cursor, cursor_of, page_limit, problems


class DelegationsController(Controller):
    """Acting for others (委托代办): what I gave and what I may do for others."""

    path = "/delegations"
    tags = ["delegations"]
    guards = [resident(Level.L3)]

    @post(
        status_code=201,
        summary="Make a delegation",
        guards=[resident(Level.L3, fresh=FACE_LIFE)],
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            InvalidDelegation,
            TextOutdated,
            ToOneself,
            AdultsOnly,
            GrownUp,
            NotYourRelative,
            TooManyOpen,
            TooManyToday,
            RegisterUnavailable,
        ),
    )
    async def create(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[AgreementCreate | ParentCreate | GuardianCreate],
    ) -> DelegationRead:
        """With a face not older than five minutes. `agreement`: I give, and the taker accepts. `adult_child`:
        I ask for my parent, whose face agrees on this device. `guardian`: I act for my minor child at once,
        as the registers show, until the child turns 18."""
        actor, now = Actor.of(request.user), clock.now()
        match data:
            case AgreementCreate():
                made = await agreeing.offer(
                    session,
                    actor.id,
                    taker_name=data.taker.name,
                    taker_number=data.taker.id_number,
                    terms=data.terms(),
                    now=now,
                )
            case ParentCreate():
                made = await proving.for_parent(
                    session, actor.id, giver_number=data.giver.id_number, terms=data.terms(), now=now
                )
            case GuardianCreate():
                made = await proving.for_child(
                    session, actor.id, giver_number=data.giver.id_number, terms=data.terms(), now=now
                )
        return await views.read(session, made, actor)

    @get(summary="My delegations", responses=problems(Malformed, NotSignedIn, StepUpNeeded))
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        side: Annotated[str | None, QueryParameter(name="side")] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[DelegationRead]:
        """Newest first, the ended ones too; `side=giver`: what I gave, `side=taker`: what I may do."""
        actor, size = Actor.of(request.user), page_limit(limit)
        query = select(Delegation).where(_side(side, actor)).order_by(Delegation.id.desc())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Delegation.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=await views.read_all(session, rows[:size], actor),
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/{delegation_id:uuid}",
        summary="Read a delegation",
        responses=problems(DelegationMissing, NotSignedIn, StepUpNeeded),
    )
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], delegation_id: FromPath[UUID]
    ) -> DelegationRead:
        """As one of its two sides; to everybody else it is not found."""
        actor = Actor.of(request.user)
        return await views.read(session, await access.own(session, delegation_id, actor), actor)

    @post(
        "/{delegation_id:uuid}/acceptance",
        status_code=200,
        summary="Accept a delegation",
        responses=problems(
            DelegationMissing, NotSignedIn, StepUpNeeded, DelegationEnded, DelegationExpired, NameDiffers
        ),
    )
    async def accept(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        delegation_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - an empty body, said so in the contract
    ) -> DelegationRead:
        """As the one who is to act; within seven days of the offer. Who does not want to revokes it."""
        actor = Actor.of(request.user)
        accepted = await agreeing.accept(session, delegation_id, actor, now=clock.now())
        return await views.read(session, accepted, actor)

    @post(
        "/{delegation_id:uuid}/revocation",
        status_code=200,
        summary="End a delegation",
        responses=problems(DelegationMissing, NotSignedIn, StepUpNeeded),
    )
    async def revoke(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        delegation_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - an empty body, said so in the contract
    ) -> DelegationRead:
        """By either side, at once. The cases stay the giver's, to go on with or to withdraw."""
        actor = Actor.of(request.user)
        ended = await ending.end(session, delegation_id, actor, now=clock.now())
        return await views.read(session, ended, actor)

    @post(
        "/{delegation_id:uuid}/face-checks",
        status_code=201,
        summary="Begin a giver's face check",
        responses=problems(
            DelegationMissing,
            NotSignedIn,
            StepUpNeeded,
            DelegationEnded,
            DelegationExpired,
            GiverFaceCheckOver,
            GiverFacesLocked,
            RegisterUnavailable,
        ),
    )
    async def begin_face_check(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        delegation_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - an empty body, said so in the contract
    ) -> FaceCheckBegun:
        """The parent looks into this device; the vendor compares with the photo of their identity card."""
        check_id, url = await faces.begin(session, delegation_id, Actor.of(request.user), now=clock.now())
        return FaceCheckBegun(id=check_id, vendor_url=url)

    @post(
        "/{delegation_id:uuid}/face-checks/{check_id:uuid}/result",
        status_code=200,
        summary="Finish a giver's face check",
        responses=problems(
            DelegationMissing,
            NotSignedIn,
            StepUpNeeded,
            DelegationEnded,
            DelegationExpired,
            GiverFaceMismatch,
            GiverFaceCheckOver,
            GiverFacesLocked,
            FaceCheckExpired,
            RegisterUnavailable,
        ),
    )
    async def finish_face_check(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        delegation_id: FromPath[UUID],
        check_id: FromPath[UUID],
        data: JSONBody[FaceToken],
    ) -> DelegationRead:
        """The vendor is asked about the token; passed, the parent has agreed and the delegation is active."""
        actor = Actor.of(request.user)
        agreed = await faces.finish(
            session, delegation_id, check_id, token=data.face_token, actor=actor, now=clock.now()
        )
        return await views.read(session, agreed, actor)


def _side(side: str | None, actor: Actor) -> ColumnElement[bool]:
    match side:
        case None:
            return access.of_either(actor)
        case "giver":
            return Delegation.giver_id == actor.id
        case "taker":
            return access.taken_by(actor)
    raise Malformed(errors=[FieldError("/side", Words("只能是 giver 或 taker", "giver or taker"))])
