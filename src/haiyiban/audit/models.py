"""Tables of the audit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class AuditSubject(Base):
    """A person's pseudonym in the audit; deleting the row erases the person from it (terms.py says when)."""

    __tablename__ = "audit_subject"
    __table_args__ = (
        Index("ix_audit_subject_retired_at", "retired_at", postgresql_where="retired_at IS NOT NULL"),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    pseudonym: Mapped[UUID] = mapped_column(unique=True)
    retired_at: Mapped[datetime | None]
    """When the person closed their account; null while they have one, and of who never had."""


class AuditRecord(Base):
    """One act: a state change, a look at another's data, a verification, a refusal."""

    __tablename__ = "audit_record"
    __table_args__ = (
        Index("ix_audit_record_subject", "subject", "at"),
        Index("ix_audit_record_xid", "xid", "id"),
    )

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
    xid: Mapped[int] = mapped_column(server_default=text("(pg_current_xact_id()::text)::bigint"))
    """The transaction that wrote it, so that the sealer can tell when nothing can come before it any more."""


class AuditLeaf(Base):
    """The number that a record has in the log, given once by the sealer (sealing.py).

    No foreign key: it would cost the sealer as much as all the rest, and whoever can delete a record can drop
    it; the log is what finds that out.
    """

    __tablename__ = "audit_leaf"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """From 0 on, without a gap."""
    record_id: Mapped[UUID] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(SmallInteger)
    """Of the text that was hashed (leaves.py)."""


class AuditTile(Base):
    """Hashes of the tree, 256 to a row, so that a proof is quick. Not trusted: what is made of them is held
    against a signature."""

    __tablename__ = "audit_tile"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]


class AuditCheckpoint(Base):
    """A signed checkpoint, for the API to hand out; the one that counts lies apart (seals.py)."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[str]
    at: Mapped[datetime]
