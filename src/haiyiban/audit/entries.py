"""What an entry of the log says: PostgreSQL's binary form of a record (leaves.py), read without PostgreSQL.

Source: PostgreSQL, `record_send` and `array_send`: numbers are big-endian, times are microseconds from the
beginning of 2000 in UTC.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

NAMES: Final = {
    1: (
        "version",
        "id",
        "at",
        "action",
        "outcome",
        "actorKind",
        "actorUnit",
        "delegationId",
        "subject",
        "objectKind",
        "objectId",
        "fields",
        "reason",
    )
}
"""What stands where in an entry, by its version."""
_SMALLINT, _TEXT, _TEXTS, _INSTANT, _UUID = 21, 25, 1009, 1184, 2950
_CLOSED_BYTES = 32
"""The hash of what concerns nobody but us, at the end."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def read(entry: bytes) -> dict[str, Any]:
    """What an entry says, by names. Raises ValueError for one that is damaged or of an unknown version."""
    try:
        values = list(_columns(entry[:-_CLOSED_BYTES]))
        return dict(zip(NAMES[values[0]], values, strict=True))
    except (struct.error, KeyError, IndexError, OverflowError) as error:
        raise ValueError("not an entry") from error


def _columns(entry: bytes) -> Iterator[Any]:
    (count,) = struct.unpack_from(">i", entry)
    at = 4
    for _ in range(count):
        type_, length = struct.unpack_from(">Ii", entry, at)
        at += 8
        if length < 0:
            yield None
            continue
        yield _value(type_, entry[at : at + length])
        at += length
    if at != len(entry):
        raise ValueError("something follows")


def _value(type_: int, value: bytes) -> Any:
    if type_ == _TEXT:
        return value.decode()
    if type_ == _UUID:
        return UUID(bytes=value)
    if type_ == _SMALLINT:
        return int.from_bytes(value, signed=True)
    if type_ == _INSTANT:
        return _EPOCH + timedelta(microseconds=int.from_bytes(value, signed=True))
    if type_ == _TEXTS:
        return list(_texts(value))
    raise ValueError(f"type {type_}")


def _texts(value: bytes) -> Iterator[str]:
    dimensions, _, _ = struct.unpack_from(">iiI", value)
    # Of fields there is one row, or none.
    count = struct.unpack_from(">i", value, 12)[0] if dimensions else 0
    at = 12 + 8 * dimensions
    for _ in range(count):
        (length,) = struct.unpack_from(">i", value, at)
        yield value[at + 4 : at + 4 + length].decode()
        at += 4 + length
