"""Tables of enterprises."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Enterprise(Base):
    """A market entity (市场主体) as its register last described it. Its name and code are in its `Person`, to
    which cases and certificates belong."""

    __tablename__ = "enterprises_enterprise"
    __table_args__ = (
        CheckConstraint("status IN ('in_business', 'revoked', 'cancelled', 'unregistered')", name="status"),
        Index("ix_enterprises_enterprise_checked_at", "checked_at"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    kind: Mapped[str]
    """company, sole_trader or cooperative."""
    division: Mapped[str]
    status: Mapped[str]
    """As registered; `unregistered` where the register no longer knows it."""
    registered_on: Mapped[date] = mapped_column(Date)
    term_until: Mapped[date | None] = mapped_column(Date)
    """The last day of the business term; None without an end."""
    certificate_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificates_certificate.id"))
    """The newest version of its business licence (电子营业执照)."""
    checked_at: Mapped[datetime]
    """As of when the register says all this."""
