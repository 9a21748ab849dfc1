"""The codes of my children over HTTP."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

from litestar import Controller, get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.masking import mask_id_number
from haiyiban.wire import Output, problems
from services.health_code import children, service
from services.health_code.children import ChildMissing
from services.health_code.rules import Colour
from services.health_code.service import Held
from services.health_code.views import HealthCodeRead, code_read


class ChildRead(Output):
    """A child of mine and the colour of their code, decided just now. `id` names them at `…/{id}/code` and
    as `subjectId` of POST /codes."""

    id: UUID
    name: str
    id_number: str
    """Masked."""
    colour: Colour
    golden: bool
    as_of: datetime
    is_current: bool
    """False: a register could not be asked, and this is the colour of `asOf`."""


class ChildrenRead(Output):
    """The children whom the registers of births and households know as mine, the eldest first."""

    items: list[ChildRead]
    is_complete: bool
    """False: one of the two registers could not be asked, and a child may be missing here."""


class ChildrenController(Controller):
    """The codes of my children below eighteen."""

    path = "/zones/health-code/children"
    tags = ["health-code"]
    guards = [resident(Level.L3)]

    @get(
        summary="My children and their colours",
        responses=problems(StepUpNeeded),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def mine(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> ChildrenRead:
        """Proved by the registers each time; a register that is away takes no child away."""
        now = clock.now()
        family = await children.prove(_person(request), now=now)
        ids = family.children
        answers = dict(zip(ids, await asyncio.gather(*map(service.ask, ids)), strict=True))
        held = {one.person.id: one for one in await service.decide_all(session, answers, now=now)}
        for child_id in ids:
            await _record(session, child_id)
        return ChildrenRead([_read(held[child_id]) for child_id in ids], family.is_complete)

    @get(
        "/{child_id:uuid}/code",
        summary="The health code of a child of mine",
        responses=problems(StepUpNeeded, ChildMissing),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def code(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], child_id: FromPath[UUID]
    ) -> HealthCodeRead:
        """Like my own. A phone that is to show it by itself asks POST /codes with `subjectId`."""
        now = clock.now()
        await children.require(_person(request), child_id, now=now)
        answers = await service.ask(child_id)
        held = await service.decide_for(session, child_id, answers, now=now)
        await _record(session, child_id)
        return code_read(held, now=now)


async def _record(session: AsyncSession, child_id: UUID) -> None:
    """A look at another person's data, which the child may read of later."""
    await audit.record(
        session,
        "health-code.read",
        subject=child_id,
        object_kind="health_code",
        object_id=child_id,
        fields=["colour"],
        reason="guardian",
    )


def _read(held: Held) -> ChildRead:
    return ChildRead(
        id=held.person.id,
        name=held.person.name,
        id_number=mask_id_number(held.person.id_number),
        colour=Colour(held.status.colour),
        golden=held.status.golden,
        as_of=held.status.decided_at,
        is_current=held.is_current,
    )


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
