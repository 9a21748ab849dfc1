"""Tables of the allowance: what each year's quota has been used for, and the orders that use it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import SealedJson
from services.duty_free.allowance.rule_table import Mode

STATES = ("reserved", "picked_up", "refunded", "no_show")


class Year(Base):
    """One person's allowance of one calendar year (免税额度): `reserved` by orders, `consumed` at pick-up.

    The database itself lets nobody pass the quota, however many orders are made at once.
    """

    __tablename__ = "duty_free_year"
    __table_args__ = (
        CheckConstraint("reserved_fen >= 0 AND consumed_fen >= 0", name="not_negative"),
        CheckConstraint("reserved_fen + consumed_fen <= quota_fen", name="within_quota"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    quota_fen: Mapped[int]
    reserved_fen: Mapped[int] = mapped_column(default=0)
    consumed_fen: Mapped[int] = mapped_column(default=0)


class Order(Base):
    """Duty-free goods that a shop sold to a person (免税订单), until they are handed over or given up."""

    __tablename__ = "duty_free_order"
    __table_args__ = (
        UniqueConstraint("merchant_id", "order_number"),
        Index("ix_duty_free_order_person", "person_id", "id"),
        Index("ix_duty_free_order_trip", "trip_index"),
        Index("ix_duty_free_order_settled_at", "settled_at"),
        Index("ix_duty_free_order_collect_by", "collect_by", postgresql_where="state = 'reserved'"),
        CheckConstraint("state IN ('reserved', 'picked_up', 'refunded', 'no_show')", name="state"),
        CheckConstraint("(state = 'reserved') = (settled_at IS NULL)", name="settled"),
        CheckConstraint("pick_up IN (" + ", ".join(f"'{mode.value}'" for mode in Mode) + ")", name="pick_up"),
        CheckConstraint(
            "free_fen >= 0 AND excess_fen >= 0 AND free_fen + excess_fen = total_fen", name="amounts"
        ),
        CheckConstraint("tax_fen >= 0 AND tax_fen <= excess_fen", name="tax"),
        CheckConstraint("(pick_up IN ('guaranteed', 'immediate')) = (collect_by IS NULL)", name="collect_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[int] = mapped_column(BigInteger, Identity(always=True, maxvalue=2**40 - 1), unique=True)
    """Row number of 40 bits, which a pick-up code carries inside its cti."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    """The buyer."""
    merchant_id: Mapped[UUID]
    """The accredited shop (核验方)."""
    merchant_name: Mapped[str]
    """As it was accredited when it sold."""
    order_number: Mapped[str]
    """The shop's own."""
    purchased_at: Mapped[datetime]
    year: Mapped[int]
    """Of purchase, Asia/Shanghai: whose quota it uses."""
    pick_up: Mapped[str]
    state: Mapped[str]
    settled_at: Mapped[datetime | None]
    """When it was handed over, refunded or given up last."""
    total_fen: Mapped[int]
    free_fen: Mapped[int]
    excess_fen: Mapped[int]
    tax_fen: Mapped[int | None]
    """None where a rate was not known; never naught for that."""
    rules_from: Mapped[date] = mapped_column(Date)
    """Which dated rules it was taken by."""
    departs_at: Mapped[datetime]
    trip_index: Mapped[bytes]
    """Blind index of the journey: orders of one journey share its limits."""
    collect_by: Mapped[date | None] = mapped_column(Date)
    """The last day on which goods are kept for the buyer; None where they were taken at once."""
    leave_by: Mapped[date | None] = mapped_column(Date)
    """Of goods taken at once, the last day to leave the island with them."""
    basket_sealed: Mapped[bytes]
    basket = SealedJson()
    """{lines: [Line], within: [pieces of each line that are within the limits of the trip], departure}."""
