"""Tables of the audit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class AuditSubject(Base):
    """A person's pseudonym in the audit; deleting the row erases the person from it."""

    __tablename__ = "audit_subject"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    pseudonym: Mapped[UUID] = mapped_column(unique=True)


class AuditRecord(Base):
    """One act: a state change, a look at another's data, a verification, a refusal."""

    __tablename__ = "audit_record"
    __table_args__ = (Index("ix_audit_record_subject", "subject", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str]
    """`<feature>.<verb>`, or method and route of a refused request."""
    outcome: Mapped[str]
    """done, or the slug of the refusal."""
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_unit: Mapped[str | None]
    delegation_id: Mapped[UUID | None]
    """The delegation under which the actor acted for another; no foreign key, for audit stands lowest."""
    subject: Mapped[UUID | None]
    """Pseudonym of the person concerned."""
    object_kind: Mapped[str | None]
    object_id: Mapped[UUID | None]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str | None]
    """The purpose or the matter that needed it."""
    request_id: Mapped[str]
    address: Mapped[str | None]
