"""Payments that go together: one file, made once, released by an officer and sent as it is.

Source: docs/domain.md §7.5 (应发 → 复核 → 报送银行).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, outbox
from haiyiban.db import database
from haiyiban.errors import Conflict, NotFound, Words
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from services.unemployment.funds import funds
from services.unemployment.models import BankAccount, Batch, Grant, Move, Payment
from services.unemployment.payments.iso20022 import Transfer, payment_file
from services.unemployment.schedule import label

PAYER = "失业保险基金"
IN_ONE_FILE = 300
SEND = "unemployment.send-batch"


class BatchMissing(NotFound):
    """No such batch."""

    type = "unemployment/batch-not-found"
    title = Words("没有这个发放批次", "There is no such batch")


class AlreadyReleased(Conflict):
    """Somebody has released it."""

    type = "unemployment/already-released"
    title = Words("这个批次已经复核报送", "This batch was released already")


async def make() -> None:
    """Put what is due into files, until nothing is left whose account is known."""
    while True:
        async with database().transaction() as session:
            if not await _make_one(session, now=clock.now()):
                return


async def _make_one(session: AsyncSession, *, now: datetime) -> int:
    transfers = [*await _moves(session), *await _months(session)][:IN_ONE_FILE]
    if not transfers:
        return 0
    batch = Batch(
        id=new_id(),
        state="made",
        count=len(transfers),
        total_fen=sum(payment.amount_fen for payment, _ in transfers),
        made_at=now,
    )
    batch.message_id = batch.id.hex
    file = payment_file(batch.message_id, [each for _, each in transfers], payer=PAYER, made_at=now)
    batch.file = file.decode()
    session.add(batch)
    await session.flush()
    for payment, _ in transfers:
        payment.state = "batched"
        payment.batch_id = batch.id
    await audit.record(
        session, "unemployment.make-batch", object_kind="unemployment-batch", object_id=batch.id
    )
    return len(transfers)


async def _months(session: AsyncSession) -> list[tuple[Payment, Transfer]]:
    """Months that are due to people whose account is known."""
    rows = (
        await session.execute(
            select(Payment, BankAccount, Person)
            .join(Grant, Grant.id == Payment.grant_id)
            .join(BankAccount, BankAccount.person_id == Grant.person_id)
            .join(Person, Person.id == Grant.person_id)
            .where(Payment.state == "due", Payment.move_id.is_(None), Grant.suspended_on.is_(None))
            .order_by(Payment.id)
            .limit(IN_ONE_FILE)
            .with_for_update(of=Payment, skip_locked=True)
        )
    ).all()
    return [
        (
            payment,
            _transfer(payment, person.name, account.number, f"失业保险金 {label(payment.month)}"),
        )
        for payment, account, person in rows
    ]


async def _moves(session: AsyncSession) -> list[tuple[Payment, Transfer]]:
    """What is due to the funds of other provinces."""
    rows = (
        await session.execute(
            select(Payment, Move)
            .join(Move, Move.id == Payment.move_id)
            .where(Payment.state == "due")
            .order_by(Payment.id)
            .limit(IN_ONE_FILE)
            .with_for_update(of=Payment, skip_locked=True)
        )
    ).all()
    return [
        (payment, _transfer(payment, fund.payee, fund.account, f"失业保险关系转移 {move.id}"))
        for payment, move in rows
        for fund in [funds()[move.to]]
    ]


def _transfer(payment: Payment, name: str, account: str, about: str) -> Transfer:
    return Transfer(payment.id.hex, payment.amount_fen, name, account, about)


async def inside(
    session: AsyncSession, batch_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Payment]:
    """The payments of a file, in their order. Raises BatchMissing."""
    if await session.get(Batch, batch_id) is None:
        raise BatchMissing
    query = select(Payment).where(Payment.batch_id == batch_id).order_by(Payment.id).limit(limit)
    if after is not None:
        query = query.where(Payment.id > after)
    return (await session.scalars(query)).all()


async def release(session: AsyncSession, batch_id: UUID, *, by: UUID, now: datetime) -> Batch:
    """An officer has looked at a batch: it goes to the bank. Raises BatchMissing, AlreadyReleased."""
    batch = await session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None:
        raise BatchMissing
    if batch.state != "made":
        raise AlreadyReleased(members={"state": batch.state})
    batch.state = "released"
    batch.released_at = now
    batch.released_by = by
    await outbox.enqueue(session, SEND)
    await audit.record(
        session, "unemployment.release-batch", object_kind="unemployment-batch", object_id=batch.id
    )
    return batch


async def listed(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[Batch]:
    """Batches, newest first."""
    query = select(Batch).order_by(Batch.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Batch.id < after)
    return (await session.scalars(query)).all()
