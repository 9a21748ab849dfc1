"""Tables of verifiers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.crypto import Sealed
from haiyiban.db import Base


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
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
