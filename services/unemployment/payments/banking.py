"""To the bank and back: files sent, statuses read, payments settled.

Nothing is sent while a transaction is open, and each step may be done twice: the bank carries out a message
id once, and a payment that is settled stays so until the bank says otherwise.
Source: docs/domain.md §7.5 (报送银行 → 成功/退票 → 补发).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, notices, registers
from haiyiban.db import database
from haiyiban.registers import RegisterUnavailable
from services.unemployment.models import Batch, Grant, Payment
from services.unemployment.payments import suspending
from services.unemployment.payments.iso20022 import NotTheDocument, Reported, read_report
from services.unemployment.schedule import label

log = logging.getLogger("haiyiban")

LOOKED_AFTER = timedelta(days=15)
"""How long after it was settled a payment may still come back; until then the bank is asked each time."""


async def send(_: bytes = b"") -> None:
    """Send what is released. Where the bank does not answer, the next round sends the same bytes again."""
    for batch_id in await _ids(Batch.state == "released"):
        async with database().reading() as look:
            batch = await look.get_one(Batch, batch_id)
            file = batch.file
        try:
            await registers.send_payments(file.encode())
        except RegisterUnavailable:
            continue
        async with database().transaction() as session:
            batch = await session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)
            if batch.state == "released":
                batch.state = "sent"
                batch.sent_at = clock.now()


async def read_back(_: bytes = b"") -> None:
    """Ask the bank what became of what was sent, and of what may still come back."""
    recent = clock.now() - LOOKED_AFTER
    for batch_id in await _ids(or_(Batch.state == "sent", Batch.settled_at > recent)):
        async with database().reading() as look:
            message_id = (await look.get_one(Batch, batch_id)).message_id
        try:
            reported = read_report(await registers.payment_report(message_id), message_id=message_id)
        except RegisterUnavailable:
            continue
        except NotTheDocument as error:
            log.error("unemployment batch %s: the bank's report is not one: %s", batch_id, error)
            continue
        async with database().transaction() as session:
            await settle(session, batch_id, reported, now=clock.now())


async def settle(
    session: AsyncSession, batch_id: UUID, reported: Sequence[Reported], *, now: datetime
) -> None:
    """Take the bank's word for each payment; the batch is settled once none is open."""
    batch = await session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)
    said = {each.end_to_end: each for each in reported}
    payments = await session.scalars(select(Payment).where(Payment.batch_id == batch_id).with_for_update())
    for payment in payments:
        word = said.get(payment.id.hex)
        if word is None or payment.state == ("paid" if word.is_paid else "returned"):
            continue
        grant = await suspending.lock(session, payment.grant_id)
        if word.is_paid:
            _paid(grant, payment, now=now)
        else:
            await _returned(session, grant, payment, reason=word.reason, now=now)
        await session.flush()
        await suspending.recover(session, grant, now=now)
    await session.flush()
    still = await session.scalar(
        select(func.count()).where(Payment.batch_id == batch_id, Payment.state == "batched")
    )
    if not still and batch.state == "sent":
        batch.state = "settled"
        batch.settled_at = now
        await audit.record(
            session, "unemployment.settle-batch", object_kind="unemployment-batch", object_id=batch_id
        )


def _paid(grant: Grant, payment: Payment, *, now: datetime) -> None:
    payment.state = "paid"
    payment.settled_at = now
    if payment.move_id is not None:
        return
    grant.used += 1
    if grant.used == grant.months and grant.ended_on is None:
        grant.ended_on = clock.local_date(now)
        grant.ended_because = "used_up"


async def _returned(
    session: AsyncSession, grant: Grant, payment: Payment, *, reason: str | None, now: datetime
) -> None:
    was_paid = payment.state == "paid"
    payment.state = "returned"
    payment.reason = reason
    payment.settled_at = now
    if payment.move_id is not None:
        # Not the person's to mend: an officer sees it and has it sent again.
        log.error("unemployment move %s: its money came back (%s)", payment.move_id, reason)
        return
    grant.used -= was_paid
    await notices.tell_person(
        session, grant.person_id, "unemployment.returned", about=grant.id, month=label(payment.month)
    )


async def _ids(condition: object) -> Sequence[UUID]:
    async with database().reading() as look:
        return (await look.scalars(select(Batch.id).where(condition).order_by(Batch.id))).all()  # type: ignore[arg-type]
