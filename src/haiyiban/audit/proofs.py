"""The proof that one record is in the log, as a file that anybody checks without us (封存证明).

Source: C2SP tlog-proof. Its `extra` is the record itself, exactly as it was hashed, so nothing in the file
has to be believed: the record's hash, the path and the signature must fit.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from haiyiban.audit import entries, merkle, notes
from haiyiban.audit.notes import Checkpoint, PublicKey, UntrustedCheckpoint

PROOF_BYTES_MOST: Final = 65_536
_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"


class BadProof(Exception):
    """A proof that proves nothing; the message says why."""


class Proved(NamedTuple):
    """What a good proof shows."""

    entry: dict[str, Any]
    """The record by names (entries.py)."""
    number: int
    """Of the record in the log, from 0 on."""
    checkpoint: Checkpoint


def write(entry: bytes, number: int, path: Sequence[bytes], note: str) -> str:
    """The proof as text."""
    lines = [
        _FIRST_LINE,
        f"extra {base64.b64encode(entry).decode()}",
        f"index {number}",
        *(base64.b64encode(each).decode() for each in path),
    ]
    return "\n".join(lines) + f"\n\n{note}"


def check(proof: str, keys: Collection[PublicKey]) -> Proved:
    """What a proof proves, under these keys alone. Raises BadProof."""
    head, parted, note = proof.replace("\r\n", "\n").partition("\n\n")
    lines = head.split("\n")
    if not parted or len(proof) > PROOF_BYTES_MOST or lines[0] != _FIRST_LINE or len(lines) < 3:
        raise BadProof("not a proof (c2sp.org/tlog-proof@v1)")
    try:
        entry = base64.b64decode(lines[1].removeprefix("extra "), validate=True)
        number = int(lines[2].removeprefix("index "))
        path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    except (ValueError, binascii.Error):
        raise BadProof("damaged") from None
    try:
        checkpoint = notes.read(note, keys)
    except UntrustedCheckpoint as error:
        raise BadProof(f"its checkpoint: {error}") from None
    # The checkpoint names one log; the keys that are trusted for it agree on its hash.
    [hashed] = {key.hashed for key in keys if key.name == checkpoint.origin}
    leaf = merkle.leaf_hash(entry, hashed)
    if not merkle.is_included(leaf, number, checkpoint.size, path, checkpoint.root, hashed):
        raise BadProof("the record is not in the log that the checkpoint signs")
    try:
        return Proved(entries.read(entry), number, checkpoint)
    except ValueError:
        raise BadProof("the record is of a later version of the platform") from None
