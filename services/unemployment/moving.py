"""Moving to another province: the record goes there, and what is left of a running benefit with it.

An approval only decides a move. A task carries it out once the minute of the undo is over and nothing of the
grant is on its way to the bank; another tells the place the person moves to, until it says that it has it.
Source: 社会保险法 art. 52; docs/domain.md §7.4.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates, clock, divisions, notices, registers
from haiyiban.cases.handlers import CannotApprove
from haiyiban.cases.models import Case
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.errors import Conflict, FieldError, NotFound, Words
from haiyiban.identity import persons
from haiyiban.ids import new_id
from haiyiban.registers import InsuranceLetter, RegisterUnavailable
from services.unemployment import grants
from services.unemployment.estimate import situation_in
from services.unemployment.funds import funds
from services.unemployment.models import Grant, Move, Payment
from services.unemployment.rules import monthly_fen, transfer_fen, why_not_move
from services.unemployment.standards import standards

log = logging.getLogger("haiyiban")

SETTLES_AFTER = timedelta(minutes=2)
"""After the decision: its undo is over by then."""


class MoveMissing(NotFound):
    """No such move."""

    type = "unemployment/move-not-found"
    title = Words("没有这项关系转移", "There is no such move")


class NothingToPayAgain(Conflict):
    """The money of this move did not come back."""

    type = "unemployment/nothing-to-pay-again"
    title = Words(
        "这笔划转款没有被退回，不需要重新划转",
        "The money of this move did not come back; there is nothing to pay again",
    )


async def decide(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """An approval: the move is to be carried out.

    Raises CannotApprove where there is nothing to move, or it is on its way already.
    """
    today = local_date(now)
    situation = situation_in(case.facts or {}, today=today)
    form = case.form or {}
    to = str(form["to"]["division"])
    if situation.paid_months is None or situation.division is None:
        raise CannotApprove(errors=[FieldError("/insurance/months", NOT_KNOWN)])
    if error := why_not_move(situation.division, to):
        raise CannotApprove(errors=[error])
    if earlier := next(iter(await of_person(session, case.applicant_id)), None):
        if earlier.confirmed_at is None:
            raise CannotApprove(errors=[FieldError("/to/division", UNDER_WAY)])
        if case.submitted_at is None or earlier.confirmed_at > case.submitted_at:
            raise CannotApprove(errors=[FieldError("/to/division", GONE_SINCE)])
    session.add(
        Move(
            id=new_id(),
            case_id=case.id,
            person_id=case.applicant_id,
            to=to,
            state="decided",
            paid_months=situation.paid_months,
            decided_at=now,
        )
    )
    await session.flush()


async def take_back(session: AsyncSession, case: Case) -> None:
    """The approval was undone within its minute, before anything was carried out."""
    await session.execute(delete(Move).where(Move.case_id == case.id, Move.state == "decided"))


async def carry_out(_: bytes = b"") -> None:
    """The task: end what is drawn here and send the money after the person; then tell the other place."""
    settled = clock.now() - SETTLES_AFTER
    for move_id in await _ids(Move.state == "decided", Move.decided_at <= settled):
        async with database().transaction() as session:
            await _carry_out(session, move_id, now=clock.now())
    for move_id in await _ids(Move.state == "carried_out"):
        await _tell(move_id)


async def pay_again(session: AsyncSession, move_id: UUID, *, now: datetime) -> Move:
    """An officer has the money sent once more, to the account that the list of funds names by now.

    Raises MoveMissing, NothingToPayAgain.
    """
    move = await session.get(Move, move_id, with_for_update=True, populate_existing=True)
    if move is None:
        raise MoveMissing
    state = await money_state(session, move)
    if state != "returned" or move.grant_id is None:
        raise NothingToPayAgain(members={"state": state})
    grant = await session.get_one(Grant, move.grant_id, with_for_update=True)
    await _pay(session, grant, move, now=now)
    await _record(session, move, "pay-move-again")
    return move


async def of_person(session: AsyncSession, person_id: UUID) -> Sequence[Move]:
    """The moves of a person, newest first; nobody has many."""
    rows = await session.scalars(select(Move).where(Move.person_id == person_id).order_by(Move.id.desc()))
    return rows.all()


async def listed(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Move]:
    """Everybody's moves, newest first."""
    query = select(Move).order_by(Move.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Move.id < after)
    return (await session.scalars(query)).all()


async def money_state(session: AsyncSession, move: Move) -> str | None:
    """Where the money of a move is: due, batched, paid or returned; None where none moves."""
    found: str | None = await session.scalar(
        select(Payment.state).where(Payment.move_id == move.id).order_by(Payment.attempt.desc()).limit(1)
    )
    return found


