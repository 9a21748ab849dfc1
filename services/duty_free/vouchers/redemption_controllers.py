"""A shop's side of vouchers: taking them, giving them back the same day, refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.codes.scanning import scan
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.wire import Input, Output, problems
from services.duty_free.refusals import CodeRefused
from services.duty_free.vouchers import redeeming, refunding, till_refusals
from services.duty_free.vouchers.redeeming import Till
from services.duty_free.vouchers.settlement_models import Redemption
from services.duty_free.vouchers.till_refusals import RedemptionMissing

PURPOSE = "shop"
MOST_FEN = 10**12
Amount = Annotated[int, Meta(ge=1, le=MOST_FEN)]
Number = Annotated[str, Meta(min_length=1, max_length=64)]


class RedemptionCreate(Input):
    """The owner's voucher code, and the order: `orderAmountFen` is its whole price before any voucher.

    `challenge`: base64url of the 8 bytes that the counter showed, for a code that the phone drew by itself.
    """

    text: str
    order_number: Number
    order_amount_fen: Amount
    challenge: Annotated[str, Meta(max_length=20)] | None = None
    place: Annotated[str, Meta(max_length=100)] | None = None


class RedemptionRead(Output):
    """A voucher taken for an order. `payFen`: what the buyer pays for the order with all its vouchers."""

    id: UUID
    state: str
    """redeemed, reversed, refunded."""
    order_number: str
    order_amount_fen: int
    face_fen: int
    pay_fen: int
    redeemed_at: datetime


class RefundCreate(Input):
    """Goods taken back. `refundNumber` is the shop's own: the same again is the same refund. `goodsFen` is
    their price before any voucher."""

    refund_number: Number
    goods_fen: Amount


class RefundRead(Output):
    """A refund. `refundFen` goes to the buyer; `voucherFen` is not owed to the shop any more."""

    id: UUID
    refund_number: str
    goods_fen: int
    refund_fen: int
    voucher_fen: int
    is_whole_order: bool
    """With it the whole order is refunded, and its vouchers are the owners' again while they are good."""


class RedemptionsController(Controller):
    """Vouchers at a shop."""

    path = "/zones/duty-free/redemptions"
    tags = ["duty-free"]
    guards = [verifier()]
    security = [{"verifier": []}]

    @post(
        status_code=201,
        summary="Redeem a voucher",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            Malformed,
            CodeRefused,
            till_refusals.VoucherRedeemed,
            till_refusals.VoucherExpired,
            till_refusals.WrongShop,
            till_refusals.NotStackable,
            till_refusals.BelowThreshold,
            till_refusals.OrderDiffers,
        ),
    )
    async def redeem(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[RedemptionCreate],
    ) -> RedemptionRead:
        """Form a, or form b over the counter's challenge. The same voucher for the same order again, with
        the same code or a fresh one, is the first redemption and takes nothing off a second time."""
        now = clock.now()
        scanned = await scan(
            VerificationCreate(
                text=data.text,
                purpose=PURPOSE,
                expected_kind="voucher",
                place=data.place,
                challenge=data.challenge,
            ),
            request.user,
            now=now,
        )
        till = Till(
            request.user.verifier_id, data.order_number, data.order_amount_fen, scanned.answer.id, now
        )
        if scanned.subject is not None:
            return await _read(session, await redeeming.redeem(session, scanned.subject.ref, till))
        if scanned.spent is None or PURPOSE not in request.user.purposes:
            raise CodeRefused(scanned.answer)
        try:
            return await _read(session, await redeeming.repeated(session, scanned.spent, till))
        except RedemptionMissing:
            raise CodeRefused(scanned.answer) from None

    @delete(
        "/{redemption_id:uuid}",
        status_code=200,
        summary="Reverse a redemption of today",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            RedemptionMissing,
            till_refusals.ReversalTooLate,
            till_refusals.RedemptionOver,
        ),
    )
    async def reverse(
        self, request: VerifierRequest, session: NamedDependency[AsyncSession], redemption_id: FromPath[UUID]
    ) -> RedemptionRead:
        """On its own day (Asia/Shanghai) and by the same shop; the voucher is the owner's again while it is
        good. A second time changes nothing."""
        merchant_id = request.user.verifier_id
        return await _read(
            session, await redeeming.reverse(session, redemption_id, merchant_id, now=clock.now())
        )

    @post(
        "/{redemption_id:uuid}/refunds",
        status_code=201,
        summary="Refund goods of an order with vouchers",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            Malformed,
            RedemptionMissing,
            till_refusals.RedemptionOver,
            refunding.RefundTooMuch,
            refunding.RefundDiffers,
        ),
    )
    async def refund(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        redemption_id: FromPath[UUID],
        data: JSONBody[RefundCreate],
    ) -> RefundRead:
        """Of the order that this redemption was for: the buyer gets the share that was paid in money. The
        vouchers stay used unless the whole order has been refunded by then."""
        refund, is_whole = await refunding.refund(
            session,
            redemption_id,
            request.user.verifier_id,
            refund_number=data.refund_number,
            goods_fen=data.goods_fen,
            now=clock.now(),
        )
        return RefundRead(
            id=refund.id,
            refund_number=refund.refund_number,
            goods_fen=refund.goods_fen,
            refund_fen=refund.paid_fen,
            voucher_fen=refund.voucher_fen,
            is_whole_order=is_whole,
        )


async def _read(session: AsyncSession, redemption: Redemption) -> RedemptionRead:
    on_it = await redeeming.of_order(session, redemption.merchant_id, redemption.order_number)
    return RedemptionRead(
        id=redemption.id,
        state=redemption.state,
        order_number=redemption.order_number,
        order_amount_fen=redemption.order_amount_fen,
        face_fen=redemption.face_fen,
        pay_fen=redemption.order_amount_fen - sum(each.face_fen for each in on_it),
        redeemed_at=redemption.at,
    )
