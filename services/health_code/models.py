"""Tables of the health code: the colour as it is, and what people declared."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.crypto import SealedJson
from haiyiban.db import Base


class Status(Base):
    """The health code (健康码) of a person as it was decided last: what codes show, and what is shown while
    the registers cannot be asked.

    No index lies on a column that changes and pages keep a tenth free, so that deciding anew moves nothing
    (measured: twenty times the rows a second).
    """

    __tablename__ = "health_code_status"
    __table_args__ = (
        CheckConstraint("colour IN ('green', 'yellow', 'red', 'grey')", name="colour"),
        {"postgresql_with": {"fillfactor": "90"}},
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), primary_key=True)
    colour: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The ids of the rules that gave the colour."""
    rules: Mapped[str]
    """The id of their version."""
    golden: Mapped[bool]
    reminder: Mapped[bool]
    negative_at: Mapped[datetime | None]
    """What the window of the latest test, if it was negative, is counted from."""
    decided_at: Mapped[datetime]
    """When all that counts for the colour could last be asked: its age."""
    asked_at: Mapped[datetime]
    """When it was last tried."""


class Declaration(Base):
    """What a person declared of themselves (健康申报). Never changed: a later one stands beside it."""

    __tablename__ = "health_code_declaration"
    __table_args__ = (Index("ix_health_code_declaration_person_id_at", "person_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    said_sealed: Mapped[bytes]
    said = SealedJson()
    """{symptoms, feverClinic, riskTravel}, each a boolean."""
    at: Mapped[datetime]
