"""Tables of campaigns, their stock by the day, and the vouchers that were claimed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Campaign(Base):
    """Vouchers that may be claimed within a window (消费券活动). `stock_left` and the vouchers claimed always
    come to `stock`."""

    __tablename__ = "duty_free_campaign"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="window"),
        CheckConstraint("face_fen > 0 AND face_fen <= threshold_fen", name="amounts"),
        CheckConstraint("stock_left >= 0 AND stock_left <= stock", name="stock"),
        CheckConstraint("per_person > 0 AND per_person_day > 0 AND stock_day >= 0", name="limits"),
        CheckConstraint("valid_hours > 0", name="valid_hours"),
        CheckConstraint("state IN ('draft', 'open', 'paused', 'closed')", name="state"),
        CheckConstraint("min_level IN ('L2', 'L3')", name="min_level"),
        CheckConstraint("stack_most > 0", name="stack_most"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    """The first instant at which nothing can be claimed any more."""
    face_fen: Mapped[int]
    """What the voucher takes off (减)."""
    threshold_fen: Mapped[int]
    """From which price on (满)."""
    stock: Mapped[int]
    """How many there are in all."""
    stock_left: Mapped[int]
    stock_day: Mapped[int | None]
    """How many go out on one day (Asia/Shanghai) at most; None for no such limit."""
    per_person: Mapped[int]
    per_person_day: Mapped[int]
    valid_hours: Mapped[int]
    """How long a voucher is good after it was claimed."""
    state: Mapped[str]
    """draft, open, paused, closed: only one that is open gives anything out, and that within its window."""
    four_eyes: Mapped[bool] = mapped_column(server_default="false")
    """Whether it is opened by two persons, and paused before what it gives out is changed."""
    opening_asked_by: Mapped[UUID | None]
    """The operator who asked for it to be opened, while the second one has not."""
    min_level: Mapped[str]
    """From which level of assurance on one may claim; using a voucher takes L3 in any case."""
    for_visitors: Mapped[bool]
    """Whether those may claim who are known by another document than the identity card."""
    stack_most: Mapped[int]
    """How many vouchers an order may have where one of them is of this campaign; 1: this one alone."""


class CampaignShop(Base):
    """A shop in which a campaign's vouchers can be used; one without any can be used nowhere."""

    __tablename__ = "duty_free_campaign_shop"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_campaign.id"), primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_verifier.id"), primary_key=True)
    """The accredited shop (核验方)."""


class CampaignDay(Base):
    """How many vouchers of a campaign went out on one day."""

    __tablename__ = "duty_free_campaign_day"
    __table_args__ = (CheckConstraint("claimed >= 0", name="not_negative"),)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_campaign.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    claimed: Mapped[int]


class Voucher(Base):
    """A voucher that somebody claimed (消费券). One key of a person's has one voucher, and a person has one
    in each slot: the database itself gives no second."""

    __tablename__ = "duty_free_voucher"
    __table_args__ = (
        UniqueConstraint("campaign_id", "person_id", "slot"),
        Index("ix_duty_free_voucher_person", "person_id", "id"),
        Index("ix_duty_free_voucher_expiring", "valid_until", postgresql_where="state = 'claimed'"),
        CheckConstraint("slot > 0", name="slot"),
        CheckConstraint("state IN ('claimed', 'redeemed', 'expired', 'returned')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[int] = mapped_column(BigInteger, Identity(always=True, maxvalue=2**40 - 1), unique=True)
    """Row number of 40 bits, which a voucher code carries inside its cti."""
    number: Mapped[str] = mapped_column(unique=True)
    """For people to read out."""
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_campaign.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    slot: Mapped[int]
    """The how-manieth of this person's in the campaign, from 1."""
    request_key: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of person, campaign and Idempotency-Key."""
    claimed_at: Mapped[datetime]
    day: Mapped[date] = mapped_column(Date)
    """Of claiming, Asia/Shanghai."""
    valid_until: Mapped[datetime]
    face_fen: Mapped[int]
    """As the campaign had it when it was claimed, and the threshold likewise."""
    threshold_fen: Mapped[int]
    state: Mapped[str]
    """claimed, redeemed, expired, or returned: given back by a refund when its time was over (rules.py)."""
