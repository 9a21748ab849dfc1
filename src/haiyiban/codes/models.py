"""Tables of codes. Showing one writes nothing; each verification is a row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.codes.outcomes import Outcome
from haiyiban.db import Base
from haiyiban.sealed import SealedJson


class Verification(Base):
    """One verification (核验) with its outcome: also what makes a code work once, and the record that a
    repeated request is answered from.

    Never changed, and deleted when its time is over (terms.py). There are no foreign keys, for each would
    cost a locked row at every verification; ids come from our own tokens and codes, and neither verifiers nor
    certificates are ever deleted.
    """

    __tablename__ = "codes_verification"
    __table_args__ = (
        UniqueConstraint("verifier_id", "idempotency_key"),
        Index("ix_codes_verification_at", "at"),
        Index(
            "uq_codes_verification_single_use",
            "single_use",
            unique=True,
            # A code whose holder is being asked is reserved: to everybody else it is used.
            postgresql_where="outcome IN ('valid', 'consent_pending')",
        ),
        Index(
            "ix_codes_verification_asked",
            "certificate_id",
            postgresql_where="outcome = 'consent_pending'",
        ),
        CheckConstraint(
            f"outcome IN ({', '.join(repr(str(outcome)) for outcome in Outcome)})", name="outcome"
        ),
        CheckConstraint(
            "outcome NOT IN ('valid', 'consent_pending') OR single_use IS NOT NULL", name="valid_once"
        ),
        CheckConstraint("outcome <> 'consent_pending' OR answer_by IS NOT NULL", name="asked_until"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Also the id of its audit record."""
    verifier_id: Mapped[UUID]
    idempotency_key: Mapped[str | None]
    request_hash: Mapped[bytes]
    """What was asked, to tell a repeated request from another under the same key."""
    purpose: Mapped[str]
    place: Mapped[str | None]
    """Where, in the verifier's words."""
    kind: Mapped[int | None] = mapped_column(SmallInteger)
    """Of a code whose signature holds; what another one says is nobody's word."""
    single_use: Mapped[bytes | None]
    """The cti, for a device-bound code with its instant."""
    certificate_id: Mapped[UUID | None]
    status: Mapped[str | None]
    """What the certificate was worth."""
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The names of the claims that the verifier saw; where the holder is asked, of those asked for."""
    shown_sealed: Mapped[bytes | None]
    shown = SealedJson()
    """Of a kind other than the certificate, what the verifier saw: it may be otherwise the next day."""
    outcome: Mapped[str]
    because: Mapped[str | None]
    """Why, where the outcome can have more than one reason."""
    language: Mapped[str]
    at: Mapped[datetime]
    answer_by: Mapped[datetime | None]
    """Until when the holder may answer, where the outcome is `consent_pending`."""


class Consent(Base):
    """What a holder answered to a verifier who asked for more than the least (授权同意), and what came of it.

    Settled once and for good: by the answer, or by the first look after the time to answer is over.
    """

    __tablename__ = "codes_consent"
    __table_args__ = (
        CheckConstraint("decision IN ('allow', 'refuse', 'none')", name="decision"),
        CheckConstraint("decision = 'allow' OR fields = '{}'", name="fields"),
        CheckConstraint("(decision = 'none') = (person_id IS NULL)", name="answered"),
        CheckConstraint(
            "decision <> 'allow' OR (certificate_id IS NOT NULL AND status IS NOT NULL)", name="certificate"
        ),
        CheckConstraint(
            "outcome IN ('valid', 'revoked', 'suspended', 'expired', 'consent_refused')", name="outcome"
        ),
    )

    verification_id: Mapped[UUID] = mapped_column(ForeignKey("codes_verification.id"), primary_key=True)
    decision: Mapped[str]
    """allow, refuse, or none where nobody answered in time."""
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The names of the claims that the holder allowed."""
    certificate_id: Mapped[UUID | None]
    """What is shown: what the code was about, or what the holder chose."""
    status: Mapped[str | None]
    """What the certificate was worth when the holder answered."""
    outcome: Mapped[str]
    person_id: Mapped[UUID | None]
    """Who answered."""
    at: Mapped[datetime]


class Capsule(Base):
    """A device-bound capsule (设备绑定码) that a phone holds: what the deny-list is drawn from.

    Whether it is withdrawn follows from what stands behind it (its certificate, its session) or is said here.
    """

    __tablename__ = "codes_capsule"
    __table_args__ = (
        Index("ix_codes_capsule_ref", "kind", "ref"),
        Index("ix_codes_capsule_session_id", "session_id"),
        Index("ix_codes_capsule_expires_at", "expires_at"),
        Index("ix_codes_capsule_withdrawn_at", "withdrawn_at", postgresql_where="withdrawn_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The code's id, from which its cti is made."""
    cti: Mapped[bytes] = mapped_column(unique=True)
    kind: Mapped[int] = mapped_column(SmallInteger)
    ref: Mapped[int] = mapped_column(BigInteger)
    """Row number of what is shown, among the things of its kind."""
    account_id: Mapped[UUID]
    session_id: Mapped[UUID]
    """The sign-in on the phone that holds the key: signing it out withdraws its capsules."""
    device_key: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the phone's public key: each capsule has a key of its own."""
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    """Said by what issued it, such as a health colour that changed."""
