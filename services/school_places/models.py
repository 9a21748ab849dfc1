"""Tables of school places."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson


class School(Base):
    """A primary school (小学)."""

    __tablename__ = "school_places_school"
    __table_args__ = (CheckConstraint("kind IN ('public', 'private')", name="kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    division: Mapped[str]
    kind: Mapped[str]
    address: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]


class Enrolment(Base):
    """One round of admissions of a district (招生批次), from its announcement to its results."""

    __tablename__ = "school_places_enrolment"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="opens_before_it_closes"),
        CheckConstraint("appeal_workdays >= 3", name="appeal_workdays"),
        CheckConstraint("answer_workdays > 0 AND offer_workdays > 0", name="time_to_answer"),
        CheckConstraint("appeal_seats IN ('hold_back', 'over_capacity')", name="appeal_seats"),
        UniqueConstraint("follows_id"),
        Index("ix_school_places_enrolment_school_year", "school_year"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """Names the campaign in the seed of the draw; public."""
    name: Mapped[str]
    name_en: Mapped[str]
    school_year: Mapped[int]
    agency: Mapped[str]
    division: Mapped[str]
    """Whose officers run it."""
    area: Mapped[dict[str, Any]]
    """{divisions: [6 digits], centres: {division: [latitude, longitude]}}: what it covers, and where homes
    lie that are in no catchment."""
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    """The last instant at which an application counts."""
    secret_sealed: Mapped[bytes]
    secret = Sealed()
    """Stays here until the draw reveals it."""
    commitment: Mapped[str]
    """SHA-256 of the secret, published when the enrolment is announced."""
    beacon_source: Mapped[str]
    draw_after: Mapped[datetime]
    """When the public event of the beacon has happened."""
    four_eyes: Mapped[bool]
    """A second officer publishes what the first has released."""
    closes_by_roll: Mapped[bool]
    """Committing to a roll ends the enrolment before its time, and leaves out what is not accepted by then.
    For the demo, where nobody can wait for weeks; elsewhere a roll waits for the end and for every case."""
    appeal_days: Mapped[int]
    """Natural days after publication for which the public file stays up."""
    appeal_workdays: Mapped[int] = mapped_column(default=3, server_default="3")
    """Working days after publication in which a family may appeal (申诉). Never under three."""
    answer_workdays: Mapped[int] = mapped_column(default=5, server_default="5")
    """Working days after publication in which a family may confirm or refuse its place."""
    offer_workdays: Mapped[int] = mapped_column(default=3, server_default="3")
    """Working days to answer the offer of a seat from a waiting list (候补)."""
    appeal_seats: Mapped[str] = mapped_column(default="hold_back", server_default="hold_back")
    """While an appeal runs, a seat that becomes free at a school it is about is held back; or nothing is, and
    an appeal that is upheld is given a seat over capacity."""
    follows_id: Mapped[UUID | None] = mapped_column(ForeignKey("school_places_enrolment.id"))
    """The enrolment whose left seats this one gives away (补录, a second round)."""


class EnrolmentSchool(Base):
    """A school's part in an enrolment: its seats and its catchment (学区)."""

    __tablename__ = "school_places_enrolment_school"
    __table_args__ = (CheckConstraint("capacity >= 0", name="capacity"),)

    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_enrolment.id"), primary_key=True)
    school_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_school.id"), primary_key=True)
    capacity: Mapped[int]
    catchment: Mapped[dict[str, Any]]
    """`catchments.Catchment` as JSON."""


