"""Delegations over HTTP, as village agents record them from paper."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.delegations import access, ending, paper, views
from haiyiban.delegations.access import Actor, DelegationMissing
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.paper import GiverUnknown, LivesElsewhere, Paper
from haiyiban.delegations.rules import AdultsOnly, InvalidDelegation, TooManyOpen, TooManyToday
from haiyiban.delegations.wire import DelegationRead, PaperDelegationCreate
from haiyiban.errors import Malformed
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.registers import RegisterUnavailable
from haiyiban.texts import TextOutdated
from haiyiban.wire import Nothing, Page, after_cursor, cursor_of, page_limit, problems

AGENT_ROLE = "village-agent"


class DeskDelegationsController(Controller):
    """What villagers let me, their agent (代办员), do for them."""

    path = "/desk/delegations"
    tags = ["delegations"]
    guards = [staff(AGENT_ROLE)]

    @post(
        status_code=201,
        summary="Record a paper consent",
        responses=problems(
            InvalidDelegation,
            TextOutdated,
            AdultsOnly,
            GiverUnknown,
            LivesElsewhere,
            TooManyOpen,
            TooManyToday,
            RegisterUnavailable,
        ),
    )
    async def create(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[PaperDelegationCreate],
    ) -> DelegationRead:
        """The population register must know the giver, registered where I serve. In force at once; the giver
        is told, and may end it from an account of their own."""
        made = await paper.record(
            session,
            request.user,
            giver_name=data.giver.name,
            giver_number=data.giver.id_number,
            phone=data.giver.phone,
            terms=data.terms(),
            paper=Paper(
                document_hash=data.paper.document_hash,
                reference=data.paper.reference,
                signed_on=data.paper.signed_on,
                witness_name=data.paper.witness.name,
                witness_phone=data.paper.witness.phone,
            ),
            now=clock.now(),
        )
        return await views.read(session, made, Actor.of(request.user))

    @get(summary="What I may do for villagers", responses=problems(Malformed))
    async def mine(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[DelegationRead]:
        """Newest first, the ended ones too."""
        actor, size = Actor.of(request.user), page_limit(limit)
        query = select(Delegation).where(access.taken_by(actor)).order_by(Delegation.id.desc())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Delegation.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=await views.read_all(session, rows[:size], actor),
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @post(
        "/{delegation_id:uuid}/revocation",
        status_code=200,
        summary="Record the end of a consent",
        responses=problems(DelegationMissing),
    )
    async def revoke(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        delegation_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - an empty body, said so in the contract
    ) -> DelegationRead:
        """When the giver says so, or the agent cannot go on."""
        actor = Actor.of(request.user)
        ended = await ending.end(session, delegation_id, actor, now=clock.now())
        return await views.read(session, ended, actor)
