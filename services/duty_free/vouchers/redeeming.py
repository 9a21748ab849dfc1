"""Taking a voucher for an order, once, and giving it back the same day (核销与冲正).

The order is held before the voucher is: two tills at one order see each other's vouchers, two shops with one
voucher wait for each other, and the second is told what became of it. Source: docs/domain.md §8.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.clock import local_date
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.ids import new_id
from haiyiban.money import yuan
from services.duty_free.vouchers import rules
from services.duty_free.vouchers.models import Campaign, CampaignShop, Voucher
from services.duty_free.vouchers.rules import Obstacle, Terms
from services.duty_free.vouchers.settlement_models import Redemption, Refund, SettlementEntry
from services.duty_free.vouchers.till_refusals import (
    BelowThreshold,
    NotStackable,
    OrderDiffers,
    RedemptionMissing,
    RedemptionOver,
    ReversalTooLate,
    VoucherExpired,
    VoucherRedeemed,
    WrongShop,
)


class Till(NamedTuple):
    """The order that a shop takes a voucher for."""

    merchant_id: UUID
    order_number: str
    order_amount_fen: int
    verification_id: UUID
    now: datetime


async def redeem(session: AsyncSession, ref: int, till: Till) -> Redemption:
    """Take the voucher for the order; of the same order it is taken already it is the first redemption.

    Raises VoucherRedeemed, VoucherExpired, WrongShop, NotStackable, BelowThreshold, OrderDiffers.
    """
    await hold_order(session, till.merchant_id, till.order_number)
    voucher = await _held(session, ref)
    known = await in_force(session, voucher.id, till)
    if known is not None:
        return known
    state = rules.state_now(voucher.state, voucher.valid_until, now=till.now)
    if state != "claimed":
        raise VoucherExpired if state == "expired" else VoucherRedeemed(state)
    await _require_fit(session, voucher, till)
    redemption = Redemption(
        id=new_id(),
        voucher_id=voucher.id,
        merchant_id=till.merchant_id,
        order_number=till.order_number,
        order_amount_fen=till.order_amount_fen,
        face_fen=voucher.face_fen,
        state="redeemed",
        verification_id=till.verification_id,
        at=till.now,
        day=local_date(till.now),
    )
    session.add(redemption)
    await session.flush()
    voucher.state = "redeemed"
    session.add(entry_of(redemption, "redemption", redemption.face_fen, now=till.now))
    await record(session, "duty-free.redeem", voucher)
    return redemption


async def repeated(session: AsyncSession, ref: int, till: Till) -> Redemption:
    """The redemption that this shop made for this order with a code that is used up by now.

    Raises RedemptionMissing where there is none, VoucherRedeemed, VoucherExpired where the voucher says why.
    """
    voucher = (await session.scalars(select(Voucher).where(Voucher.ref == ref))).one()
    known = await in_force(session, voucher.id, till)
    if known is not None:
        return known
    state = rules.state_now(voucher.state, voucher.valid_until, now=till.now)
    if state == "claimed":
        raise RedemptionMissing
    raise VoucherExpired if state == "expired" else VoucherRedeemed(state)


async def reverse(
    session: AsyncSession, redemption_id: UUID, merchant_id: UUID, *, now: datetime
) -> Redemption:
    """Give the voucher back, on the day it was taken. A second time changes nothing.

    Raises RedemptionMissing, ReversalTooLate, RedemptionOver.
    """
    redemption = await redemption_of(session, redemption_id, merchant_id)
    if redemption.state == "reversed":
        return redemption
    has_refunds = await session.scalar(
        select(func.count())
        .select_from(Refund)
        .where(Refund.merchant_id == merchant_id, Refund.order_number == redemption.order_number)
    )
    if redemption.state != "redeemed" or has_refunds:
        raise RedemptionOver(redemption.state)
    if not rules.may_reverse(redemption.day, today=local_date(now)):
        raise ReversalTooLate
    voucher = await held_voucher(session, redemption)
    redemption.state, redemption.settled_at = "reversed", now
    voucher.state = rules.after_reversal(voucher.valid_until, now=now)
    session.add(entry_of(redemption, "reversal", -redemption.face_fen, now=now))
    await record(session, "duty-free.reverse-redemption", voucher)
    return redemption


async def hold_order(session: AsyncSession, merchant_id: UUID, order_number: str) -> None:
    """Let nobody else put a voucher on this order, or take one off, before this transaction ends."""
    name = hashlib.sha256(b"duty-free.order" + merchant_id.bytes + order_number.encode()).digest()
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(name[:8], signed=True))))


async def redemption_of(session: AsyncSession, redemption_id: UUID, merchant_id: UUID) -> Redemption:
    """A redemption of this shop's, its order held. Raises RedemptionMissing."""
    order_number = await session.scalar(
        select(Redemption.order_number).where(
            Redemption.id == redemption_id, Redemption.merchant_id == merchant_id
        )
    )
    if order_number is None:
        raise RedemptionMissing
    await hold_order(session, merchant_id, order_number)
    found: Redemption = await session.get_one(Redemption, redemption_id, populate_existing=True)
    return found


