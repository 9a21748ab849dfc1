"""Tables of certificates."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed, SealedJson

REF_MOST = 2**40 - 1


class Certificate(Base):
    """One version of an electronic certificate (电子证照): what an authority states about its holder.

    A version is never changed. A correction is the next version under the same serial; at most one version of
    a serial is in force.
    """

    __tablename__ = "certificates_certificate"
    __table_args__ = (
        UniqueConstraint("serial", "version"),
        CheckConstraint("status IN ('valid', 'suspended', 'revoked', 'superseded')", name="status"),
        CheckConstraint("version BETWEEN 1 AND 999", name="version"),
        CheckConstraint("valid_until >= valid_from", name="validity"),
        Index(
            "uq_certificates_certificate_in_force",
            "serial",
            unique=True,
            postgresql_where="status IN ('valid', 'suspended')",
        ),
        Index(
            "ix_certificates_certificate_status_at",
            "status_at",
            # What changed since its issue withdraws the codes of it that phones hold, or gives them back.
            postgresql_where="status_at > created_at",
        ),
        Index("ix_certificates_certificate_keeper_id", "keeper_id", "id"),
        Index("ix_certificates_certificate_holder_id", "holder_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[int] = mapped_column(BigInteger, Identity(always=True, maxvalue=REF_MOST), unique=True)
    """Row number of 40 bits, which a code carries inside its cti."""
    type: Mapped[str]
    """Slug of the type, such as admission-notice; with the version its schema's file."""
    type_version: Mapped[int]
    serial: Mapped[str]
    version: Mapped[int]
    identifier: Mapped[str] = mapped_column(unique=True)
    """证照标识, with its check character."""
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    """Whom it speaks of (持证主体)."""
    keeper_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    """Who may show it: the holder, or the guardian of a child."""
    holder_masked: Mapped[str]
    """The holder's name as a stranger may see it, so that showing a code opens no sealed value."""
    case_id: Mapped[UUID | None] = mapped_column(index=True)
    """The case that brought it about; no foreign key, for cases stand above certificates."""
    agency: Mapped[str]
    division: Mapped[str]
    """Whose clerks may correct and revoke it."""
    issuer: Mapped[str]
    issuer_code: Mapped[str]
    issued_on: Mapped[date] = mapped_column(Date)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    """The last day it is valid; null without an end."""
    status: Mapped[str]
    """As stored; see rules.py for what it is today."""
    status_at: Mapped[datetime]
    status_reason_sealed: Mapped[bytes | None]
    status_reason = Sealed()
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("certificates_certificate.id"), unique=True)
    """The version that this one corrects."""
    claims_sealed: Mapped[bytes]
    claims = SealedJson()
    """What it states, by its type's schema."""
    created_at: Mapped[datetime]
