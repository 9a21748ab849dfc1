"""The key that signs checkpoints, and its public half for whoever checks.

It is Ed25519, or SM2 in the national suite, and the role `checkpoint` of the key folder: only the worker
needs it. A machine that must not sign, such as the API's, can hold `checkpoint.pub` alone: what `haiyiban
audit key` prints.
"""

from __future__ import annotations

from collections.abc import Collection

from haiyiban.audit.notes import PublicKey, Signer
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.settings import Settings
from haiyiban.signatures import Hash

PURPOSE = "checkpoint"
PUBLIC_FILE = "checkpoint.pub"


def origin(settings: Settings) -> str:
    """The name of this deployment's log."""
    return f"haiyiban/{settings.issuer}/audit"


def signer(settings: Settings) -> Signer:
    """The newest key. Raises KeyMissing."""
    return _signers(settings)[-1]


def public(settings: Settings) -> list[PublicKey]:
    """The public halves of all keys, oldest first. Raises KeyMissing."""
    try:
        return [each.public for each in _signers(settings)]
    except KeyMissing:
        return read_public(settings)


def hashed(trusted: Collection[PublicKey]) -> Hash:
    """By which the log is hashed that these keys sign. Raises KeyMissing where they do not agree."""
    found = {each.hashed for each in trusted}
    if len(found) != 1:
        raise KeyMissing("checkpoints are signed by keys of one suite: a log keeps the hash it began with")
    return found.pop()


def read_public(settings: Settings) -> list[PublicKey]:
    """Those that the file beside the keys names. Raises KeyMissing."""
    try:
        lines = (settings.keys_dir / PUBLIC_FILE).read_text("utf-8").split()
        return [PublicKey.read(line) for line in lines]
    except (FileNotFoundError, ValueError):
        raise KeyMissing(f"no public key of checkpoints in {settings.keys_dir}") from None


def _signers(settings: Settings) -> list[Signer]:
    seeds = FileKeys(settings.keys_dir).secrets(PURPOSE)
    return [Signer(origin(settings), seed, suite) for seed, suite in seeds.values()]
