"""What crosses the wire at the holder's side of codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.wire import Input, Output


class CodeCreate(Input):
    """What to show. `subjectId` of a certificate is its id."""

    kind: Literal["certificate", "identity", "health", "voucher", "pickup"]
    subject_id: UUID | None = None
    device_key: dict[str, str] | None = None
    device_proof: Annotated[str, Meta(max_length=200)] | None = None


class CodeRead(Output):
    """A code to draw: `text` goes into the QR as it is."""

    id: UUID
    text: str
    expires_at: datetime


class CodeStateRead(Output):
    """What became of a code; `usedBy` is the accredited name of the verifier that accepted it."""

    id: UUID
    kind: str
    state: str
    expires_at: datetime
    used_at: datetime | None = None
    used_by: str | None = None
