"""Tables of campaigns, their stock by the day, and the vouchers that were claimed."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint
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
        CheckConstraint("slot > 0", name="slot"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
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
