"""Deterministic CBOR (RFC 8949 §4.2.1), as much of it as a code needs and no more.

Admitted: integers, byte and text strings, arrays, maps with integer or text keys, true and false.
Everything else (tags, floats, null, undefined, indefinite lengths) and every second spelling of the same
value (long heads, unordered or repeated keys, trailing bytes) is refused while reading, so the bytes that
were signed are the only bytes there are.

Reading is ours and not cbor2's because cbor2 acts on tags as it meets them: a nine-byte big float makes
it compute 2 ** 2147483647, and shared references and string references rebuild values that are not in the
text. The tests hold this reader against cbor2 (decode, encode again, compare). Writing is cbor2's.

Source: RFC 8949 §4.2.1; limits: at most 1 KB, nested at most 6 deep.
"""

import struct
from functools import lru_cache
from typing import Any, Never

import cbor2

MAX_BYTES = 1024
MAX_DEPTH = 6

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_FALSE, _TRUE = 0xF4, 0xF5
_SHORT_TEXT = 0x60
# How to read a number of 1, 2, 4 or 8 bytes after its head, and the least number that needs as many.
_LONG = {
    24: (struct.Struct(">B").unpack_from, 1, 24),
    25: (struct.Struct(">H").unpack_from, 2, 1 << 8),
    26: (struct.Struct(">I").unpack_from, 4, 1 << 16),
    27: (struct.Struct(">Q").unpack_from, 8, 1 << 32),
}


class MalformedCode(ValueError):
    """The text is not a code: cut off, mistyped, damaged or something else altogether."""


def decode(data: bytes, *, depth: int = MAX_DEPTH) -> Any:
    """The one value that these bytes are, nested at most `depth` deep.

    Raises MalformedCode, and nothing else, for any other bytes.
    """
    if len(data) > MAX_BYTES:
        _refuse("over 1 KB")
    try:
        value, end = _read(data, 0, depth)
    except (IndexError, struct.error):
        raise MalformedCode("cut off") from None
    except UnicodeDecodeError:
        raise MalformedCode("text that is not UTF-8") from None
    if end != len(data):
        _refuse("bytes after the end")
    return value


def encode(value: Any) -> bytes:
    """The deterministic bytes of a value made of the admitted types."""
    return cbor2.dumps(_ordered(value))


def encode_in_order(value: Any) -> bytes:
    """The same of a value whose maps have their keys in deterministic order already: no sorting."""
    return cbor2.dumps(value)


def byte_string(data: bytes) -> bytes:
    """The deterministic bytes of a byte string: a head and the bytes. They are most of an envelope."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 256:
        return bytes((0x58, size)) + data
    return b"\x59" + size.to_bytes(2) + data


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    head = data[at]
    at += 1
    if head < 24:
        return head, at
    major, number = head >> 5, head & 31
    if major > _MAP:
        if head not in (_FALSE, _TRUE):
            _refuse("a type that codes do not use")
        return head == _TRUE, at
    if number >= 24:
        number, at = _long_number(data, at, number)
    if major in (_BYTES, _TEXT):
        end = at + number
        if end > len(data):
            _refuse("cut off")
        return (data[at:end] if major == _BYTES else data[at:end].decode()), end
    if major == _UNSIGNED:
        return number, at
    if major == _NEGATIVE:
        return -1 - number, at
    if depth == 0:
        _refuse("nested too deep")
    return (_array if major == _ARRAY else _map)(data, at, number, depth - 1)


def _long_number(data: bytes, at: int, width_code: int) -> tuple[int, int]:
    if width_code > 27:
        _refuse("an indefinite length")
    unpack, width, least = _LONG[width_code]
    (number,) = unpack(data, at)
    if number < least:
        _refuse("a number longer than it need be")
    return number, at + width


# A count may claim any length: each item takes at least one byte, so reading ends at the end of the data.
def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(count):
        item, at = _read(data, at, depth)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[int | str, Any], int]:
    pairs: dict[int | str, Any] = {}
    previous_head, previous = -1, b""
    for _ in range(count):
        start, head = at, data[at]
        key: int | str
        if head < 24:
            key = head
            at += 1
        else:
            key, at = _key(data, at, depth)
        # Keys stand in the order of their bytes, and mostly the first byte tells.
        if head <= previous_head and (head < 24 or data[start:at] <= previous):
            _refuse("keys out of order or repeated")
        previous_head = head
        if head >= 24:
            previous = data[start:at]
        # Short texts are most of what a body holds: read here, each saves a step.
        end = at + 1 + data[at] - _SHORT_TEXT
        if at < end <= at + 24 and end <= len(data):
            pairs[key], at = data[at + 1 : end].decode(), end
        else:
            pairs[key], at = _read(data, at, depth)
    return pairs, at


def _key(data: bytes, at: int, depth: int) -> tuple[int | str, int]:
    key, end = _read(data, at, depth)
    if type(key) is not int and type(key) is not str:
        _refuse("a key that is neither a number nor a text")
    return key, end


def _ordered(value: Any) -> Any:
    # cbor2's own canonical order is the older, length-first one (RFC 7049): it differs for -1 and 100.
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=_written_key)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


@lru_cache(maxsize=256)  # the same dozen keys in every code
def _written_key(key: int | str) -> bytes:
    return cbor2.dumps(key)


def _refuse(why: str) -> Never:
    raise MalformedCode(why)
