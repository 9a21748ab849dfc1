"""Tables of the health code: the colour as it is, what people declared, their appeals and corrections."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson


class Status(Base):
    """The health code (健康码) of a person as it was decided last: what codes show, and what is shown while
    the registers cannot be asked.

    No index lies on a column that changes and pages keep a tenth free, so that deciding anew moves nothing
    (measured: twenty times the rows a second).
    """

    __tablename__ = "health_code_status"
    __table_args__ = (
        CheckConstraint("colour IN ('green', 'yellow', 'red', 'grey')", name="colour"),
        {"postgresql_with": {"fillfactor": "90"}},
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    colour: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The ids of the rules that gave the colour."""
    rules: Mapped[str]
    """The id of their version."""
    golden: Mapped[bool]
    reminder: Mapped[bool]
    negative_at: Mapped[datetime | None]
    """What the window of the latest test, if it was negative, is counted from."""
    decided_at: Mapped[datetime]
    """When all that counts for the colour could last be asked: its age."""
    asked_at: Mapped[datetime]
    """When it was last tried."""
    facts_sealed: Mapped[bytes | None]
    facts = SealedJson()
    """{under, asked}: the registers' facts of `asked_at`, and the `basis` under which they were made. They
    count until that day ends; None where a register was silent."""

    @property
    def id(self) -> UUID:
        """To which what is sealed here is bound."""
        return self.person_id


class Guardian(Base):
    """Whose code a parent shows beside their own: a child whom the registers know as theirs, and when they
    last said so."""

    __tablename__ = "health_code_guardian"
    __table_args__ = (Index("ix_health_code_guardian_guardian_id", "guardian_id"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    """The child."""
    guardian_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    proved_at: Mapped[datetime]


class Declaration(Base):
    """What a person declared of themselves (健康申报). Never changed: a later one stands beside it."""

    __tablename__ = "health_code_declaration"
    __table_args__ = (
        Index("ix_health_code_declaration_person_id_at", "person_id", "at"),
        Index("ix_health_code_declaration_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    said_sealed: Mapped[bytes]
    said = SealedJson()
    """{symptoms, feverClinic, riskTravel}, each a boolean."""
    at: Mapped[datetime]


class Appeal(Base):
    """What a person says against their colour (申诉), and what became of it."""

    __tablename__ = "health_code_appeal"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'proposed', 'corrected', 'refused')", name="state"),
        # One at a time waits for an answer, whoever clicks twice.
        Index(
            "uq_health_code_appeal_waiting",
            "person_id",
            unique=True,
            postgresql_where=text("state IN ('open', 'proposed')"),
        ),
        Index("ix_health_code_appeal_person_id", "person_id", "id"),
        Index("ix_health_code_appeal_state", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    division: Mapped[str]
    """Where the person is: its clerks look at the appeal."""
    colour: Mapped[str]
    """What the code showed then."""
    reason_sealed: Mapped[bytes]
    reason = Sealed()
    evidence_sealed: Mapped[bytes | None]
    evidence = Sealed()
    state: Mapped[str]
    at: Mapped[datetime]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("identity_staff.id"))
    answered_at: Mapped[datetime | None]
    answer_sealed: Mapped[bytes | None]
    answer = Sealed()


class ManualChange(Base):
    """A colour corrected by hand (人工变更): proposed by one clerk, confirmed by another. Never deleted while
    the service runs: operators, reason and evidence stay."""

    __tablename__ = "health_code_change"
    __table_args__ = (
        CheckConstraint("colour IN ('green', 'yellow', 'red')", name="colour"),
        CheckConstraint("state IN ('proposed', 'confirmed', 'returned')", name="state"),
        CheckConstraint("state <> 'confirmed' OR decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        Index(
            "uq_health_code_change_proposed",
            "appeal_id",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
        Index("ix_health_code_change_person_id", "person_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("health_code_appeal.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    colour: Mapped[str]
    aside: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The ids of the rules that it sets aside: those that gave the colour when it was proposed."""
    until: Mapped[date]
    """The last day on which it holds."""
    reason_sealed: Mapped[bytes]
    reason = Sealed()
    evidence_sealed: Mapped[bytes]
    evidence = Sealed()
    state: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("identity_staff.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("identity_staff.id"))
    decided_at: Mapped[datetime | None]


class Recolouring(Base):
    """One run through everybody's colour, after the rules changed: how far it is, and whether to stop."""

    __tablename__ = "health_code_recolouring"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'stopped', 'finished', 'superseded')", name="state"),
        # One at a time is under way.
        Index(
            "uq_health_code_recolouring_under_way",
            text("(true)"),
            unique=True,
            postgresql_where=text("state IN ('running', 'stopped')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    rules: Mapped[str]
    """The id of the version of the rules that it was begun for."""
    state: Mapped[str]
    after: Mapped[UUID | None]
    """The last person of the last batch; the next one begins behind. None at the start and at the end, so
    that nobody's id outlives the run."""
    total: Mapped[int | None] = mapped_column(BigInteger)
    """People when its first batch began; None before."""
    done: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(BigInteger)
    """Whose colour became another."""
    unanswered: Mapped[int] = mapped_column(BigInteger)
    """Of whom a register that counts was silent; decided again when next asked."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    taken_until: Mapped[datetime | None]
    """Until when one process has it to itself; the next may take it then, whatever became of that one."""


class Slot(Base):
    """Some hours at a vaccination site (接种点), and for how many people they are."""

    __tablename__ = "health_code_slot"
    __table_args__ = (
        # No race books more than there are places: the row is counted up in one statement.
        CheckConstraint("booked BETWEEN 0 AND capacity", name="booked"),
        CheckConstraint("ends_at > starts_at", name="hours"),
        Index("ix_health_code_slot_division_starts_at", "division", "starts_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    division: Mapped[str]
    site_zh: Mapped[str]
    site_en: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    booked: Mapped[int]


class Appointment(Base):
    """A place in such hours for one person (接种预约)."""

    __tablename__ = "health_code_appointment"
    __table_args__ = (
        CheckConstraint("state IN ('booked', 'cancelled', 'over')", name="state"),
        Index(
            "uq_health_code_appointment_booked",
            "person_id",
            unique=True,
            postgresql_where=text("state = 'booked'"),
        ),
        Index("ix_health_code_appointment_person_id", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("health_code_slot.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    state: Mapped[str]
    at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


class Check(Base):
    """One check of somebody's health code by a terminal (核验记录); an anonymous line to whoever has no key
    of the people, for no name and no number stands in it.

    One row for each minute of a person at a terminal, which the key holds. There are no foreign keys, for
    each would cost a locked row at every check, and gates check 5 million times a day.
    """

    __tablename__ = "health_code_check"
    __table_args__ = (
        CheckConstraint("colour IN ('green', 'yellow', 'red', 'grey')", name="colour"),
        CheckConstraint("outcome IN ('valid', 'denied')", name="outcome"),
        Index("ix_health_code_check_at", "at"),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Of `at`, counted from 1970: by it the key is in the order of time."""
    terminal_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    place: Mapped[str]
    colour: Mapped[str]
    """What the terminal showed."""
    outcome: Mapped[str]
    """valid; denied where the code was withdrawn, for its colour had changed."""
    is_offline: Mapped[bool]
    """Whether the terminal judged by itself and told later."""
