"""Tables of what happens after the results: answers, waiting lists, appeals, late applications."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson


class Answer(Base):
    """What a family said of its place: that it comes, or that it does not. No row: the place is kept."""

    __tablename__ = "school_places_answer"
    __table_args__ = (
        CheckConstraint("answer IN ('confirmed', 'refused')", name="answer"),
        CheckConstraint("(answer = 'refused') = (school_id IS NOT NULL)", name="refused_a_seat"),
        Index("ix_school_places_answer_at", "at", postgresql_where="answer = 'refused'"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_roll_entry.id"), primary_key=True)
    answer: Mapped[str]
    at: Mapped[datetime]
    reason_sealed: Mapped[bytes | None]
    reason = Sealed()
    school_id: Mapped[UUID | None] = mapped_column(ForeignKey("school_places_school.id"))
    """The seat that was given up, with how it had been got: what an undo gives back."""
    choice: Mapped[int | None] = mapped_column(SmallInteger)
    outcome: Mapped[str | None]

    @property
    def id(self) -> UUID:
        """What the seal of the reason is bound to."""
        return self.entry_id


class Waiting(Base):
    """One child on the waiting list (候补) of one school, and the offer that it had of a seat there."""

    __tablename__ = "school_places_waiting"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'offered', 'accepted', 'declined', 'expired', 'left', 'better_placed')",
            name="state",
        ),
        CheckConstraint("state <> 'offered' OR answer_by IS NOT NULL", name="offered_until"),
        Index("uq_school_places_waiting_child", "entry_id", "school_id", unique=True),
        Index("ix_school_places_waiting_order", "enrolment_id", "school_id", "position"),
        Index("ix_school_places_waiting_offered", "answer_by", postgresql_where="state = 'offered'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_enrolment.id"))
    school_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_school.id"))
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_roll_entry.id"))
    choice: Mapped[int] = mapped_column(SmallInteger)
    """Position of the school in the child's list, from 0."""
    position: Mapped[int]
    """Order of the list, from 1; equal for twins. Those behind move by one when somebody comes in between."""
    rank: Mapped[int | None]
    """How the school ranks the child, as the public file says it; null where the file does not know the child
    or ranks it wrongly (late, or after an appeal): then its sealed standing counts."""
    state: Mapped[str]
    offered_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    """The last instant to accept the offer."""
    ended_at: Mapped[datetime | None]


class Appeal(Base):
    """A family's objection to its result (申诉), and what came of it."""

    __tablename__ = "school_places_appeal"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'upheld', 'dismissed')", name="state"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided_by_somebody"),
        Index("ix_school_places_appeal_enrolment", "enrolment_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_roll_entry.id"), unique=True)
    """A result is appealed against once."""
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_enrolment.id"))
    state: Mapped[str]
    at_stake: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    """The schools where the child would rather be."""
    filed_at: Mapped[datetime]
    reason_sealed: Mapped[bytes]
    reason = Sealed()
    evidence_sealed: Mapped[bytes | None]
    evidence = Sealed()
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decision_sealed: Mapped[bytes | None]
    decision = Sealed()
    """The officer's reason, which the family reads."""
    corrected_sealed: Mapped[bytes | None]
    corrected = SealedJson()
    """The facts as the officer found them."""
    moved_to: Mapped[UUID | None] = mapped_column(ForeignKey("school_places_school.id"))
    """The better school where the child is now by this appeal."""
    over_capacity: Mapped[bool] = mapped_column(default=False, server_default="false")
    """The seat was one more than the school had."""


class LateApplication(Base):
    """Leave to hand in after the close, for a good reason (逾期补报)."""

    __tablename__ = "school_places_late_application"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"), primary_key=True)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_enrolment.id"), index=True)
    permitted_at: Mapped[datetime]
    permitted_by: Mapped[UUID]
    reason_sealed: Mapped[bytes]
    reason = Sealed()

    @property
    def id(self) -> UUID:
        """What the seal of the reason is bound to."""
        return self.case_id
