"""Tables of verifiers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed


class Verifier(Base):
    """An accredited verifier (核验方): a school, a shop, an office that may check codes for its purposes."""

    __tablename__ = "verifiers_verifier"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        CheckConstraint("(status = 'suspended') = (suspended_at IS NOT NULL)", name="suspended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name_zh: Mapped[str] = mapped_column(unique=True)
    """The accredited name, which holders see."""
    name_en: Mapped[str]
    unit: Mapped[str]
    """The agency that answers for the verifier."""
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """What it may verify for, by the names of `schemas/purposes`."""
    status: Mapped[str]
    suspended_at: Mapped[datetime | None]
    suspension_reason_sealed: Mapped[bytes | None]
    suspension_reason = Sealed()
    created_at: Mapped[datetime]


class VerifierClient(Base):
    """A secret that a verifier's system signs in with; several live at once while one replaces another."""

    __tablename__ = "verifiers_client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    verifier_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_verifier.id"), index=True)
    secret_hash: Mapped[bytes]
    """SHA-256: the secret is 256 random bits, which nobody can try out, so a slow hash would only cost us
    the processor (64 MiB and tens of milliseconds for each token of each terminal)."""
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("verifiers_terminal_key.id"), index=True)
    """Where the system is a terminal: the key that it was enrolled with."""
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    """From when on it signs nobody in; may lie ahead, while its successor is brought in."""


class Terminal(Base):
    """A device of a verifier that scans codes (核验终端): a gate, a counter, a hand-held."""

    __tablename__ = "verifiers_terminal"
    __table_args__ = (
        CheckConstraint("status IN ('registered', 'active', 'suspended', 'retired')", name="status"),
        CheckConstraint("(status = 'suspended') = (suspended_at IS NOT NULL)", name="suspended"),
        CheckConstraint("next_sequence > 0", name="next_sequence"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    verifier_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_verifier.id"), index=True)
    name: Mapped[str]
    place: Mapped[str]
    """Where it stands, as holders read it."""
    purpose: Mapped[str]
    """What it verifies for, where a record of it does not say."""
    status: Mapped[str]
    suspended_at: Mapped[datetime | None]
    suspension_reason_sealed: Mapped[bytes | None]
    suspension_reason = Sealed()
    next_sequence: Mapped[int]
    """Of the batch that it uploads next."""
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    list_issued_at: Mapped[datetime | None]
    """Of the older list that it holds, as it reported."""
    queue_length: Mapped[int | None]
    """Offline verifications that it has yet to upload, as it reported."""
    skew_seconds: Mapped[int | None]
    """How far its clock is ahead of ours, as it reported; negative where it is behind."""
    software_version: Mapped[str | None]
    """Of its software, as it reported; kept from the last report that said it."""


class TerminalKey(Base):
    """A key pair that a terminal made for itself, its public half: it signs the terminal's batches, and the
    terminal's tokens end with it."""

    __tablename__ = "verifiers_terminal_key"
    __table_args__ = (
        Index(
            "uq_verifiers_terminal_key_living",
            "terminal_id",
            unique=True,
            postgresql_where="retired_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    terminal_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_terminal.id"))
    jwk: Mapped[dict[str, str]] = mapped_column(JSONB)
    thumbprint: Mapped[bytes] = mapped_column(unique=True)
    """RFC 7638: a key is of one terminal, once."""
    enrolled_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class TerminalCode(Base):
    """A one-time code that a terminal is enrolled with, as a keyed hash."""

    __tablename__ = "verifiers_terminal_code"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    terminal_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_terminal.id"), index=True)
    code_index: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("verifiers_terminal_key.id"))
    """The key that was enrolled with it."""
    created_at: Mapped[datetime]


class TerminalCodeFailure(Base):
    """A wrong one-time code, kept for an hour, so that nobody tries them out."""

    __tablename__ = "verifiers_terminal_code_failure"
    __table_args__ = (Index("ix_verifiers_terminal_code_failure_address", "address_index", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    address_index: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(index=True)
