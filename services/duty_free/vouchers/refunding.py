"""Refunds of orders that had vouchers: the paid share back to the buyer, the rest not owed to the shop.

The whole order refunded, its vouchers are the owners' again while they are good. Source: docs/domain.md §8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, Problem, Words
from haiyiban.ids import new_id
from haiyiban.money import yuan
from services.duty_free.vouchers import redeeming, rules
from services.duty_free.vouchers.settlement_models import Redemption, Refund, SettlementEntry
from services.duty_free.vouchers.till_refusals import RedemptionOver


class RefundTooMuch(Problem):
    """More goods than the order has left."""

    type = "duty-free/refund-too-much"
    title = Words("退款金额超过订单剩余金额", "More would be refunded than the order has left")

    def __init__(self, left_fen: int) -> None:
        words = Words(f"最多可退 {yuan(left_fen)} 元", f"{yuan(left_fen)} yuan at most")
        super().__init__(words, errors=[FieldError("/goodsFen", words)], members={"leftFen": left_fen})


class RefundDiffers(Conflict):
    """This shop has made another refund under this number."""

    type = "duty-free/refund-differs"
    title = Words("这个退款单号已用于另一笔退款", "This refund number was used for another refund")

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/refundNumber", self.title)])


class Refunded(NamedTuple):
    """A refund, and whether the whole order is refunded with it."""

    refund: Refund
    is_whole: bool


async def refund(
    session: AsyncSession,
    redemption_id: UUID,
    merchant_id: UUID,
    *,
    refund_number: str,
    goods_fen: int,
    now: datetime,
) -> Refunded:
    """Refund goods of the order that a redemption was for. The same number again is the same refund.

    Raises RedemptionMissing, RedemptionOver, RefundTooMuch, RefundDiffers.
    """
    redemption = await redeeming.redemption_of(session, redemption_id, merchant_id)
    order_number, amount = redemption.order_number, redemption.order_amount_fen
    before = await _refunded(session, merchant_id, order_number)
    known = await session.scalar(
        select(Refund).where(Refund.merchant_id == merchant_id, Refund.refund_number == refund_number)
    )
    if known is not None:
        if (known.order_number, known.goods_fen) != (order_number, goods_fen):
            raise RefundDiffers
        return Refunded(known, before == amount)
    if redemption.state != "redeemed":
        raise RedemptionOver(redemption.state)
    if before + goods_fen > amount:
        raise RefundTooMuch(amount - before)
    return await _refund(
        session, redemption, refund_number=refund_number, before=before, goods_fen=goods_fen, now=now
    )


async def refund_whole(session: AsyncSession, merchant_id: UUID, order_number: str, *, now: datetime) -> None:
    """Refund what is left of an order; nothing where it has no vouchers."""
    await redeeming.hold_order(session, merchant_id, order_number)
    on_it = await redeeming.of_order(session, merchant_id, order_number)
    if on_it:
        before = await _refunded(session, merchant_id, order_number)
        left = on_it[0].order_amount_fen - before
        number = f"whole:{on_it[0].id}"
        await _refund(session, on_it[0], refund_number=number, before=before, goods_fen=left, now=now)


async def _refund(
    session: AsyncSession,
    redemption: Redemption,
    *,
    refund_number: str,
    before: int,
    goods_fen: int,
    now: datetime,
) -> Refunded:
    amount = redemption.order_amount_fen
    on_it = await redeeming.of_order(session, redemption.merchant_id, redemption.order_number)
    share = rules.refund_share(
        amount,
        await _left(session, on_it),
        face_fen=sum(each.face_fen for each in on_it),
        refunded_before_fen=before,
        goods_fen=goods_fen,
    )
    made = Refund(
        id=new_id(),
        merchant_id=redemption.merchant_id,
        order_number=redemption.order_number,
        refund_number=refund_number,
        goods_fen=goods_fen,
        paid_fen=share.paid_fen,
        voucher_fen=goods_fen - share.paid_fen,
        at=now,
    )
    session.add(made)
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_duty_free_refund_merchant_id_refund_number":
            raise RefundDiffers from None
        raise
    is_whole = before + goods_fen == amount
    for each, fen in zip(on_it, share.by_voucher, strict=True):
        session.add(redeeming.entry_of(each, "refund", -fen, now=now, refund_id=made.id))
        voucher = await redeeming.held_voucher(session, each)
        if is_whole:
            each.state, each.settled_at = "refunded", now
            voucher.state = rules.after_whole_refund(voucher.valid_until, now=now)
        await redeeming.record(session, "duty-free.refund-voucher", voucher)
    return Refunded(made, is_whole)


async def _refunded(session: AsyncSession, merchant_id: UUID, order_number: str) -> int:
    """Goods refunded since vouchers were put on the order, in fen."""
    found: int = await session.scalar(
        select(func.coalesce(func.sum(Refund.goods_fen), 0)).where(
            Refund.merchant_id == merchant_id, Refund.order_number == order_number
        )
    )  # type: ignore[assignment]
    return int(found)


async def _left(session: AsyncSession, on_it: Sequence[Redemption]) -> list[int]:
    """What is still owed for each of these vouchers."""
    rows = await session.execute(
        select(SettlementEntry.redemption_id, func.sum(SettlementEntry.amount_fen))
        .where(SettlementEntry.redemption_id.in_([each.id for each in on_it]))
        .group_by(SettlementEntry.redemption_id)
    )
    owed = {redemption_id: int(fen) for redemption_id, fen in rows}
    return [owed[each.id] for each in on_it]
