"""Tables of cross-province service.

Messages are kept as they were signed, byte for byte and sealed, so that either side can prove later what was
sent and what was received (proofs.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson


class Neighbour(Base):
    """Another deployment with which ours has a mutually signed agreement, and how far the messages are."""

    __tablename__ = "cross_province_neighbour"
    __table_args__ = (CheckConstraint("sent >= 0 AND taken >= 0", name="counts"),)

    division: Mapped[str] = mapped_column(primary_key=True)
    """Its province."""
    agreement: Mapped[dict[str, Any]]
    """As both signed it (directory.py); it is checked each time it is used."""
    accepted_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    sent: Mapped[int] = mapped_column(default=0)
    """The sequence number of our newest message to it."""
    taken: Mapped[int] = mapped_column(default=0)
    """The sequence number of its newest message that we took: the next one is one more."""
    offer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The matters that it takes from us, as it last published them."""
    offered_at: Mapped[datetime | None]
    trust_list: Mapped[str | None]
    """Its signed trust list, by which its certificates' codes are judged."""


class CrossCase(Base):
    """A case between two deployments (跨省通办件), as the side that keeps this row knows it.

    The receiving place (收件地) answers for form and identity, the handling place (办理地) for substance.
    """

    __tablename__ = "cross_province_case"
    __table_args__ = (
        CheckConstraint("side IN ('receiving', 'handling')", name="side"),
        CheckConstraint("mode BETWEEN 1 AND 3", name="mode"),
        Index("ix_cross_province_case_person_id", "person_id", "id"),
        # One open application for a matter of a place, whatever two taps do at once.
        Index(
            "uq_cross_province_case_open",
            "person_id",
            "neighbour",
            "matter",
            unique=True,
            postgresql_where="side = 'receiving' AND state NOT IN "
            "('result_returned', 'delivered', 'refused', 'returned')",
        ),
        Index("ix_cross_province_case_hop", "hop_since", postgresql_where="hop_since IS NOT NULL"),
        Index(
            "ix_cross_province_case_certificate_id",
            "certificate_id",
            postgresql_where="certificate_id IS NOT NULL",
        ),
        Index(
            "ix_cross_province_case_delegation_id",
            "delegation_id",
            "id",
            postgresql_where="delegation_id IS NOT NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The same at both sides: the trace id of its messages. The receiving place gives it."""
    neighbour: Mapped[str] = mapped_column(ForeignKey("cross_province_neighbour.division"))
    side: Mapped[str]
    """receiving (收件地) or handling (办理地): what this deployment is in the case."""
    mode: Mapped[int] = mapped_column(SmallInteger)
    """1 全程网办, 2 异地代收代办, 3 多地联办."""
    matter: Mapped[str]
    matter_version: Mapped[int]
    matter_name: Mapped[dict[str, Any]]
    """{zh, en}: of the handling place's matter."""
    agency: Mapped[str]
    """Whose desk follows it, by the name that the matter gives."""
    task_code: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_person.id"))
    """Null at the handling place where what came names nobody: it is returned."""
    state: Mapped[str]
    outcome: Mapped[str | None]
    number: Mapped[str | None] = mapped_column(unique=True)
    """办件编号 here."""
    remote_number: Mapped[str | None]
    """办件编号 at the other place."""
    case_id: Mapped[UUID | None] = mapped_column(unique=True)
    """The ordinary case at the handling place; no foreign key, for it is only there on that side."""
    form_sealed: Mapped[bytes]
    form = SealedJson()
    news_sealed: Mapped[bytes | None]
    news = SealedJson()
    """{opinion, items: [{pointer, message}]}: what the other side last said."""
    certificate_sealed: Mapped[bytes | None]
    certificate = SealedJson()
    """What the handling place issued, with its printed code (messages.CrossCertificate)."""
    certificate_id: Mapped[UUID | None]
    """At the handling place: the version of it that the other place was last told of."""
    certificate_status: Mapped[str | None]
    """What it is worth (certificates.Status), as the receiving place was last told."""
    certificate_news_sealed: Mapped[bytes | None]
    certificate_news = SealedJson()
    """{at, reason}: at the receiving place, of the last change since its issue."""
    delegation_id: Mapped[UUID | None] = mapped_column(ForeignKey("delegations_delegation.id"))
    """At the receiving place: under which somebody applied for another."""
    agent_sealed: Mapped[bytes | None]
    agent = SealedJson()
    """Who acts for the applicant (messages.CrossAgent), at both places."""
    express_sealed: Mapped[bytes | None]
    express = Sealed()
    """The number under which originals are on their way."""
    taken_by: Mapped[UUID | None]
    """The clerk who took it in at a counter and checked who is applying."""
    due_on: Mapped[date | None] = mapped_column(Date)
    """The handling place's promise, or the last day to correct."""
    reported: Mapped[UUID | None]
    """The last step of the ordinary case that the receiving place was told of."""
    joint: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """多地联办: {decision, at, by} of the receiving place's part in the decision."""
    hop_since: Mapped[datetime | None]
    """Since when the present hop is waited for; null where nobody owes a step."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Step(Base):
    """One step of a cross-province case, as its timeline shows it."""

    __tablename__ = "cross_province_step"
    __table_args__ = (Index("ix_cross_province_step_case_id", "case_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cross_province_case.id"))
    at: Mapped[datetime]
    state: Mapped[str]
    by_division: Mapped[str]
    """Which place took it."""


class Outgoing(Base):
    """A message of ours: to be delivered, again and again, until its receipt is here."""

    __tablename__ = "cross_province_outgoing"
    __table_args__ = (
        UniqueConstraint("neighbour", "sequence"),
        Index("ix_cross_province_outgoing_open", "neighbour", "sequence", postgresql_where="receipt IS NULL"),
        Index("ix_cross_province_outgoing_case_id", "case_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The message id."""
    neighbour: Mapped[str] = mapped_column(ForeignKey("cross_province_neighbour.division"))
    sequence: Mapped[int]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cross_province_case.id"))
    type: Mapped[str]
    body_sealed: Mapped[bytes]
    body = Sealed()
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The signature of the attempt whose receipt we hold, or of the last one."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    receipt: Mapped[str | None]
    """The signed words of the receipt; they hold no personal data."""
    receipt_headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    receipt_at: Mapped[datetime | None]


class Incoming(Base):
    """A message of a neighbour, taken once; its receipt is given again to whoever sends it again."""

    __tablename__ = "cross_province_incoming"
    __table_args__ = (
        UniqueConstraint("neighbour", "sequence"),
        UniqueConstraint("neighbour", "message_id"),
        Index("ix_cross_province_incoming_open", "neighbour", "sequence", postgresql_where="done_at IS NULL"),
        Index("ix_cross_province_incoming_case_id", "case_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    neighbour: Mapped[str] = mapped_column(ForeignKey("cross_province_neighbour.division"))
    sequence: Mapped[int]
    message_id: Mapped[UUID]
    case_id: Mapped[UUID]
    """The case it speaks of; no foreign key, for the first message comes before the case."""
    type: Mapped[str]
    body_sealed: Mapped[bytes]
    body = Sealed()
    headers: Mapped[dict[str, Any]]
    digest: Mapped[str]
    received_at: Mapped[datetime]
    receipt: Mapped[str]
    receipt_headers: Mapped[dict[str, Any]]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """done, or the slug of why it had no effect."""


class Alert(Base):
    """A hop that takes longer than one working day, for the desk to look into."""

    __tablename__ = "cross_province_alert"
    __table_args__ = (
        UniqueConstraint("case_id", "state", "since"),
        Index("ix_cross_province_alert_open", "raised_at", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cross_province_case.id"))
    state: Mapped[str]
    """Where the case stands still."""
    since: Mapped[datetime]
    raised_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