async def of_order(session: AsyncSession, merchant_id: UUID, order_number: str) -> Sequence[Redemption]:
    """The vouchers that are on an order, the first to be taken first."""
    rows = await session.scalars(
        select(Redemption)
        .where(
            Redemption.merchant_id == merchant_id,
            Redemption.order_number == order_number,
            Redemption.state == "redeemed",
        )
        .order_by(Redemption.id)
    )
    return rows.all()


async def in_force(session: AsyncSession, voucher_id: UUID, till: Till) -> Redemption | None:
    """The redemption of this voucher for this order, if it stands. Raises OrderDiffers at another price."""
    for each in await of_order(session, till.merchant_id, till.order_number):
        if each.voucher_id == voucher_id:
            if each.order_amount_fen != till.order_amount_fen:
                raise OrderDiffers(errors=[_the_amount(each.order_amount_fen)])
            return each
    return None


async def held_voucher(session: AsyncSession, redemption: Redemption) -> Voucher:
    """The voucher of a redemption, held until the commit."""
    return await _lock(session, Voucher.id == redemption.voucher_id)


def entry_of(
    redemption: Redemption, kind: str, amount_fen: int, *, now: datetime, refund_id: UUID | None = None
) -> SettlementEntry:
    """The line of an act in the shop's settlement."""
    return SettlementEntry(
        id=new_id(),
        merchant_id=redemption.merchant_id,
        day=local_date(now),
        at=now,
        kind=kind,
        redemption_id=redemption.id,
        refund_id=refund_id,
        amount_fen=amount_fen,
    )


async def record(session: AsyncSession, action: str, voucher: Voucher) -> None:
    """Keep who did what with somebody's voucher."""
    await audit.record(
        session, action, subject=voucher.person_id, object_kind="voucher", object_id=voucher.id
    )
    await session.flush()


async def _require_fit(session: AsyncSession, voucher: Voucher, till: Till) -> None:
    if await session.get(CampaignShop, (voucher.campaign_id, till.merchant_id)) is None:
        raise WrongShop
    others = await of_order(session, till.merchant_id, till.order_number)
    if any(each.order_amount_fen != till.order_amount_fen for each in others):
        raise OrderDiffers(errors=[_the_amount(others[0].order_amount_fen)])
    refunded = select(Refund.id).where(
        Refund.merchant_id == till.merchant_id, Refund.order_number == till.order_number
    )
    if await session.scalar(refunded.limit(1)) is not None:
        raise OrderDiffers
    found = rules.obstacles(
        await _terms(session, voucher.id),
        order_amount_fen=till.order_amount_fen,
        beside=[await _terms(session, each.voucher_id) for each in others],
    )
    for obstacle in found:
        raise _refusal(obstacle)


async def _terms(session: AsyncSession, voucher_id: UUID) -> Terms:
    row = await session.execute(
        select(Voucher.face_fen, Voucher.threshold_fen, Campaign.stack_most)
        .join(Campaign, Campaign.id == Voucher.campaign_id)
        .where(Voucher.id == voucher_id)
    )
    return Terms._make(row.one())


def _refusal(obstacle: Obstacle) -> Problem:
    return (
        NotStackable(obstacle.needed) if obstacle.code == "not-stackable" else BelowThreshold(obstacle.needed)
    )


def _the_amount(fen: int) -> FieldError:
    return FieldError("/orderAmountFen", Words(f"先前为 {yuan(fen)} 元", f"it was {yuan(fen)} yuan before"))


async def _held(session: AsyncSession, ref: int) -> Voucher:
    return await _lock(session, Voucher.ref == ref)


async def _lock(session: AsyncSession, where: object) -> Voucher:
    statement = (
        select(Voucher)
        .where(where)  # type: ignore[arg-type]
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: Voucher = (await session.scalars(statement)).one()
    return found
