"""Keys by purpose, field encryption and blind indexes.

Personal values are stored as AES-256-GCM, bound to their table, column and row, so that a value copied
to another row does not open; they are found by a keyed blind index (HMAC-SHA256), never a bare hash,
because identity numbers are few enough to be tried out. Keys of the national suite do the same by SM4-GCM and
HMAC-SM3. Source: docs/domain.md §13.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from haiyiban import sm
from haiyiban.new_keys import ROOT_PURPOSE, SECRET_PURPOSES, SIGNING_PURPOSES, new_entry
from haiyiban.signatures import (
    PrivateKey,
    PublicKey,
    Suite,
    private_key_of,
)
from haiyiban.sm import SM4_KEY_BYTES, Sm4Gcm

PUBLISHED_BEFORE_USE = {
    "access-token": timedelta(minutes=10),
    "code": timedelta(days=1),
    "list": timedelta(days=1),
    "checkpoint": timedelta(0),
    "field": timedelta(0),
}
"""A new key is known to everybody before it signs: longer than any copy of the old key set is kept."""
NOTICED_SECONDS = 30
"""How soon a process that runs seals with a field key that was added."""


class KeyMissing(Exception):
    """A key that a stored value or a signature names is not in the key folder."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair; `kid` is hex of the first 8 bytes of SHA-256 over its SubjectPublicKeyInfo."""

    kid: str
    private: PrivateKey
    not_before: datetime
    revoked_at: datetime | None = None
    made_at: datetime | None = None

    @property
    def public(self) -> PublicKey:
        return self.private.public_key()

    @property
    def es256(self) -> ec.EllipticCurvePrivateKey:
        """The key of a purpose that is ES256 in either suite. Raises KeyMissing."""
        if not isinstance(self.private, ec.EllipticCurvePrivateKey):
            raise KeyMissing(f"key {self.kid} is not P-256")
        return self.private


class Secret(NamedTuple):
    """A secret key, and what it is for."""

    key: bytes
    suite: Suite


class KeyProvider(Protocol):
    """Where a process has its keys from: what signing, sealing and finding ask for, and all they ask for.

    Keys are told oldest first. A provider over a KMS or an HSM gives signing keys whose `private` signs
    there; secrets come out of it, for values are sealed by the thousand a second.
    """

    def signing(self, purpose: str) -> list[SigningKey]:
        """The signing keys of a purpose. Raises KeyMissing."""

    def secrets(self, purpose: str) -> dict[str, Secret]:
        """The secrets of a purpose by key id. Raises KeyMissing."""


