"""What crosses the wire when a terminal uploads what it verified offline."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from haiyiban.codes.outcomes import Outcome
from haiyiban.wire import Input, Output

RECORDS_MOST = 500
RECORD_ID = r"^[A-Za-z0-9._-]{1,64}$"


class OfflineRecord(Input):
    """One offline verification: an id that the terminal never uses twice, the text as it was scanned, when by
    the terminal's clock, what it said. Without `purpose` and `place` those of the terminal are taken."""

    id: Annotated[str, Meta(pattern=RECORD_ID)]
    text: str
    verified_at: Annotated[datetime, Meta(tz=True)]
    outcome: Outcome
    purpose: Annotated[str, Meta(max_length=40)] | None = None
    place: Annotated[str, Meta(max_length=100)] | None = None


class BatchCreate(Input):
    """Offline verifications in the order of their scanning, signed by the terminal over the RFC 8785 form of
    everything else. Records are read one by one: a broken one does not hold up the others."""

    terminal_id: UUID
    sequence: Annotated[int, Meta(ge=1)]
    records: Annotated[list[Any], Meta(min_length=1, max_length=RECORDS_MOST)]
    signature: Annotated[str, Meta(max_length=100)]


class RecordResult(Output, omit_defaults=False):
    """What became of a record, in the order of the batch."""

    id: str | None
    """Null where the record has none that can be read."""
    kept: bool
    """False where the record was refused; `note` says why, and it need not be sent again as it is."""
    outcome: str | None
    """What the terminal said."""
    recomputed: str | None
    """What the text comes to at that instant, by the server."""
    agrees: bool | None
    """Whether the terminal judged right, as far as the server can tell."""
    double_use: bool
    """The terminal accepted a code that had been accepted before, here or elsewhere."""
    note: str | None


class BatchRead(Output):
    """The results, and the sequence that the next batch must have."""

    sequence: int
    results: list[RecordResult]
    next_sequence: int


class FirstUse(Output):
    """The verification that had the code first."""

    verification_id: UUID
    verifier: str
    verified_at: datetime
    offline: bool
    terminal: str | None = None
    place: str | None = None


class DoubleUseRead(Output):
    """A code that a terminal accepted offline although it had been accepted before."""

    id: UUID
    record_id: str
    verifier: str
    terminal_id: UUID
    terminal: str
    place: str | None
    purpose: str
    kind: str | None
    verified_at: datetime
    received_at: datetime
    first: FirstUse