class HomeUse(Base):
    """A place that was given on the strength of a home (一户一生). Neither home nor people can be read here:
    both are blind indexes, which only compare."""

    __tablename__ = "school_places_home_use"
    __table_args__ = (UniqueConstraint("home", "school_year", "child"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    home: Mapped[bytes]
    school_year: Mapped[int]
    child: Mapped[bytes]
    guardians: Mapped[list[str]] = mapped_column(ARRAY(Text))


class Application(Base):
    """A case that was handed in to an enrolment; written anew when a correction is handed in."""

    __tablename__ = "school_places_application"
    __table_args__ = (Index("ix_school_places_application_home", "enrolment_id", "home"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"), primary_key=True)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_enrolment.id"))
    home: Mapped[bytes | None]
    """Blind index of the home, to see two families name the same one."""
    guardians: Mapped[list[str]] = mapped_column(ARRAY(Text))


class AllocationRun(Base):
    """One draw and matching of an enrolment (派位): committed, drawn, publishing while a large one is being
    decided child by child, published, or annulled."""

    __tablename__ = "school_places_allocation_run"
    __table_args__ = (
        CheckConstraint(
            "state IN ('committed', 'drawn', 'publishing', 'published', 'annulled')", name="state"
        ),
        CheckConstraint("(state = 'annulled') = (annulled_at IS NOT NULL)", name="annulled"),
        CheckConstraint("annulled_by <> annulment_asked_by", name="annulled_by_two"),
        Index(
            "uq_school_places_allocation_run_live",
            "enrolment_id",
            unique=True,
            postgresql_where="state <> 'annulled'",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_enrolment.id"))
    state: Mapped[str]
    committed_at: Mapped[datetime]
    committed_by: Mapped[UUID]
    commitment: Mapped[str]
    """The commitment that this run's secret must open."""
    roll_hash: Mapped[str]
    roll: Mapped[bytes]
    """The roll's canonical JSON, whose hash was published: pseudonyms, choices, ranks, seats."""
    bands_sealed: Mapped[bytes]
    bands = SealedJson()
    """What the ranks of the roll mean (`public_file.Bands`); never published."""
    drawn_at: Mapped[datetime | None]
    drawn_by: Mapped[UUID | None]
    beacon: Mapped[str | None]
    seed: Mapped[str | None]
    public_file: Mapped[bytes | None]
    counts: Mapped[list[Any] | None]
    """`published_counts.SchoolCounts` as JSON: what is published by class, and outlasts the file."""
    publication_asked_by: Mapped[UUID | None]
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]
    lists_drawn_up_at: Mapped[datetime | None]
    """When the waiting lists were made of the published result."""
    annulment_reason: Mapped[str | None]
    annulment_asked_by: Mapped[UUID | None]
    annulled_at: Mapped[datetime | None]
    annulled_by: Mapped[UUID | None]


class RollEntry(Base):
    """One child on the roll of a run, and what came of it."""

    __tablename__ = "school_places_roll_entry"
    __table_args__ = (
        UniqueConstraint("run_id", "case_id"),
        CheckConstraint(
            "(outcome IN ('choice', 'coordination')) = (school_id IS NOT NULL)", name="placed_at_a_school"
        ),
        Index("ix_school_places_roll_entry_case_id", "case_id"),
        Index("ix_school_places_roll_entry_child_id", "child_id"),
        Index(
            "ix_school_places_roll_entry_run_undecided", "run_id", "id", postgresql_where="decided_at IS NULL"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("school_places_allocation_run.id"))
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases_case.id"))
    child_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    pseudonym_sealed: Mapped[bytes]
    pseudonym = Sealed()
    """Random; only the family learns which one is theirs."""
    standing_sealed: Mapped[bytes]
    standing = SealedJson()
    """`standing.Standing`: choices with their priorities, place of the home, blind indexes for 一户一生."""
    lottery: Mapped[int | None]
    choice: Mapped[int | None] = mapped_column(SmallInteger)
    """Position in the list, from 0, of the choice that took the child."""
    school_id: Mapped[UUID | None] = mapped_column(ForeignKey("school_places_school.id"))
    outcome: Mapped[str | None]
    """choice, coordination (统筹), no_seat; withdrawn where the family withdrew before the publication,
    refused where it gave the place up after it."""
    explanation_sealed: Mapped[bytes | None]
    explanation = SealedJson()
    """{zh, en, steps: [{zh, en, outcome}]}."""
    certificate_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificates_certificate.id"))
    decided_at: Mapped[datetime | None]
    """When the publication decided the case: once for each child, however often its task runs."""
