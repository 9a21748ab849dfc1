"""Table of the checks at the counter."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class PickupCheck(Base):
    """One check of a buyer who came back (返岛自提核验), with what it came to; never changed."""

    __tablename__ = "duty_free_pickup_check"
    __table_args__ = (
        Index(
            "uq_duty_free_pickup_check_order", "order_id", unique=True, postgresql_where="outcome = 'valid'"
        ),
        CheckConstraint("outcome IN ('valid', 'not_entitled', 'unavailable')", name="outcome"),
        CheckConstraint(
            "outcome <> 'valid' OR (departed = 'yes' AND returned = 'yes' AND in_time = 'yes')", name="valid"
        ),
    )

    verification_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The verification of the code."""
    order_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_order.id"))
    outcome: Mapped[str]
    departed: Mapped[str]
    returned: Mapped[str]
    in_time: Mapped[str]
    at: Mapped[datetime]
