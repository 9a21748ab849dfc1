"""Appeals over HTTP, as the person makes and reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import Malformed
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.health_code import appeals, service
from services.health_code.appeals import AppealWaiting, IncompleteWords, NothingToAppeal
from services.health_code.models import Appeal
from services.health_code.rules import Colour

Told = Annotated[str, Meta(max_length=2000)]


class ColourAppealCreate(Input):
    """What I say against my colour."""

    reason: Told
    division: Annotated[str, Meta(max_length=12)]
    """Where I am: its clerks look at it."""
    evidence: Told | None = None
    """What shows it, such as the number of a test report or of a release notice."""


class ColourAppealRead(Output):
    """My appeal. `state`: open, proposed (a correction waits for a second clerk), corrected or refused."""

    id: UUID
    colour: Colour
    """What the code showed then."""
    state: str
    at: datetime
    reason: str
    division: str
    evidence: str | None = None
    answered_at: datetime | None = None
    answer: str | None = None
    """Why it was corrected or refused."""


class AppealController(Controller):
    """Appeals against my colour."""

    path = "/zones/health-code/appeals"
    tags = ["health-code"]
    guards = [resident(Level.L3)]

    @post(
        status_code=201,
        summary="Appeal my colour",
        responses=problems(StepUpNeeded, AppealWaiting, NothingToAppeal, IncompleteWords),
    )
    async def make(
        self,
        request: ResidentRequest,
        data: JSONBody[ColourAppealCreate],
        session: NamedDependency[AsyncSession],
    ) -> ColourAppealRead:
        """One at a time. Two clerks look at it, and I am told. The colour stays until then."""
        person_id = _person(request)
        answers = await service.ask(person_id)
        made = await appeals.appeal(
            session,
            person_id,
            answers,
            reason=data.reason,
            evidence=data.evidence,
            division=data.division,
            now=clock.now(),
        )
        return _read(made)

    @get(summary="My appeals", responses=problems(StepUpNeeded, Malformed))
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[ColourAppealRead]:
        """Newest first, with what was answered."""
        size = page_limit(limit)
        query = select(Appeal).where(Appeal.person_id == _person(request)).order_by(Appeal.id.desc())
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Appeal.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[_read(row) for row in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )


def _read(row: Appeal) -> ColourAppealRead:
    return ColourAppealRead(
        id=row.id,
        colour=Colour(row.colour),
        state=row.state,
        at=row.at,
        reason=row.reason,
        division=row.division,
        evidence=row.evidence,
        answered_at=row.answered_at,
        answer=row.answer,
    )


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
