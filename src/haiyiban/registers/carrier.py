"""Where a parcel is: the carriers' tracking, asked over one line.

A carrier's own words become our states here and nowhere else. Source: docs/domain.md §8.3 (logistics states).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from haiyiban import db
from haiyiban.registers.client import current
from haiyiban.registers.identity import RegisterUnavailable
from haiyiban.registers.line import NoAnswer
from haiyiban.registers.records import Instant, Text
from haiyiban.registers.sources import CARRIER

ParcelState = Literal[
    "picked",
    "dispatched",
    "in_transit",
    "out_for_delivery",
    "delivered",
    "returned",
    "exception",
]
PARCEL_STATES: tuple[ParcelState, ...] = ParcelState.__args__  # type: ignore[attr-defined]
"""拣货 → 已出库 → 运输中 → 派送中 → 已签收 | 拒收/退回 | 异常: what happens after the shop has confirmed the
departure (离岛确认)."""


class Scan(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that happened to a parcel on its way."""

    at: Instant
    state: ParcelState
    place: Text | None = None


class Tracking(msgspec.Struct, frozen=True, rename="camel"):
    """What the carrier knows of a parcel; the newest scan says where it is."""

    number: Text
    scans: Annotated[tuple[Scan, ...], Meta(max_length=200)]
    phone: Text | None = None
    """Of the recipient, in full: to be masked before anybody sees it."""

    @property
    def newest_first(self) -> list[Scan]:
        """In the order of time, whatever the carrier's."""
        return sorted(self.scans, key=lambda scan: scan.at, reverse=True)


class _Answer(msgspec.Struct, rename="camel"):
    found: bool


_read_answer = msgspec.json.Decoder(_Answer).decode
_read_tracking = msgspec.json.Decoder(Tracking).decode


async def track_parcel(carrier: str, number: str) -> Tracking | None:
    """What a carrier knows of a parcel; None where it knows of none such yet. Raises RegisterUnavailable."""
    db.require_no_transaction()

    def read(content: bytes) -> Tracking | None:
        if not _read_answer(content).found:
            return None
        tracking = _read_tracking(content)
        if tracking.number != number:
            raise msgspec.ValidationError("about another parcel - at `$.number`")
        return tracking

    question = {"carrier": carrier, "number": number}
    try:
        return await current().lines["carrier"].call("/carrier/track", question, read=read)
    except NoAnswer:
        raise RegisterUnavailable(CARRIER) from None
