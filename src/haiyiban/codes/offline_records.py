"""Tables of what terminals verified offline and uploaded later.

Each record is also a row of `codes_verification` under the same id, so that a code works once, online and
offline together, and its holder reads of both in one log.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class OfflineBatch(Base):
    """A signed upload (离线核验批次), with the answer it got: the same batch gets it again word for word."""

    __tablename__ = "codes_offline_batch"
    __table_args__ = (
        UniqueConstraint("terminal_id", "sequence"),
        Index("ix_codes_offline_batch_received_at", "received_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    terminal_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_terminal.id"))
    key_id: Mapped[UUID] = mapped_column(ForeignKey("verifiers_terminal_key.id"))
    """The key that signed it."""
    sequence: Mapped[int]
    body_hash: Mapped[bytes]
    """SHA-256 of what was signed."""
    answer: Mapped[bytes]
    received_at: Mapped[datetime]


class OfflineVerification(Base):
    """What a terminal said of a code, offline, and what the server makes of it."""

    __tablename__ = "codes_offline_verification"
    __table_args__ = (
        UniqueConstraint("terminal_id", "record_id"),
        CheckConstraint("double_use = (first_id IS NOT NULL)", name="double_use"),
        Index("ix_codes_offline_verification_double_use", "id", postgresql_where="double_use"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Also of its row in `codes_verification`."""
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("codes_offline_batch.id"))
    terminal_id: Mapped[UUID]
    record_id: Mapped[str]
    """The terminal's own."""
    single_use: Mapped[bytes | None]
    said: Mapped[str]
    """The outcome that the person at the gate saw."""
    recomputed: Mapped[str]
    agrees: Mapped[bool]
    verified_at: Mapped[datetime]
    """By the terminal's clock."""
    received_at: Mapped[datetime]
    double_use: Mapped[bool]
    """The terminal let somebody in with a code that had been accepted elsewhere."""
    first_id: Mapped[UUID | None]
    """The verification that had the code before."""
