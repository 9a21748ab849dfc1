"""Bulk loads (批量装载): what a folder adds to a made-up province, as rows of PostgreSQL's binary COPY.

Rows are written straight in COPY's own format: most of what stands in them is bytes already (ids, ciphertext,
blind indexes), and making objects of them for a driver to take apart again costs more than the rest.
Source: PostgreSQL, COPY, "Binary Format"; docs/province-scale.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec

from haiyiban.population import Sizes, World

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_COUNTS = tuple(count.to_bytes(2) for count in range(64))
_SHORT = 512
_LENGTHS = tuple(length.to_bytes(4) for length in range(_SHORT))
"""Of nearly all fields."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_MS = 946_684_800_000
_BIGINT, _SMALLINT, _INTEGER, _DOUBLE = (
    struct.Struct(">q"),
    struct.Struct(">h"),
    struct.Struct(">i"),
    struct.Struct(">d"),
)
_TEXT_OID = 25
TRUE, FALSE = b"\1", b"\0"
Field = bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The rows that a folder adds to one table. Made in chunks, each of them once; in which order and by
    which process does not matter, so the rows of an item depend on nothing but the world and its number."""

    table: str
    columns: str
    """Their names, as in SQL: the others have their defaults."""
    items: Callable[[Sizes], int]
    """How many items there are; an item makes no row, one or some."""
    rows: Callable[[World, range], Iterator[bytes]]
    """The rows of these items, each made by `row`."""
    item_bytes: int
    """Disk that an item takes, indexes included, as it was measured (docs/province-scale.md)."""

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return self.columns.split(", ")


def row(fields: Sequence[Field]) -> bytes:
    """A row; None is NULL."""
    parts = [_COUNTS[len(fields)]]
    for field in fields:
        if field is None:
            parts.append(_NULL)
        else:
            size = len(field)
            parts += _LENGTHS[size] if size < _SHORT else size.to_bytes(4), field
    return b"".join(parts)


def uuid_text(key: bytes) -> str:
    """The text of a UUID, of its 16 bytes."""
    digits = key.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def bigint(value: int) -> bytes:
    """A BIGINT."""
    return _BIGINT.pack(value)


def smallint(value: int) -> bytes:
    """A SMALLINT."""
    return _SMALLINT.pack(value)


def double(value: float) -> bytes:
    """A DOUBLE PRECISION."""
    return _DOUBLE.pack(value)


def instant(at: datetime) -> bytes:
    """A TIMESTAMPTZ."""
    return _BIGINT.pack((at - _EPOCH) // timedelta(microseconds=1))


def instant_ms(at_ms: int) -> bytes:
    """The same, of milliseconds since 1970."""
    return _BIGINT.pack((at_ms - _EPOCH_MS) * 1000)


def moment(at_ms: int) -> datetime:
    """An instant in milliseconds since 1970, for whoever counts in days and zones."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def day(on: date) -> bytes:
    """A DATE."""
    return _INTEGER.pack((on - _EPOCH.date()).days)


def local_day(at_ms: int) -> bytes:
    """A DATE: the day in Hainan (UTC+8 all year since 1991) of an instant in milliseconds since 1970."""
    return _INTEGER.pack((at_ms + 28_800_000) // 86_400_000 - 10_957)


def texts(values: Sequence[str]) -> bytes:
    """A TEXT[]."""
    if not values:
        return struct.pack(">iii", 0, 0, _TEXT_OID)
    head = struct.pack(">iiiii", 1, 0, _TEXT_OID, len(values), 1)
    encoded = [value.encode() for value in values]
    return head + b"".join(len(value).to_bytes(4) + value for value in encoded)


def jsonb(value: object) -> bytes:
    """A JSONB."""
    return b"\1" + msgspec.json.encode(value)
