"""Tables of cases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson


class Case(Base):
    """One application for a matter, from draft to outcome (办件)."""

    __tablename__ = "cases_case"
    __table_args__ = (
        Index("ix_cases_case_applicant", "applicant_id", "id"),
        Index("ix_cases_case_desk", "agency", "division", "state", "id"),
        Index(
            "uq_cases_case_active_subject",
            "subject_id",
            "claim",
            unique=True,
            postgresql_where="claim IS NOT NULL",
        ),
        Index("ix_cases_case_open_facts", "id", postgresql_where="has_open_facts"),
        Index("ix_cases_case_deemed_after", "deemed_after", postgresql_where="deemed_after IS NOT NULL"),
        # Drafts, to find those that are due: by the key, for what an edit changes should be in no index.
        Index("ix_cases_case_draft", "id", postgresql_where="number IS NULL"),
        CheckConstraint("version > 0", name="version_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(unique=True)
    """办件编号, given at the first submission."""
    matter: Mapped[str]
    matter_version: Mapped[int]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    applicant_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_person.id"))
    """Whom the case is about: the applicant, or a child of theirs; null while they choose which child."""
    delegation_id: Mapped[UUID | None] = mapped_column(ForeignKey("delegations_delegation.id"), index=True)
    """The delegation under which somebody opened it for the applicant."""
    claim: Mapped[str | None]
    """What a subject may hold once, such as a place in one enrolment; null once the case is over."""
    agency: Mapped[str]
    division: Mapped[str]
    """Who handles: together they say whose queue it is in."""
    form_sealed: Mapped[bytes]
    form = SealedJson()
    """The form as it stands, register values unmasked."""
    prefill: Mapped[dict[str, Any]]
    """pointer → {source, at, state}; no values. `state`: known; unknown where the register could not be asked
    (待核实); differs where the applicant says otherwise than the source."""
    locked: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Pointers whose value is a register's."""
    facts_sealed: Mapped[bytes | None]
    facts = SealedJson()
    """`<register>/<about>` → {state, source, at, data}: what the registers said, for the checks."""
    has_open_facts: Mapped[bool] = mapped_column(default=False)
    """A register could not be asked (待核实); the repair task asks again."""
    disputes_sealed: Mapped[bytes | None]
    disputes = SealedJson()
    """pointer → the applicant's reason."""
    choices_sealed: Mapped[bytes | None]
    choices = SealedJson()
    """[{name, idNumber}]: the children whom the case may be about, until one of them is chosen."""
    findings: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    """What was found for the clerk: {code, level, pointer, words: [zh, en], detail}; no values."""
    commitment: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """{text, hash, at, by}: the text that was accepted in the place of materials (告知承诺), and by whom."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    accepted_on: Mapped[date | None] = mapped_column(Date)
    promised_due_on: Mapped[date | None] = mapped_column(Date)
    statutory_due_on: Mapped[date | None] = mapped_column(Date)
    due_provisional: Mapped[bool] = mapped_column(default=False)
    """True while the calendar of a year that the clock crosses is not published."""
    extended_days: Mapped[int] = mapped_column(default=0)
    extension_asked_by: Mapped[UUID | None]
    """Who asked for an extension that a second person must confirm."""
    resume_on: Mapped[date | None] = mapped_column(Date)
    deemed_after: Mapped[date | None] = mapped_column(Date)
    """The last day for a decision on a renewal; after it, it is deemed renewed."""
    correction_due_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """approved, denied, refused, lapsed, terminated or withdrawn."""


class CaseFile(Base):
    """A file that the applicant handed in for a material; its bytes lie sealed in the object store."""

    __tablename__ = "cases_file"
    __table_args__ = (
        Index("ix_cases_file_case_id", "case_id", "id"),
        CheckConstraint("size > 0", name="size"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"))
    material: Mapped[str]
    """The material's code."""
    name_sealed: Mapped[bytes]
    name = Sealed()
    media_type: Mapped[str]
    size: Mapped[int]
    """Bytes before sealing."""
    digest: Mapped[bytes]
    """Blind index of the bytes: the same file again is the file that is there."""
    at: Mapped[datetime]


class CaseEvent(Base):
    """One step in a case's life; what the timeline shows."""

    __tablename__ = "cases_event"
    __table_args__ = (Index("ix_cases_event_case_id", "case_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"))
    at: Mapped[datetime]
    verb: Mapped[str]
    by_kind: Mapped[str]
    by_id: Mapped[UUID | None]
    note_sealed: Mapped[bytes | None]
    note = Sealed()
    items_sealed: Mapped[bytes | None]
    items = SealedJson()
    """[{pointer, message}]: what a correction notice asks for."""
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Figures of the step, such as {"days": 5}; no personal data."""
    before: Mapped[dict[str, Any]]
    """State, clocks and version as they were, for an undo."""


class Suspension(Base):
    """Days that the clock does not count, both ends included (特别程序)."""

    __tablename__ = "cases_suspension"
    __table_args__ = (Index("ix_cases_suspension_case_id", "case_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"))
    began_on: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)


class Serial(Base):
    """The last serial of a day and an item, for 办件编号."""

    __tablename__ = "cases_serial"

    task_code: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]


class Rating(Base):
    """One evaluation of a case (好差评); 5 is best. Source: docs/domain.md §3.8."""

    __tablename__ = "cases_rating"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score_in_range"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"))
    round: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[int] = mapped_column(SmallInteger)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    comment_sealed: Mapped[bytes | None]
    comment = Sealed()
    at: Mapped[datetime]


class Workday(Base):
    """A day that is not what its weekday says: a holiday, a make-up day, a local holiday.

    The key is (division, date): a case uses the calendar of the authority that handles it.
    Source: docs/domain.md §14.
    """

    __tablename__ = "cases_workday"

    division: Mapped[str] = mapped_column(primary_key=True)
    """000000 for the whole country."""
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    is_off: Mapped[bool]
    source: Mapped[str]
