"""Table of the parcels that shops handed to carriers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Parcel(Base):
    """A parcel of a mailed order (包裹). Where it is, its carrier is asked each time, and not kept."""

    __tablename__ = "duty_free_parcel"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("duty_free_order.id"), unique=True)
    """Goods of one order are sent once."""
    carrier: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    """Of the waybill (物流单号)."""
    sent_at: Mapped[datetime]
