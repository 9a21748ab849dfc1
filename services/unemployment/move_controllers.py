"""Moves to other provinces: mine, and everybody's at the fund's desk."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import Malformed, NotAllowed
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StaffRequest, StepUpNeeded, resident, staff
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems
from services.unemployment import moving
from services.unemployment.funds import funds
from services.unemployment.models import Move
from services.unemployment.moving import MoveMissing, NothingToPayAgain
from services.unemployment.payments.desk_controllers import require_fund


class MoveRead(Output, omit_defaults=False):
    """What moves to another province."""

    id: UUID
    case_id: UUID
    to: str
    """Division of the province."""
    place: str
    state: str
    """decided; carried_out: ended here, the money on its way; confirmed: the other place has the record."""
    months_left: int | None
    """Months of benefit that move; null before it is carried out."""
    amount_fen: int | None
    """1.5 times those months; 0 where only the record moves."""
    money: str | None
    """due, batched, paid or returned; null where no money moves."""
    decided_at: datetime
    carried_out_at: datetime | None
    confirmed_at: datetime | None


class MovesController(Controller):
    """My moves."""

    path = "/zones/unemployment/moves"
    tags = ["unemployment"]
    guards = [resident(Level.L3)]

    @get(
        summary="My moves to another province",
        responses=problems(StepUpNeeded),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def moves(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> Page[MoveRead]:
        """Newest first; an empty list where nothing moved."""
        person_id = request.user.person_id
        assert person_id is not None, "the guard asks for L3"
        rows = await moving.of_person(session, person_id)
        return Page(items=[await _read(session, row) for row in rows], next=None)


class MovesDeskController(Controller):
    """Moves at the desk of the province's fund."""

    path = "/zones/unemployment/desk/moves"
    tags = ["unemployment"]
    guards = [staff("officer")]

    @get(summary="Moves to other provinces", responses=problems(NotAllowed, Malformed))
    async def moves_at_desk(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[MoveRead]:
        """Newest first; `returned` money waits for an officer."""
        require_fund(request.user)
        size = page_limit(limit)
        rows = await moving.listed(session, after=after_cursor(cursor), limit=size + 1)
        return Page(
            items=[await _read(session, row) for row in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @post(
        "/{move_id:uuid}/payment",
        status_code=200,
        summary="Send the money of a move again",
        responses=problems(NotAllowed, MoveMissing, NothingToPayAgain),
    )
    async def pay_again(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], move_id: FromPath[UUID]
    ) -> MoveRead:
        """After the bank gave it back and the list of funds names the right account."""
        require_fund(request.user)
        return await _read(session, await moving.pay_again(session, move_id, now=clock.now()))


async def _read(session: AsyncSession, move: Move) -> MoveRead:
    return MoveRead(
        id=move.id,
        case_id=move.case_id,
        to=move.to,
        place=funds()[move.to].name.words.in_language(current().language),
        state=move.state,
        months_left=move.months_left,
        amount_fen=move.amount_fen,
        money=await moving.money_state(session, move),
        decided_at=move.decided_at,
        carried_out_at=move.carried_out_at,
        confirmed_at=move.confirmed_at,
    )
