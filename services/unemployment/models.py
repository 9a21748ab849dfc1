"""Tables of unemployment benefit."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed


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
    letter: Mapped[str | None] = mapped_column(unique=True)
    """The letter of another province whose months went into it; each goes into one grant."""
    months: Mapped[int] = mapped_column(SmallInteger)
    used: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Months that were paid."""
    starts_on: Mapped[date] = mapped_column(Date)
    """The day of registration, which is the day the application was handed in."""
    granted_at: Mapped[datetime]
    ended_on: Mapped[date | None] = mapped_column(Date)
    ended_because: Mapped[str | None]
    """used_up, moved, or what stopped it."""
    suspended_on: Mapped[date | None] = mapped_column(Date)
    suspended_because: Mapped[str | None]
    """What a register says against it: employed, insured, pension, died, military_service, moved_abroad or
    imprisoned."""
    event_on: Mapped[date | None] = mapped_column(Date)
    """Since when, where the register says so, else the day of the suspension counts; from that month on there
    is no right to the benefit."""
    set_aside: Mapped[str | None]
    """What a register said against it and a clerk found wrong: that event does not suspend it again."""
    set_aside_since: Mapped[date | None] = mapped_column(Date)
    object_by: Mapped[date | None] = mapped_column(Date)
    """The last day to object to the suspension; after it the grant stops."""
    objection_sealed: Mapped[bytes | None]
    objection = Sealed()
    """What the person says against it, in their own words; a clerk decides."""
    reminded_for: Mapped[date | None] = mapped_column(Date)
    """The month whose missing declaration or account the person was last told of."""


class BankAccount(Base):
    """Where a person wants to be paid; it must be their own, so the bank compares the name."""

    __tablename__ = "unemployment_bank_account"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    id: Mapped[UUID]
    number_sealed: Mapped[bytes]
    number = Sealed()
    changed_at: Mapped[datetime]


class Declaration(Base):
    """Somebody is still out of work and seeking, by their own word, for one month.

    Source: docs/domain.md §7.5.
    """

    __tablename__ = "unemployment_declaration"

    grant_id: Mapped[UUID] = mapped_column(ForeignKey("unemployment_grant.id"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    """The first day of the month."""
    declared_at: Mapped[datetime]


class Batch(Base):
    """Payments that go to the bank in one file (pain.001)."""

    __tablename__ = "unemployment_batch"
    __table_args__ = (
        CheckConstraint("state IN ('made', 'released', 'sent', 'settled')", name="state"),
        CheckConstraint("total_fen > 0", name="total"),
        Index("ix_unemployment_batch_open", "id", postgresql_where="state <> 'settled'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    """What the bank knows the file by; it carries each out once."""
    state: Mapped[str]
    """made (waits for an officer) → released → sent → settled."""
    count: Mapped[int]
    total_fen: Mapped[int] = mapped_column(BigInteger)
    file_sealed: Mapped[bytes]
    file = Sealed()
    """The pain.001, the same bytes however often it is sent."""
    made_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[UUID | None]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Move(Base):
    """Somebody's insurance that moves to another province (关系转移). Source: docs/domain.md §7.4."""

    __tablename__ = "unemployment_move"
    __table_args__ = (
        CheckConstraint("state IN ('decided', 'carried_out', 'confirmed')", name="state"),
        CheckConstraint("(state = 'decided') = (amount_fen IS NULL)", name="amount"),
        Index("ix_unemployment_move_open", "id", postgresql_where="state <> 'confirmed'"),
        Index("ix_unemployment_move_person_id", "person_id", "id"),
        Index("ix_unemployment_move_grant_id", "grant_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    grant_id: Mapped[UUID | None] = mapped_column(ForeignKey("unemployment_grant.id"))
    """The grant whose months left go along, if any are left."""
    to: Mapped[str]
    """The province."""
    state: Mapped[str]
    """decided → carried_out (ended here, money due) → confirmed (the other province has the record)."""
    paid_months: Mapped[int] = mapped_column(SmallInteger)
    """Months of contributions that no grant has used."""
    months_left: Mapped[int | None] = mapped_column(SmallInteger)
    monthly_fen: Mapped[int | None] = mapped_column(BigInteger)
    """The standard of the day it was carried out, where money moves."""
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    """What goes to the other province's fund; 0 where only the record moves."""
    decided_at: Mapped[datetime]
    carried_out_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]


class Payment(Base):
    """One month of one grant, from due to paid; returned, it is paid once more under a new attempt. Or what
    moves with a person to another province's fund, in place of the months from `number` on."""

    __tablename__ = "unemployment_payment"
    __table_args__ = (
        CheckConstraint("state IN ('due', 'batched', 'paid', 'returned')", name="state"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(state = 'due') = (batch_id IS NULL)", name="batched"),
        UniqueConstraint("grant_id", "number", "attempt"),
        # However many runs and workers: a month is paid once.
        Index(
            "uq_unemployment_payment_month",
            "grant_id",
            "number",
            unique=True,
            postgresql_where="state <> 'returned'",
        ),
        Index("ix_unemployment_payment_due", "id", postgresql_where="state = 'due'"),
        Index("ix_unemployment_payment_batch_id", "batch_id"),
        Index("ix_unemployment_payment_move_id", "move_id", postgresql_where="move_id IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("unemployment_grant.id"))
    move_id: Mapped[UUID | None] = mapped_column(ForeignKey("unemployment_move.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    """Which month of the grant, from 0."""
    attempt: Mapped[int] = mapped_column(SmallInteger)
    month: Mapped[date] = mapped_column(Date)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    """due (应发) → batched (复核、报送) → paid (成功) or returned (退票)."""
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("unemployment_batch.id"))
    reason: Mapped[str | None]
    """Why the bank gave it back, by ISO 20022 code."""
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class Recovery(Base):
    """Months that were paid for after the right to them had ended, to be paid back."""

    __tablename__ = "unemployment_recovery"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("unemployment_grant.id"), unique=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[date] = mapped_column(Date)
    """The month in which the right ended."""
    reason: Mapped[str]
    opened_at: Mapped[datetime]
