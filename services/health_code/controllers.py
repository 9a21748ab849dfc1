"""The health code over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Input, problems
from services.health_code import service
from services.health_code.views import HealthCodeRead, code_read


class DeclarationCreate(Input):
    """What I say of myself; none of it true is a check-in."""

    symptoms: bool
    """Fever, breathlessness or respiratory symptoms."""
    fever_clinic: bool = False
    """Went to a fever clinic in the last 14 days."""
    risk_travel: bool = False
    """Was in a mid- or high-risk area, or came from abroad, in the last 14 days."""


class HealthCodeController(Controller):
    """My code."""

    path = "/zones/health-code"
    tags = ["health-code"]
    guards = [resident(Level.L3)]

    @get(
        "/code",
        summary="My health code",
        responses=problems(StepUpNeeded),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def code(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> HealthCodeRead:
        """The colour by the rules in force, why, and a code that lives a minute. A phone that is to show it
        by itself asks POST /codes with `kind: "health"` and its key.

        Where a register cannot be asked, the last known colour is shown and how old it is; where there is
        none, grey. Medical care is never refused for a colour.
        """
        return await _decided(request, session, now=clock.now())

    @post(
        "/declarations",
        status_code=201,
        summary="Declare my health",
        responses=problems(StepUpNeeded),
    )
    async def declare(
        self,
        request: ResidentRequest,
        data: JSONBody[DeclarationCreate],
        session: NamedDependency[AsyncSession],
    ) -> HealthCodeRead:
        """Decides my code anew at once. A declaration counts for 14 days and a later one does not undo it;
        whoever made a mistake calls 12345."""
        person_id, now = _person(request), clock.now()
        answers = await service.ask(person_id)
        await service.declare(
            session,
            person_id,
            symptoms=data.symptoms,
            fever_clinic=data.fever_clinic,
            risk_travel=data.risk_travel,
            now=now,
        )
        return code_read(await service.decide_for(session, person_id, answers, now=now), now=now)


async def _decided(request: ResidentRequest, session: AsyncSession, *, now: datetime) -> HealthCodeRead:
    person_id = _person(request)
    answers = await service.ask(person_id)
    return code_read(await service.decide_for(session, person_id, answers, now=now), now=now)


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
