"""What of the duty-free zone stands in the way of closing an account, and what stays (注销)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.clock import local_date
from haiyiban.errors import Words
from haiyiban.zone import InTheWay, Kept
from services.duty_free.allowance.models import Order
from services.duty_free.vouchers.models import Voucher


async def in_the_way(session: AsyncSession, person_id: UUID) -> list[InTheWay]:
    """For `Zone.in_the_way`: goods and money's worth that would be lost."""
    vouchers = await session.scalars(
        select(Voucher)
        .where(Voucher.person_id == person_id, Voucher.state == "claimed", Voucher.valid_until > clock.now())
        .order_by(Voucher.id)
    )
    orders = await session.scalars(
        select(Order).where(Order.person_id == person_id, Order.state == "reserved").order_by(Order.id)
    )
    return [*map(_voucher, vouchers), *map(_order, orders)]


def _voucher(voucher: Voucher) -> InTheWay:
    last = local_date(voucher.valid_until)
    return InTheWay(
        Words(f"消费券 {voucher.number} 已领未用", f"Voucher {voucher.number} is claimed and not used"),
        Words(f"请使用，或等到 {last} 过期", f"Use it, or wait until it expires on {last}"),
        "/duty-free",
    )


def _order(order: Order) -> InTheWay:
    return InTheWay(
        Words(
            f"「{order.merchant_name}」的订单 {order.order_number} 尚未提货",
            f"Order {order.order_number} of {order.merchant_name} is not picked up",
        ),
        Words("请提货，或请商家退单", "Pick it up, or ask the shop to refund it"),
        "/duty-free/orders",
    )


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: nothing goes; the year's allowance is the person's, whatever account they have."""
    bought = await session.scalar(select(Order.id).where(Order.person_id == person_id).limit(1))
    claimed = await session.scalar(select(Voucher.id).where(Voucher.person_id == person_id).limit(1))
    if bought is None and claimed is None:
        return []
    return [
        Kept(
            Words(
                "免税订单、年度额度和消费券核销记录", "Duty-free orders, the year's allowance, vouchers used"
            ),
            Words("交易完成后至少三年", "at least three years after the sale"),
            Words(
                "交易信息自交易完成之日起保存不少于三年（电子商务法 第31条）；额度按人按年计算",
                "Sales are kept for three years at least (E-Commerce Law, art. 31); the allowance is a "
                "person's, by the year",
            ),
        )
    ]
