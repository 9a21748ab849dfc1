"""Tables of the hall: how many of what, when and where; never who."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base


class Count(Base):
    """How many in a minute, an hour or a day. A time is in one row's span: minutes that are over become an
    hour, hours a day."""

    __tablename__ = "hall_count"
    __table_args__ = (
        CheckConstraint("seconds IN (60, 3600, 86400)", name="seconds"),
        CheckConstraint("count > 0", name="positive"),
    )

    since: Mapped[datetime] = mapped_column(primary_key=True)
    seconds: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    division: Mapped[str] = mapped_column(primary_key=True)
    """As the counted rows have it; empty where they name none."""
    matter: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class Board(Base):
    """What the hall shows, one row for all processes: so every screen shows the same."""

    __tablename__ = "hall_board"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    number: Mapped[int]
    """Of the figures, one more each time."""
    at: Mapped[datetime]
    """When they were counted; minutes before it are counted."""
    closed_until: Mapped[datetime]
    """Hours before it were counted a second time, whole."""
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """None until somebody counted for the first time."""
