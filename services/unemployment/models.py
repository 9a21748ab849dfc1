"""Tables of unemployment benefit."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Grant(Base):
    """What an approval granted: so many months from a month on, at the standards of a place.

    No amount is kept: each month is paid by the standard of the day it is paid. Source: docs/domain.md §7.2.
    """

    __tablename__ = "unemployment_grant"
    __table_args__ = (
        CheckConstraint("months BETWEEN 1 AND 24", name="months"),
        CheckConstraint("used BETWEEN 0 AND months", name="used"),
        CheckConstraint("carried BETWEEN 0 AND months", name="carried"),
        # One person draws one benefit, whatever two clerks do at once.
        Index("uq_unemployment_grant_running", "person_id", unique=True, postgresql_where="ended_on IS NULL"),
        Index("ix_unemployment_grant_person_id", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates_certificate.id"))
    division: Mapped[str]
    """The last insured place, whose standard is paid."""
    paid_months: Mapped[int] = mapped_column(SmallInteger)
    """Months of contributions that earned it."""
    carried: Mapped[int] = mapped_column(SmallInteger)
    """Months left of earlier grants that went into it. Source: 社会保险法 art. 46."""
    months: Mapped[int] = mapped_column(SmallInteger)
    used: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Months that were paid."""
    starts_on: Mapped[date] = mapped_column(Date)
    """The day of registration, which is the day the application was handed in."""
    granted_at: Mapped[datetime]
    ended_on: Mapped[date | None] = mapped_column(Date)
    ended_because: Mapped[str | None]
    """used_up, or what stopped it."""