async def _carry_out(session: AsyncSession, move_id: UUID, *, now: datetime) -> None:
    move = await session.get_one(Move, move_id, with_for_update=True, populate_existing=True)
    if move.state != "decided":
        return
    running = await grants.running(session, move.person_id)
    if running is None:
        # Months that an ended grant left go into the record; money moves for who is drawing the benefit only.
        left = await grants.left_over(session, move.person_id)
        ended = await grants.newest_ended(session, move.person_id)
        move.state, move.carried_out_at = "carried_out", now
        move.grant_id, move.months_left, move.amount_fen = ended, left, 0
    else:
        grant = await session.get_one(Grant, running.id, with_for_update=True, populate_existing=True)
        if not await _is_at_rest(session, grant) or not await _end(session, grant, move, now=now):
            return
    await notices.tell_person(
        session, move.person_id, "unemployment.moved", about=move.id, place=funds()[move.to].name.zh
    )
    await _record(session, move, "move")


async def _is_at_rest(session: AsyncSession, grant: Grant) -> bool:
    """Whether nothing of the grant is at the bank or before a clerk: else the move waits for that."""
    on_its_way = await session.scalar(
        select(func.count()).where(Payment.grant_id == grant.id, Payment.state == "batched")
    )
    return grant.suspended_on is None and not on_its_way


async def _end(session: AsyncSession, grant: Grant, move: Move, *, now: datetime) -> bool:
    """End the grant here; its months left go, with half of them again. False where no standard is known."""
    today = local_date(now)
    monthly = monthly_fen(grant.division, paid_on=today, standards=standards())
    if monthly is None:
        log.error("unemployment move %s: no standard is known for %s", move.id, grant.division)
        return False
    await session.execute(delete(Payment).where(Payment.grant_id == grant.id, Payment.state == "due"))
    move.state, move.carried_out_at, move.grant_id = "carried_out", now, grant.id
    # What was paid in went into this grant, so only its months are left.
    move.paid_months, move.months_left = 0, grant.months - grant.used
    move.monthly_fen, move.amount_fen = monthly, transfer_fen(move.months_left, monthly)
    grant.ended_on, grant.ended_because = today, "moved"
    await session.flush()
    await _pay(session, grant, move, now=now)
    await certificates.revoke(session, grant.certificate_id, reason="失业保险关系已转往外省", now=now)
    return True


async def _pay(session: AsyncSession, grant: Grant, move: Move, *, now: datetime) -> None:
    if not move.amount_fen:
        return
    before = await session.scalar(
        select(func.count()).where(Payment.grant_id == grant.id, Payment.number == grant.used)
    )
    session.add(
        Payment(
            id=new_id(),
            grant_id=grant.id,
            move_id=move.id,
            number=grant.used,
            attempt=before or 0,
            month=local_date(now).replace(day=1),
            amount_fen=move.amount_fen,
            state="due",
            made_at=now,
        )
    )
    await session.flush()


async def _tell(move_id: UUID) -> None:
    async with database().reading() as look:
        move = await look.get_one(Move, move_id)
        person = await persons.get(look, move.person_id)
        letter = InsuranceLetter(
            id=str(move.id),
            id_number=person.id_number,
            id_type=person.id_type,
            from_=divisions.PROVINCE,
            to=move.to,
            paid_months=move.paid_months,
            months_left=move.months_left or 0,
            amount_fen=move.amount_fen or 0,
            on=local_date(move.carried_out_at or move.decided_at),
        )
    try:
        await registers.send_insurance_letter(letter)
    except RegisterUnavailable:
        return
    async with database().transaction() as session:
        move = await session.get_one(Move, move_id, with_for_update=True, populate_existing=True)
        if move.state == "carried_out":
            move.state, move.confirmed_at = "confirmed", clock.now()
            await _record(session, move, "confirm-move")


async def _ids(*conditions: object) -> Sequence[UUID]:
    async with database().reading() as look:
        return (await look.scalars(select(Move.id).where(*conditions).order_by(Move.id))).all()  # type: ignore[arg-type]


NOT_KNOWN = Words(
    "参保缴费记录还没有查到，系统每分钟会再查；查到后再批准",
    "The record of contributions has not answered yet and is asked again every minute; approve when it has",
)
UNDER_WAY = Words(
    "上一次转移还没有办完，办完后再批准",
    "The move before is not finished; approve this one when it is",
)
GONE_SINCE = Words(
    "申请之后关系已经转出，这一件不予批准",
    "The record left after this was applied for; do not approve it",
)
NOTHING_HERE = Words(
    "没有查到您的失业保险参保记录，没有可以转移的关系",
    "No record of unemployment insurance was found, so there is nothing to move",
)


async def _record(session: AsyncSession, move: Move, act: str) -> None:
    await audit.record(
        session,
        f"unemployment.{act}",
        subject=move.person_id,
        object_kind="unemployment-move",
        object_id=move.id,
    )
