"""What becomes of an order: handed over, refunded, or nobody came.

reserved → picked_up | refunded | no_show; picked_up → refunded. Source: docs/domain.md §8.2.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.errors import Conflict, NotFound, Words
from services.duty_free.allowance import ledger
from services.duty_free.allowance.models import Order
from services.duty_free.allowance.rule_table import Mode


class OrderMissing(NotFound):
    """No such order, or another's."""

    type = "duty-free/order-not-found"
    title = Words("没有找到这笔免税订单", "There is no such duty-free order")


class OrderOver(Conflict):
    """The order is not as it would have to be for this; the member `state` says how it is."""

    type = "duty-free/order-over"
    title = Words("订单当前状态不能这样处理，请刷新", "The order cannot be dealt with like this as it stands")

    def __init__(self, state: str) -> None:
        super().__init__(members={"state": state})


class CheckNeeded(Conflict):
    """Goods picked up on return are handed over by the check of the buyer alone."""

    type = "duty-free/pickup-check-needed"
    title = Words(
        "返岛提取须扫购买人的提货码，核验通过即为提货",
        "Goods picked up on return are handed over by scanning the buyer's pick-up code",
    )


class ParcelNeeded(Conflict):
    """Mailed goods are handed over by handing them to a carrier."""

    type = "duty-free/parcel-needed"
    title = Words(
        "邮寄送达的订单请登记物流单号，登记即为寄出",
        "Mailed goods are handed over by registering their parcel",
    )


async def read(session: AsyncSession, order_id: UUID, merchant_id: UUID) -> Order:
    """A shop looks at an order of its own; the look is recorded. Raises OrderMissing."""
    order = await session.get(Order, order_id)
    if order is None or order.merchant_id != merchant_id:
        raise OrderMissing
    await audit.record(
        session,
        "duty-free.read",
        subject=order.person_id,
        object_kind="order",
        object_id=order.id,
        fields=["basket", "state"],
        reason="门店查看订单",
    )
    return order


async def hand_over(session: AsyncSession, order_id: UUID, merchant_id: UUID, *, now: datetime) -> Order:
    """The goods are the buyer's: the quota is consumed. A second time changes nothing.

    Raises OrderMissing, OrderOver, CheckNeeded, ParcelNeeded.
    """
    order = await _held(session, order_id, merchant_id)
    if order.state == "picked_up":
        return order
    if order.pick_up == Mode.ON_RETURN:
        raise CheckNeeded
    if order.pick_up == Mode.MAIL:
        raise ParcelNeeded
    if order.state != "reserved":
        raise OrderOver(order.state)
    await consume(session, order, now=now)
    return order


async def refund(session: AsyncSession, order_id: UUID, merchant_id: UUID, *, now: datetime) -> Order:
    """The whole order is refunded: what it used is free again. A second time changes nothing.

    Raises OrderMissing, OrderOver where nobody came for it.
    """
    order = await _held(session, order_id, merchant_id)
    if order.state == "refunded":
        return order
    if order.state == "no_show":
        raise OrderOver(order.state)
    await _release(session, order, "refunded", now=now)
    return order


async def consume(session: AsyncSession, order: Order, *, now: datetime) -> None:
    """Note a reserved order, which is locked, as handed over."""
    await ledger.consume(session, order)
    order.state, order.settled_at = "picked_up", now
    await _record(session, order, "duty-free.pick-up")


async def give_up(session: AsyncSession, order_id: UUID, *, today: date, now: datetime) -> bool:
    """Release an order whose last day is over; whether it was still waiting."""
    order = await lock(session, order_id)
    if order is None or order.state != "reserved" or order.collect_by is None or order.collect_by >= today:
        return False
    await _release(session, order, "no_show", now=now)
    return True


async def lock(session: AsyncSession, order_id: UUID) -> Order | None:
    """An order, held until the commit."""
    found: Order | None = await session.scalar(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    )
    return found


async def _held(session: AsyncSession, order_id: UUID, merchant_id: UUID) -> Order:
    order = await lock(session, order_id)
    if order is None or order.merchant_id != merchant_id:
        raise OrderMissing
    return order


async def _release(session: AsyncSession, order: Order, state: str, *, now: datetime) -> None:
    await ledger.release(session, order)
    order.state, order.settled_at = state, now
    await _record(session, order, f"duty-free.{state.replace('_', '-').replace('refunded', 'refund')}")


async def _record(session: AsyncSession, order: Order, action: str) -> None:
    await audit.record(session, action, subject=order.person_id, object_kind="order", object_id=order.id)
    await session.flush()
