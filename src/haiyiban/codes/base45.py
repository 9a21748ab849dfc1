"""Base45 (RFC 9285): bytes as the 45 characters that a QR code packs best.

Every byte string has exactly one text. The reader refuses any other spelling, so two different texts are
never the same code. The space is one of the 45 characters: never trim a text before reading it.

Source: RFC 9285; the text form of a code is described in schemas/codes/README.md.
"""

import struct
from functools import lru_cache

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_NOT_A_DIGIT = 255
# The two lowest digits of a number, as they are written.
_PAIRS = [chr(ALPHABET[number % 45]) + chr(ALPHABET[number // 45]) for number in range(45 * 45)]
_TO_DIGITS = bytes(ALPHABET.find(code) if code in ALPHABET else _NOT_A_DIGIT for code in range(256))


def encode(data: bytes) -> str:
    """Two bytes become three characters, a last single byte becomes two; lowest digit first."""
    numbers = struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])
    groups = [_PAIRS[number % 2025] + _PAIRS[number // 2025][0] for number in numbers]
    if len(data) % 2:
        groups.append(_PAIRS[data[-1]])
    return "".join(groups)


def decode(text: str) -> bytes:
    """The bytes of a Base45 text. Raises ValueError for anything that `encode` cannot have written."""
    digits = text.encode("ascii").translate(_TO_DIGITS)
    if _NOT_A_DIGIT in digits:
        raise ValueError("a character outside the Base45 alphabet")
    rest = len(digits) % 3
    if rest == 0:
        return _decode_triples(digits)
    if rest == 1:
        raise ValueError("a Base45 text cut off in the middle of a group")
    last = digits[-2] + 45 * digits[-1]
    if last > 0xFF:
        raise ValueError("a Base45 group that stands for no byte")
    return _decode_triples(digits[:-2]) + bytes((last,))


def _decode_triples(digits: bytes) -> bytes:
    # All groups at once, as lanes of three bytes in one big number: no lane can overflow, since the
    # largest group is 91,124. A loop over the groups costs four times as much, at each verification.
    third = _third_of_each(len(digits) // 3)
    lanes = int.from_bytes(digits)
    total = (lanes >> 16 & third) + 45 * (lanes >> 8 & third) + 2025 * (lanes & third)
    data = bytearray(total.to_bytes(len(digits)))
    if data[::3].strip(b"\0"):
        raise ValueError("a Base45 group that stands for no two bytes")
    del data[::3]
    return bytes(data)


@lru_cache(maxsize=512)
def _third_of_each(groups: int) -> int:
    return int.from_bytes(b"\0\0\xff" * groups)
