"""Table of what was deleted when its time was over."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Run(Base):
    """One look through a class of data for what is due, and what came of it. It names nobody, and is never
    deleted: it is how the deletion is shown (个人信息保护法 art. 54)."""

    __tablename__ = "retention_run"
    __table_args__ = (
        Index("ix_retention_run_data_class", "data_class", "id"),
        Index("uq_retention_run_open", "data_class", unique=True, postgresql_where="ended_at IS NULL"),
        CheckConstraint("gone >= 0", name="gone"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    data_class: Mapped[str]
    began_at: Mapped[datetime]
    """What was due at this instant goes."""
    taken_until: Mapped[datetime | None]
    """Until then a worker has it to itself; one that was killed is followed by another after it."""
    ended_at: Mapped[datetime | None]
    due: Mapped[int | None]
    """Rows when it began; null until they are counted."""
    gone: Mapped[int] = mapped_column(default=0)
    """Rows deleted so far, without those that went along; counted in the transaction of each batch."""
    held: Mapped[int | None]
    """Rows that were due and stay for now: another row refers to them, or they were locked."""
    oldest: Mapped[datetime | None]
    """From when the oldest row counts that is left; null where none is, or where the run failed."""
    failed: Mapped[str | None]
    """The kind of error that stopped it, without its words, which may be a person's."""
