"""Enterprises over HTTP: signing in for one, and who acts for it."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.delegations import Actor, Delegation
from haiyiban.delegations import views as delegation_views
from haiyiban.delegations.rules import (
    FACE_LIFE,
    AdultsOnly,
    InvalidDelegation,
    Role,
    TooManyOpen,
    TooManyToday,
    ToOneself,
)
from haiyiban.delegations.wire import DelegationRead
from haiyiban.enterprises import access, appointing, signing_in, views
from haiyiban.enterprises.access import RepresentativeOnly, RoleMissing
from haiyiban.enterprises.register import EnterpriseUnknown, InvalidCode, NotInBusiness
from haiyiban.enterprises.wire import (
    EnterpriseList,
    EnterpriseRead,
    EnterpriseSignIn,
    RoleCreate,
    RoleList,
)
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.registers import RegisterUnavailable
from haiyiban.texts import TextOutdated
from haiyiban.wire import Nothing, problems

_ROLES_MOST = 200


class EnterprisesController(Controller):
    """Enterprises that I act for (企业)."""

    path = "/enterprises"
    tags = ["enterprises"]
    guards = [resident(Level.L3)]

    @post(
        status_code=201,
        summary="Sign in for an enterprise",
        guards=[resident(Level.L3, fresh=FACE_LIFE)],
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            InvalidCode,
            EnterpriseUnknown,
            NotInBusiness,
            TextOutdated,
            RegisterUnavailable,
        ),
    )
    async def sign_in(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[EnterpriseSignIn],
    ) -> EnterpriseRead:
        """With a face not older than five minutes. The register is asked each time: as its legal
        representative, whom it names, or by a role that they gave. `delegation` is then `onBehalfOf`."""
        role = await signing_in.sign_in(
            session,
            Actor.of(request.user).id,
            raw_code=data.credit_code,
            consent=data.consent,
            now=clock.now(),
        )
        return await views.read(session, role)

    @get(summary="Enterprises that I act for", responses=problems(NotSignedIn, StepUpNeeded))
    async def mine(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> EnterpriseList:
        """With my role in each."""
        found = await views.of_person(session, Actor.of(request.user).id, today=clock.today())
        return EnterpriseList(items=found)

    @get(
        "/{enterprise_id:uuid}",
        summary="Read an enterprise",
        responses=problems(EnterpriseUnknown, NotSignedIn, StepUpNeeded),
    )
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], enterprise_id: FromPath[UUID]
    ) -> EnterpriseRead:
        """As the register last described it; to who has no role in it, it is not found."""
        role = await access.role_of(session, enterprise_id, Actor.of(request.user).id, today=clock.today())
        return await views.read(session, role)

    @get(
        "/{enterprise_id:uuid}/roles",
        summary="Who acts for an enterprise",
        responses=problems(EnterpriseUnknown, RepresentativeOnly, NotSignedIn, StepUpNeeded),
    )
    async def roles(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], enterprise_id: FromPath[UUID]
    ) -> RoleList:
        """To its legal representative: everybody's role, the ended ones too, whoever had given them."""
        actor = Actor.of(request.user)
        await access.require_representative(session, enterprise_id, actor.id, today=clock.today())
        rows = await session.scalars(
            select(Delegation)
            .where(Delegation.giver_id == enterprise_id)
            .order_by(Delegation.id.desc())
            .limit(_ROLES_MOST)
        )
        as_enterprise = Actor(enterprise_id)
        return RoleList(items=await delegation_views.read_all(session, rows.all(), as_enterprise))

    @post(
        "/{enterprise_id:uuid}/roles",
        status_code=201,
        summary="Give a role",
        guards=[resident(Level.L3, fresh=FACE_LIFE)],
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            EnterpriseUnknown,
            RepresentativeOnly,
            InvalidDelegation,
            TextOutdated,
            ToOneself,
            AdultsOnly,
            TooManyOpen,
            TooManyToday,
        ),
    )
    async def appoint(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        enterprise_id: FromPath[UUID],
        data: JSONBody[RoleCreate],
    ) -> DelegationRead:
        """By its legal representative, with a face not older than five minutes; the taker accepts it by
        `POST /delegations/{id}/acceptance`. Which matters a role may be given for, the matters say."""
        actor = Actor.of(request.user)
        made = await appointing.appoint(
            session,
            enterprise_id,
            actor.id,
            role=Role(data.role),
            taker_name=data.taker.name,
            taker_number=data.taker.id_number,
            terms=data.terms(),
            now=clock.now(),
        )
        return await delegation_views.read(session, made, Actor(enterprise_id))

    @post(
        "/{enterprise_id:uuid}/roles/{delegation_id:uuid}/revocation",
        status_code=200,
        summary="End a role",
        responses=problems(EnterpriseUnknown, RepresentativeOnly, RoleMissing, NotSignedIn, StepUpNeeded),
    )
    async def dismiss(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        enterprise_id: FromPath[UUID],
        delegation_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - an empty body, said so in the contract
    ) -> DelegationRead:
        """By its legal representative, at once; its holder uses `POST /delegations/{id}/revocation`."""
        ended = await appointing.dismiss(
            session, enterprise_id, Actor.of(request.user).id, role_id=delegation_id, now=clock.now()
        )
        return await delegation_views.read(session, ended, Actor(enterprise_id))
