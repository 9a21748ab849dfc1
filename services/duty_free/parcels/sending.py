"""A shop confirms that the buyer has left the island, and hands the goods to a carrier."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, NotFound, Words
from haiyiban.ids import new_id
from services.duty_free.allowance import settling
from services.duty_free.allowance.models import Order
from services.duty_free.allowance.rule_table import Mode
from services.duty_free.allowance.settling import OrderMissing, OrderOver
from services.duty_free.parcels.models import Parcel


class ParcelMissing(NotFound):
    """No such parcel, or another's."""

    type = "duty-free/parcel-not-found"
    title = Words("没有找到您的这个包裹，请核对物流单号", "There is no such parcel of yours; check it")


class NotByMail(Conflict):
    """The goods of this order are not mailed."""

    type = "duty-free/not-by-mail"
    title = Words("这笔订单不是邮寄送达", "The goods of this order are not mailed")


class NotDepartedYet(Conflict):
    """Goods are mailed once the buyer has left the island, never before."""

    type = "duty-free/not-departed-yet"
    title = Words("购买人还没有离岛，离岛后才能寄出", "Goods are mailed after the buyer has left")


class SentAlready(Conflict):
    """The order has its parcel, or the number is another parcel's."""

    type = "duty-free/sent-already"
    title = Words(
        "这笔订单已寄出，或这个物流单号已登记", "This order was sent, or this parcel number is taken"
    )

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/number", self.title)])


class Found(NamedTuple):
    """A parcel and the order that it carries."""

    parcel: Parcel
    order: Order


async def send(
    session: AsyncSession,
    order_id: UUID,
    merchant_id: UUID,
    *,
    carrier: str,
    number: str,
    now: datetime,
) -> Found:
    """Note a mailed order as sent: its quota is consumed (离岛确认). The same parcel again changes nothing.

    Raises OrderMissing, NotByMail, NotDepartedYet, OrderOver, SentAlready. Source: docs/domain.md §8.1.
    """
    order = await settling.lock(session, order_id)
    if order is None or order.merchant_id != merchant_id:
        raise OrderMissing
    known = await session.scalar(select(Parcel).where(Parcel.order_id == order_id))
    if known is not None:
        if (known.carrier, known.number) == (carrier, number):
            return Found(known, order)
        raise SentAlready
    if order.pick_up != Mode.MAIL:
        raise NotByMail
    if order.state not in {"reserved", "picked_up"}:
        raise OrderOver(order.state)
    if now < order.departs_at:
        raise NotDepartedYet
    parcel = Parcel(id=new_id(), order_id=order.id, carrier=carrier, number=number, sent_at=now)
    session.add(parcel)
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_duty_free_parcel_number":
            raise SentAlready from None
        raise
    if order.state == "reserved":
        await settling.consume(session, order, now=now)
    await audit.record(
        session,
        "duty-free.send-parcel",
        subject=order.person_id,
        object_kind="parcel",
        object_id=parcel.id,
    )
    return Found(parcel, order)


async def of_buyer(session: AsyncSession, number: str, person_id: UUID) -> Found:
    """A buyer's own parcel. Raises ParcelMissing, also for one of somebody else."""
    row = (
        await session.execute(
            select(Parcel, Order)
            .join(Order, Order.id == Parcel.order_id)
            .where(Parcel.number == number, Order.person_id == person_id)
        )
    ).first()
    if row is None:
        raise ParcelMissing
    return Found(row[0], row[1])
