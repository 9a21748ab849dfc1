"""Tables of codes. Showing one writes nothing; each verification is a row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.codes.outcomes import Outcome
from haiyiban.crypto import SealedJson
from haiyiban.db import Base


class Verification(Base):
    """One verification (核验) with its outcome: also what makes a code work once, and the record that a
    repeated request is answered from.

    Never changed. There are no foreign keys, for each would cost a locked row at every verification; ids come
    from our own tokens and codes, and neither verifiers nor certificates are ever deleted.
    """

    __tablename__ = "codes_verification"
    __table_args__ = (
        UniqueConstraint("verifier_id", "idempotency_key"),
        Index(
            "uq_codes_verification_single_use",
            "single_use",
            unique=True,
            postgresql_where="outcome = 'valid'",
        ),
        CheckConstraint(
            f"outcome IN ({', '.join(repr(str(outcome)) for outcome in Outcome)})", name="outcome"
        ),
        CheckConstraint("outcome <> 'valid' OR single_use IS NOT NULL", name="valid_once"),
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
    """The names of the claims that the verifier saw."""
    shown_sealed: Mapped[bytes | None]
    shown = SealedJson()
    """Of a kind other than the certificate, what the verifier saw: it may be otherwise the next day."""
    outcome: Mapped[str]
    because: Mapped[str | None]
    """Why, where the outcome can have more than one reason."""
    language: Mapped[str]
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