class FileKeys:
    """The provider of the demo and of small deployments: one JSON file a purpose, mode 0600.

    A file holds a list, oldest first; the newest whose `notBefore` has come is used, all are accepted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path, suite: Suite = Suite.INTERNATIONAL) -> FileKeys:
        """Open the folder of the servers' keys, making those that are missing."""
        keys = cls._made(folder)
        for purpose in (*SIGNING_PURPOSES, *SECRET_PURPOSES):
            keys._create(purpose, suite)
        return keys

    @classmethod
    def create_root(cls, folder: Path, suite: Suite = Suite.INTERNATIONAL) -> FileKeys:
        """Open the folder of the trust root, making the root if there is none."""
        keys = cls._made(folder)
        keys._create(ROOT_PURPOSE, suite)
        return keys

    @classmethod
    def _made(cls, folder: Path) -> FileKeys:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder)

    def signing(self, purpose: str) -> list[SigningKey]:
        """The signing keys of a purpose, oldest first."""
        return [
            SigningKey(
                kid=entry["kid"],
                private=_private(entry),
                not_before=datetime.fromisoformat(entry["notBefore"]),
                revoked_at=datetime.fromisoformat(entry["revokedAt"]) if "revokedAt" in entry else None,
                made_at=datetime.fromisoformat(entry["madeAt"]) if "madeAt" in entry else None,
            )
            for entry in self._read(purpose)
        ]

    def secrets(self, purpose: str) -> dict[str, Secret]:
        """The secrets of a purpose by key id, oldest first: 32 bytes, before the public half where there is
        one."""
        return {
            entry["kid"]: Secret(base64.b64decode(entry["key"]), Suite(entry.get("suite", "international")))
            for entry in self._read(purpose)
        }

    def rotate(self, purpose: str, *, not_before: datetime, suite: Suite = Suite.INTERNATIONAL) -> str:
        """Add a key that is used from `not_before` on. The new key's id."""
        if purpose == "checkpoint":
            suite = next(iter(self.secrets(purpose).values())).suite  # a log keeps the hash it began with
        fresh = new_entry(purpose, suite)
        fresh["notBefore"] = not_before.isoformat()
        self._write(purpose, [*self._read(purpose), fresh])
        return str(fresh["kid"])

    def field_key_since(self) -> datetime:
        """When the newest field key was added."""
        return datetime.fromisoformat(self._read("field")[-1]["notBefore"])

    def retire(self, kid: str) -> None:
        """Take an earlier field key out of the folder: what it sealed cannot be opened any more.

        Raises KeyMissing for one that is not there, and for the newest, which seals.
        """
        entries = self._read("field")
        if kid not in [entry["kid"] for entry in entries[:-1]]:
            raise KeyMissing(f"no earlier field key {kid} in {self.folder}")
        self._write("field", [entry for entry in entries if entry["kid"] != kid])

    def revoke(self, kid: str, *, at: datetime) -> str:
        """Let nothing count that a key of codes or lists signed, from an instant on. Its purpose.

        Raises KeyMissing.
        """
        for purpose in ("code", "list"):
            entries = self._read(purpose)
            if found := [entry for entry in entries if entry["kid"] == kid]:
                found[0]["revokedAt"] = at.isoformat()
                self._write(purpose, entries)
                return purpose
        raise KeyMissing(f"no key {kid} for codes or lists in {self.folder}")

    def _path(self, purpose: str) -> Path:
        return self.folder / f"{purpose}.json"

    def _read(self, purpose: str) -> list[dict[str, Any]]:
        try:
            entries: list[dict[str, Any]] = json.loads(self._path(purpose).read_bytes())
        except FileNotFoundError:
            raise KeyMissing(f"no keys for {purpose} in {self.folder}") from None
        return entries

    def _create(self, purpose: str, suite: Suite) -> None:
        if self._path(purpose).exists():
            return
        partial = self._written(purpose, [new_entry(purpose, suite)])
        # Two processes that start at once: the link of the second fails, and both use the first one's key.
        with suppress(FileExistsError):
            os.link(partial, self._path(purpose))
        partial.unlink()

    def _write(self, purpose: str, entries: list[dict[str, Any]]) -> None:
        """Replace the file in one step, so that a crash leaves the old or the new and never half."""
        self._written(purpose, entries).replace(self._path(purpose))

    def _written(self, purpose: str, entries: list[dict[str, Any]]) -> Path:
        partial = self._path(purpose).with_suffix(f".{os.getpid()}.partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(entries, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        return partial


def _private(entry: dict[str, Any]) -> PrivateKey:
    try:
        return private_key_of(entry["key"])
    except ValueError as error:
        raise KeyMissing(f"key {entry['kid']} cannot be read: {error}") from None


class Vault:
    """Seals and opens personal values and makes their blind indexes.

    A field key that is added seals in every process within `NOTICED_SECONDS`, and opens at once.
    """

    _VERSION = b"\x01"
    KEY_AT = slice(1, 5)
    """Where a sealed value names its key."""

    def __init__(self, keys: KeyProvider) -> None:
        self._keys = keys
        self._index_key, suite = next(iter(keys.secrets("blind-index").values()))
        self._hmac = sm.hmac_sm3 if suite is Suite.NATIONAL else _hmac_sha256
        self._load()

    def _load(self) -> None:
        fields = self._keys.secrets("field")
        self._ciphers = {bytes.fromhex(kid): _cipher(secret) for kid, secret in fields.items()}
        self._active = bytes.fromhex(list(fields)[-1])
        self._look_again = time.monotonic() + NOTICED_SECONDS

    @property
    def active(self) -> bytes:
        """The id of the key that seals now, as it stands in what it seals."""
        if time.monotonic() > self._look_again:
            self._load()
        return self._active

    def seal(self, plain: bytes, *, where: str) -> bytes:
        """Encrypt a value; `where` (table, column, row) must be the same to open it."""
        nonce, kid = os.urandom(12), self.active
        body = self._ciphers[kid].encrypt(nonce, plain, where.encode())
        return self._VERSION + kid + nonce + body

    def open(self, sealed: bytes, *, where: str) -> bytes:
        """Decrypt a value. Raises KeyMissing for an unknown key or a value that is not of this place."""
        kid, nonce, body = sealed[self.KEY_AT], sealed[5:17], sealed[17:]
        if kid not in self._ciphers:
            self._load()  # another process was told of a new key before this one
        cipher = self._ciphers.get(kid)
        if sealed[:1] != self._VERSION or cipher is None:
            raise KeyMissing(f"no field key {kid.hex()}")
        try:
            return cipher.decrypt(nonce, body, where.encode())
        except InvalidTag:
            raise KeyMissing(f"the value does not belong to {where.split('|')[0]}") from None

    def blind(self, purpose: str, value: str) -> bytes:
        """The blind index of a value: equal values of one purpose have equal indexes, nothing else shows."""
        return self._hmac(self._index_key, f"{purpose}|{value}".encode())


def _cipher(secret: Secret) -> AESGCM | Sm4Gcm:
    return Sm4Gcm(secret.key[:SM4_KEY_BYTES]) if secret.suite is Suite.NATIONAL else AESGCM(secret.key)


def _hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


_vault: Vault | None = None


def install(vault: Vault) -> None:
    """Make this process use a vault; done once at its start."""
    global _vault
    _vault = vault


def vault() -> Vault:
    """The vault of this process."""
    if _vault is None:
        raise KeyMissing("no vault is installed in this process")
    return _vault
