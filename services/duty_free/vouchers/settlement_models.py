"""Tables of what shops took vouchers for, and of what is owed to them for it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Redemption(Base):
    """A voucher that a shop took for an order (核销). A voucher stands behind one order at a time."""

    __tablename__ = "duty_free_redemption"
    __table_args__ = (
        Index(
            "uq_duty_free_redemption_voucher",
            "voucher_id",
            unique=True,
            postgresql_where="state = 'redeemed'",
        ),
        Index("ix_duty_free_redemption_order", "merchant_id", "order_number"),
        Index("ix_duty_free_redemption_day", "day", "merchant_id"),
        CheckConstraint("state IN ('redeemed', 'reversed', 'refunded')", name="state"),
        CheckConstraint("(state = 'redeemed') = (settled_at IS NULL)", name="settled"),
        CheckConstraint("face_fen > 0 AND face_fen <= order_amount_fen", name="amounts"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    voucher_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_voucher.id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_verifier.id"))
    order_number: Mapped[str]
    """The shop's own."""
    order_amount_fen: Mapped[int]
    """Of the whole order, before any voucher."""
    face_fen: Mapped[int]
    state: Mapped[str]
    """redeemed; reversed on its day; refunded with its whole order."""
    verification_id: Mapped[UUID]
    """The verification of the code."""
    at: Mapped[datetime]
    day: Mapped[date] = mapped_column(Date)
    """Asia/Shanghai."""
    settled_at: Mapped[datetime | None]
    """When it was reversed or refunded."""


class Refund(Base):
    """Goods of an order with vouchers that a shop took back (退款): some of them, or the last of them."""

    __tablename__ = "duty_free_refund"
    __table_args__ = (
        UniqueConstraint("merchant_id", "refund_number"),
        Index("ix_duty_free_refund_order", "merchant_id", "order_number"),
        Index("ix_duty_free_refund_at", "at", "merchant_id"),
        CheckConstraint("goods_fen > 0 AND paid_fen >= 0 AND voucher_fen >= 0", name="amounts"),
        CheckConstraint("paid_fen + voucher_fen = goods_fen", name="shares"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_verifier.id"))
    order_number: Mapped[str]
    refund_number: Mapped[str]
    """The shop's own: the same again is the same refund."""
    goods_fen: Mapped[int]
    """Price of the goods taken back, before any voucher."""
    paid_fen: Mapped[int]
    """What the buyer gets back: the share of it that was paid in money."""
    voucher_fen: Mapped[int]
    """The share that vouchers stood for, which is not owed to the shop any more."""
    at: Mapped[datetime]


class SettlementEntry(Base):
    """One line of what is owed to a shop (结算明细), written in the transaction of the act; never changed."""

    __tablename__ = "duty_free_settlement_entry"
    __table_args__ = (
        UniqueConstraint("redemption_id", "kind", "refund_id", postgresql_nulls_not_distinct=True),
        Index("ix_duty_free_settlement_entry_day", "merchant_id", "day", "id"),
        CheckConstraint("kind IN ('redemption', 'reversal', 'refund')", name="kind"),
        CheckConstraint("(kind = 'refund') = (refund_id IS NOT NULL)", name="refund"),
        CheckConstraint("(kind = 'redemption') = (amount_fen > 0)", name="sign"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_verifier.id"))
    day: Mapped[date] = mapped_column(Date)
    """Of the act, Asia/Shanghai: a day that is over gets no more lines."""
    at: Mapped[datetime]
    kind: Mapped[str]
    redemption_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_redemption.id"))
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("duty_free_refund.id"))
    amount_fen: Mapped[int]
    """Owed to the shop; what is taken back is negative."""
