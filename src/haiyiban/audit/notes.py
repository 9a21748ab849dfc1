"""A checkpoint: how many records the log holds and their root hash, signed (封存点).

It is a signed note as other transparency logs publish it, so their tools read it. The key signs nothing else.

Source: C2SP tlog-checkpoint and signed-note (Ed25519, signature type 0x01; SM2, for which no type is
registered, 0xff and a name).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from haiyiban.audit.merkle import HASH_BYTES
from haiyiban.signatures import Hash, Suite, sha256
from haiyiban.sm import Sm2PrivateKey, Sm2PublicKey, sm3

NOTE_BYTES_MOST: Final = 16_384
_ED25519: Final = b"\x01"
_SM2: Final = b"\xffSM2-SM3"
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


class UntrustedCheckpoint(Exception):
    """A text that is no checkpoint, or that no key we trust has signed; the message says which."""


class Checkpoint(NamedTuple):
    """What is signed."""

    origin: str
    """Which log."""
    size: int
    """How many records it holds: numbers 0 up to size - 1."""
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that the signature covers."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class PublicKey(NamedTuple):
    """Whose signature counts, in the form that people pin."""

    name: str
    raw: bytes
    """32 bytes (RFC 8032), or the 64 of a point of SM2's curve."""

    @property
    def hashed(self) -> Hash:
        """By which the log is hashed that this key signs: a log keeps it, so all its keys agree."""
        return sha256 if self._type == _ED25519 else sm3

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + self._type + self.raw)[:4]

    @property
    def text(self) -> str:
        """`name+id+key` on one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self._type + self.raw).decode()}"

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """The key that a line says. Raises ValueError."""
        name, id_, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        key = cls(name, raw.removeprefix(_SM2) if raw.startswith(_SM2) else raw[1:])
        if raw != key._type + key.raw or len(key.raw) not in (32, 64) or key.id.hex() != id_:
            raise ValueError("not a key of a signed note, Ed25519 or SM2")
        return key

    @property
    def _type(self) -> bytes:
        return _ED25519 if len(self.raw) == 32 else _SM2

    def signed(self, signature: bytes, text: bytes) -> bool:
        """Whether a signature is this key's over a text. Raises ValueError where the key is none."""
        if self._type == _SM2:
            return Sm2PublicKey(self.raw).holds(signature, text)
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """Signs checkpoints of one log."""

    def __init__(self, origin: str, seed: bytes, suite: Suite = Suite.INTERNATIONAL) -> None:
        """`seed`: 32 secret bytes, the private key of RFC 8032; for SM2 the key and its point, 96 bytes."""
        self.origin = origin
        self._private: Ed25519PrivateKey | Sm2PrivateKey
        if suite is Suite.NATIONAL:
            self._private = Sm2PrivateKey(seed[:32], seed[32:])
            self.public = PublicKey(origin, self._private.point)
        else:
            self._private = Ed25519PrivateKey.from_private_bytes(seed)
            self.public = PublicKey(origin, self._private.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """The note of a checkpoint."""
        text = Checkpoint(self.origin, size, root).text
        signature = base64.b64encode(self.public.id + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self.origin} {signature}\n"


def read(note: str, keys: Collection[PublicKey]) -> Checkpoint:
    """The checkpoint of a note that one of `keys` signed. Raises UntrustedCheckpoint."""
    head, parted, signatures = note.rpartition("\n\n")
    text = head + "\n"
    if not parted or len(note) > NOTE_BYTES_MOST or not signatures.endswith("\n"):
        raise UntrustedCheckpoint("not a signed note")
    if not any(_is_signed(text, line, key) for line in signatures.splitlines() for key in keys):
        raise UntrustedCheckpoint("signed by none of the known keys")
    origin, size, root = [*head.split("\n"), "", ""][:3]
    try:
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error):
        raise UntrustedCheckpoint("not a checkpoint") from None
    if not _SIZE.fullmatch(size) or len(checkpoint.root) != HASH_BYTES:
        raise UntrustedCheckpoint("not a checkpoint")
    if origin not in {key.name for key in keys}:
        raise UntrustedCheckpoint("of another log")
    return checkpoint


def _is_signed(text: str, line: str, key: PublicKey) -> bool:
    """Whether a line is this key's. A line that names the key and is not its signature spoils the note."""
    mark, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        return False
    if mark != "—" or name != key.name or signature[:4] != key.id:
        return False
    if not key.signed(signature[4:], text.encode()):
        raise UntrustedCheckpoint("the signature does not fit the text")
    return True
