"""Appeals at the desk of the health authority: the queue, a proposal, and the second person's word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.db import database
from haiyiban.errors import Malformed, NotAllowed
from haiyiban.identity.callers import StaffCaller
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.identity.models import Person
from haiyiban.masking import mask_id_number
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.health_code import appeals, service
from services.health_code.appeals import AppealMissing, AppealMoved, IncompleteWords, SecondPersonNeeded
from services.health_code.models import Appeal, ManualChange, Status
from services.health_code.rules import Colour
from services.health_code.views import ColourReasonRead, reasons_of

AGENCY = "health"
Written = Annotated[str, Meta(max_length=2000)]


class ColourProposalCreate(Input):
    """A colour to correct to, its last day (at most 14 days from today), why, and what shows it."""

    colour: Literal["green", "yellow", "red"]
    until: date
    reason: Written
    """The person reads it once it is confirmed."""
    evidence: Written


class AppealAnswerCreate(Input):
    """Why."""

    reason: Written


class ColourProposalRead(Output):
    """What waits for the second person, or was confirmed."""

    colour: Colour
    until: date
    reason: str
    evidence: str
    sets_aside: list[str]
    """The ids of the rules that gave the colour; others keep counting."""
    proposed_by: UUID
    proposed_at: datetime


class DeskColourAppealRead(Output):
    """An appeal as clerks read it. `state`: open, proposed, corrected or refused."""

    id: UUID
    name: str
    id_number: str
    """Masked."""
    division: str
    appealed_colour: Colour
    colour: Colour
    """What the code shows now."""
    reasons: list[ColourReasonRead]
    """The rules that gave it."""
    state: str
    at: datetime
    reason: str
    evidence: str | None = None
    proposal: ColourProposalRead | None = None


class HealthCodeDeskController(Controller):
    """The health authority's desk: clerks of the division where the person is, and above."""

    path = "/zones/health-code/desk/appeals"
    tags = ["health-code"]
    guards = [staff("clerk", "officer")]

    @get(summary="Appeals to decide", responses=problems(NotAllowed, Malformed))
    async def queue(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[DeskColourAppealRead]:
        """Open ones and those that wait for a second person, the oldest first. Each look is recorded."""
        _require_agency(request.user)
        size = page_limit(limit)
        query = select(Appeal).where(Appeal.state.in_(appeals.WAITING), appeals.of_staff(request.user))
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Appeal.id > after)
        rows = list(await session.scalars(query.order_by(Appeal.id).limit(size + 1)))
        return Page(
            items=await _shown(session, rows[:size]),
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @post(
        "/{appeal_id:uuid}/proposal",
        status_code=200,
        summary="Propose a corrected colour",
        responses=problems(NotAllowed, AppealMissing, AppealMoved, IncompleteWords),
    )
    async def propose(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        appeal_id: FromPath[UUID],
        data: JSONBody[ColourProposalCreate],
    ) -> DeskColourAppealRead:
        """Nothing changes until another member of staff confirms it."""
        _require_agency(request.user)
        found, _ = await appeals.propose(
            session,
            appeal_id,
            request.user,
            colour=Colour(data.colour),
            until=data.until,
            reason=data.reason,
            evidence=data.evidence,
            now=clock.now(),
        )
        return (await _shown(session, [found]))[0]

    @post(
        "/{appeal_id:uuid}/confirmation",
        status_code=200,
        summary="Confirm a corrected colour",
        responses=problems(NotAllowed, AppealMissing, AppealMoved, SecondPersonNeeded, IncompleteWords),
    )
    async def confirm(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        appeal_id: FromPath[UUID],
    ) -> DeskColourAppealRead:
        """By another than who proposed. The colour is decided anew at once; where it changes, what phones
        hold is withdrawn. A rule that came to hold since the proposal still counts."""
        _require_agency(request.user)
        async with database().reading() as look:
            person_id = await appeals.person_to_confirm(look, appeal_id, request.user)
        answers = await service.ask(person_id)
        found, _, _ = await appeals.confirm(session, appeal_id, request.user, answers, now=clock.now())
        return (await _shown(session, [found]))[0]

    @post(
        "/{appeal_id:uuid}/return",
        status_code=200,
        summary="Return a proposal",
        responses=problems(NotAllowed, AppealMissing, AppealMoved, IncompleteWords),
    )
    async def give_back(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        appeal_id: FromPath[UUID],
        data: JSONBody[AppealAnswerCreate],
    ) -> DeskColourAppealRead:
        """The appeal is open again; whoever proposed may take it back so too."""
        _require_agency(request.user)
        found = await appeals.give_back(session, appeal_id, request.user, reason=data.reason, now=clock.now())
        return (await _shown(session, [found]))[0]

    @post(
        "/{appeal_id:uuid}/refusal",
        status_code=200,
        summary="Refuse an appeal",
        responses=problems(NotAllowed, AppealMissing, AppealMoved, IncompleteWords),
    )
    async def refuse(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        appeal_id: FromPath[UUID],
        data: JSONBody[AppealAnswerCreate],
    ) -> DeskColourAppealRead:
        """The colour stays; the person is told and reads the reason. A proposal is returned first."""
        _require_agency(request.user)
        found = await appeals.refuse(session, appeal_id, request.user, reason=data.reason, now=clock.now())
        return (await _shown(session, [found]))[0]


def _require_agency(caller: StaffCaller) -> None:
    if caller.agency != AGENCY:
        raise NotAllowed


async def _shown(session: AsyncSession, rows: Sequence[Appeal]) -> list[DeskColourAppealRead]:
    """The appeals with their people, colours and proposals, in three statements; the look is recorded."""
    people = [row.person_id for row in rows]
    persons = {one.id: one for one in await session.scalars(select(Person).where(Person.id.in_(people)))}
    statuses = {
        one.person_id: one
        for one in await session.scalars(select(Status).where(Status.person_id.in_(people)))
    }
    changes = {
        one.appeal_id: one
        for one in await session.scalars(
            select(ManualChange).where(
                ManualChange.appeal_id.in_([row.id for row in rows]), ManualChange.state != "returned"
            )
        )
    }
    await audit.record_all(
        session,
        [
            audit.Act(
                "health-code.read-appeal",
                subject=row.person_id,
                object_kind="health-code-appeal",
                object_id=row.id,
                fields=["name", "colour", "reason", "evidence"],
                reason=f"appeal: {row.state}",
            )
            for row in rows
        ],
    )
    return [
        _read(row, persons[row.person_id], statuses.get(row.person_id), changes.get(row.id)) for row in rows
    ]


def _read(
    row: Appeal, person: Person, status: Status | None, change: ManualChange | None
) -> DeskColourAppealRead:
    return DeskColourAppealRead(
        id=row.id,
        name=person.name,
        id_number=mask_id_number(person.id_number),
        division=row.division,
        appealed_colour=Colour(row.colour),
        # Nothing is kept of a colour that was not decided since: then the one that is objected to stands.
        colour=Colour(status.colour if status else row.colour),
        reasons=reasons_of(status) if status else [],
        state=row.state,
        at=row.at,
        reason=row.reason,
        evidence=row.evidence,
        proposal=None
        if change is None
        else ColourProposalRead(
            colour=Colour(change.colour),
            until=change.until,
            reason=change.reason,
            evidence=change.evidence,
            sets_aside=change.aside,
            proposed_by=change.proposed_by,
            proposed_at=change.proposed_at,
        ),
    )
