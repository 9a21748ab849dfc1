"""Base45 (RFC 9285): bytes as the 45 characters that a QR code packs best.

Every byte string has exactly one text. The reader refuses any other spelling, so two different texts are
never the same code. The space is one of the 45 characters: never trim a text before reading it.

Source: RFC 9285; the text form of a code is described in schemas/codes/README.md.
"""

from functools import lru_cache

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_NOT_A_DIGIT = 255
_TO_DIGITS = bytes(ALPHABET.find(code) if code in ALPHABET else _NOT_A_DIGIT for code in range(256))
_TO_CHARACTERS = ALPHABET.ljust(256)


def encode(data: bytes) -> str:
    """Two bytes become three characters, a last single byte becomes two; lowest digit first."""
    groups = len(data) // 2
    digits = _encode_pairs(data, groups)
    if len(data) % 2:
        digits += bytes((data[-1] % 45, data[-1] // 45))
    return digits.translate(_TO_CHARACTERS).decode()


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


# All groups at once, as lanes of one big number in which no lane can overflow: a loop over the groups costs
# four times as much, at each showing and each verification.
def _encode_pairs(data: bytes, groups: int) -> bytearray:
    spread = bytearray(5 * groups)
    spread[3::5], spread[4::5] = data[0 : 2 * groups : 2], data[1 : 2 * groups : 2]
    digit = _digit_of_each(groups)
    numbers = int.from_bytes(spread)
    # Division by 2025 and by 45 as multiplication: exact for all that two bytes can be.
    highest = numbers * 132_561 >> 28 & digit
    rest = numbers - 2025 * highest
    middle = rest * 1457 >> 16 & digit
    lanes = (rest - 45 * middle << 16 | middle << 8 | highest).to_bytes(5 * groups)
    digits = bytearray(3 * groups)
    digits[0::3], digits[1::3], digits[2::3] = lanes[2::5], lanes[3::5], lanes[4::5]
    return digits


def _decode_triples(digits: bytes) -> bytes:
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


@lru_cache(maxsize=512)
def _digit_of_each(groups: int) -> int:
    return int.from_bytes(b"\0\0\0\0\x3f" * groups)
