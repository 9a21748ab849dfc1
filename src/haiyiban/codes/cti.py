"""The code's own number, which tells the server, and nobody else, what the code is about.

Showing a code writes nothing: the id of a code is a UUIDv7 whose free bits hold the kind and the row of
the subject, and the `cti` in the code is that id under AES-128, one block (SM4 in the national suite). To
everyone without the key a cti is 16 random bytes, new for every code; the server opens it and reads the row.
The holder sees the id, so a row number must not be secret.

The 74 free bits, from the top: kind 8, row 40, random 26. The time (milliseconds) is where UUIDv7 has it.

Source: schemas/codes/README.md §2 (cti); RFC 9562 §5.7.
"""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from haiyiban.signatures import Suite

KEY_BYTES = 16
KIND_BITS, REF_BITS, RANDOM_BITS = 8, 40, 26

_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62
_RAND_B_BITS = 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class CodeRef(msgspec.Struct, frozen=True):
    """What a cti stands for: the code's id, its kind, the row of its subject, and when it was made."""

    id: UUID
    kind: int
    ref: int
    made_at: datetime


def new_code_id(kind: int, ref: int, *, now: datetime) -> UUID:
    """The id of a new code of a kind about a row. Raises ValueError when either does not fit its bits."""
    if not 0 <= kind < 1 << KIND_BITS:
        raise ValueError(f"a kind has {KIND_BITS} bits")
    if not 0 <= ref < 1 << REF_BITS:
        raise ValueError(f"a row number has {REF_BITS} bits")
    milliseconds = (now - _EPOCH) // _MILLISECOND
    free = (kind << REF_BITS | ref) << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
    rand_a, rand_b = free >> _RAND_B_BITS, free & ((1 << _RAND_B_BITS) - 1)
    return UUID(int=milliseconds << 80 | _VERSION_7 | rand_a << 64 | _VARIANT | rand_b)


class CtiCipher:
    """Turns the ids of codes into cti and back, under a key of its own (16 bytes)."""

    def __init__(self, key: bytes, suite: Suite = Suite.INTERNATIONAL) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a cti key has {KEY_BYTES} bytes")
        block = algorithms.SM4(key) if suite is Suite.NATIONAL else algorithms.AES(key)
        # ECB on purpose: one block, and no two ids are equal, so there is no pattern for ECB to show.
        cipher = Cipher(block, modes.ECB())  # noqa: S305
        # Each block stands alone, so the two contexts serve every code; making one costs more than the block.
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    def seal(self, code_id: UUID) -> bytes:
        """The cti of a code."""
        return self._encrypt(code_id.bytes)

    def open(self, cti: bytes) -> CodeRef | None:
        """What a cti stands for; None when no code of ours has it."""
        if len(cti) != 16:
            return None
        code_id = UUID(bytes=self._decrypt(cti))
        if code_id.version != 7 or code_id.variant != RFC_4122:
            return None
        number = code_id.int
        try:
            made_at = _EPOCH + (number >> 80) * _MILLISECOND
        except OverflowError:
            return None
        free = (number >> 64 & 0xFFF) << _RAND_B_BITS | number & ((1 << _RAND_B_BITS) - 1)
        subject = free >> RANDOM_BITS
        return CodeRef(
            id=code_id, kind=subject >> REF_BITS, ref=subject & ((1 << REF_BITS) - 1), made_at=made_at
        )
