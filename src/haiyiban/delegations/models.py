"""Tables of delegations."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson


class Delegation(Base):
    """One person's leave for another to act for them (委托代办): who, for whom, which matters, until when,
    how often. What it says is never changed; another wish is another delegation."""

    __tablename__ = "delegations_delegation"
    __table_args__ = (
        CheckConstraint("num_nonnulls(taker_id, agent_id) = 1", name="one_taker"),
        CheckConstraint("taker_id <> giver_id", name="not_oneself"),
        CheckConstraint("used >= 0 AND (times IS NULL OR used <= times)", name="used_within_times"),
        CheckConstraint("(basis = 'paper') = (paper_sealed IS NOT NULL)", name="paper"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        CheckConstraint(
            "(role IS NOT NULL) = (basis IN ('legal_representative', 'enterprise'))", name="role"
        ),
        Index(
            "uq_delegations_delegation_representative",
            "giver_id",
            unique=True,
            postgresql_where="basis = 'legal_representative' AND ended_at IS NULL",
        ),
        Index("ix_delegations_delegation_giver_id", "giver_id", "id"),
        Index("ix_delegations_delegation_taker_id", "taker_id", "id"),
        Index("ix_delegations_delegation_agent_id", "agent_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    basis: Mapped[str]
    """What it rests on: `rules.Basis`."""
    giver_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    """For whom: the cases are theirs."""
    taker_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_person.id"))
    """Who may act."""
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_staff.id"))
    """Who may act, where it is a village agent (代办员)."""
    taker_name_sealed: Mapped[bytes | None]
    taker_name = Sealed()
    """The name that the giver wrote, which must be the taker's when they accept."""
    role: Mapped[str | None]
    """What the taker is to the enterprise that gives it: `rules.Role`."""
    matters: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Empty of a legal representative, who acts in all of the enterprise's."""
    until: Mapped[date] = mapped_column(Date)
    """The last day."""
    times: Mapped[int | None]
    """How many cases may be opened; None for as many as needed."""
    used: Mapped[int] = mapped_column(default=0)
    notify: Mapped[str]
    """Who is told about the cases, as the giver chose: giver, taker or both."""
    contact_sealed: Mapped[bytes | None]
    contact = Sealed()
    """The phone of a giver who has no account, as the paper says."""
    text: Mapped[str]
    """The text that was agreed to, with its version."""
    text_hash: Mapped[str]
    paper_sealed: Mapped[bytes | None]
    paper = SealedJson()
    """{documentHash, reference, signedOn, witness: {name, phone}}: the signed paper."""
    made_at: Mapped[datetime]
    giver_agreed_at: Mapped[datetime | None]
    taker_agreed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    """giver, taker, or register where what it rested on is no longer so."""


class DelegationFaceCheck(Base):
    """A giver's face check on the taker's device (实人核验). No image ever comes here."""

    __tablename__ = "delegations_face_check"
    __table_args__ = (
        CheckConstraint("(settled_at IS NULL) = (passed IS NULL)", name="settled"),
        Index("ix_delegations_face_check_taker_id", "taker_id", "settled_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    delegation_id: Mapped[UUID] = mapped_column(ForeignKey("delegations_delegation.id"), index=True)
    taker_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    """On whose device: failures are counted for them."""
    vendor_session: Mapped[str]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    passed: Mapped[bool | None]
