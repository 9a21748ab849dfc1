"""The seals: what shows afterwards what the log held, kept apart from the database (封条).

A seal is one object, written once and never changed: a signed checkpoint, and the hashes of the records that
it adds to the one before. All of them in order are the whole log in hashes, so whoever has only the database
cannot rewrite it, and a record that was changed can be named. Its name is the checkpoint's size.

They lie in the folder `audit` of the state folder, or where HAIYIBAN_AUDIT_URL says: best a bucket that keeps
what was written (object lock) under other hands than the database's.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import NamedTuple

from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore

from haiyiban import objects
from haiyiban.audit import notes
from haiyiban.audit.merkle import HASH_BYTES
from haiyiban.audit.notes import Checkpoint, PublicKey, UntrustedCheckpoint
from haiyiban.settings import Settings

_FOLDER = "seals"
_DIGITS = 16


class BrokenSeal(Exception):
    """A seal that is not what was written; `first` is the number of the first record that it should vouch
    for."""

    def __init__(self, name: str, why: str, *, first: int) -> None:
        super().__init__(f"{name}: {why}")
        self.first = first


class Seal(NamedTuple):
    """A checkpoint with what it adds."""

    checkpoint: Checkpoint
    note: str
    hashes: bytes
    """Of the records from the checkpoint before up to this one, 32 bytes each."""

    @property
    def first(self) -> int:
        """The number of the first record that it adds."""
        return self.checkpoint.size - len(self.hashes) // HASH_BYTES


class Seals:
    """The place where they are kept."""

    def __init__(self, settings: Settings) -> None:
        self._folder = None if settings.audit_url else settings.home / "audit"
        self._store: ObjectStore = (
            objects.store_at(settings.audit_url, settings)
            if self._folder is None
            else LocalStore(self._folder, mkdir=True)
        )

    async def put(self, size: int, note: str, hashes: bytes) -> None:
        """Keep a seal for good. Raises FileExistsError where there is one of this size."""
        name = _name(size)
        # A note is text without control characters, so the first NUL ends it.
        try:
            await self._store.put_async(name, note.encode() + b"\0" + hashes, mode="create")
        except AlreadyExistsError:
            raise FileExistsError(name) from None
        if self._folder is not None:
            _keep_over_a_power_cut(self._folder / name)

    async def newest(self, keys: Collection[PublicKey], *, since: int) -> Seal | None:
        """The newest seal of `since` records or more. Raises BrokenSeal."""
        names = [name async for name in self._names(after=_name(since - 1) if since else None)]
        return await self._read(names[-1], keys, first=None) if names else None

    async def all(self, keys: Collection[PublicKey], *, after: int = 0) -> AsyncIterator[Seal]:
        """Every seal beyond `after` records, in order. Raises BrokenSeal at one that does not follow on the
        one before, or that none of the keys has signed."""
        first = after
        async for name in self._names(after=_name(after) if after else None):
            seal = await self._read(name, keys, first=first)
            yield seal
            first = seal.checkpoint.size

    async def _names(self, *, after: str | None) -> AsyncIterator[str]:
        found = [
            each["path"] async for chunk in self._store.list(f"{_FOLDER}/", offset=after) for each in chunk
        ]
        for name in sorted(found):
            yield name

    async def _read(self, name: str, keys: Collection[PublicKey], *, first: int | None) -> Seal:
        got = await self._store.get_async(name)
        note, _, hashes = bytes(await got.bytes_async()).partition(b"\0")
        try:
            checkpoint = notes.read(note.decode(), keys)
        except (UntrustedCheckpoint, UnicodeDecodeError) as error:
            raise BrokenSeal(name, f"签名不可信 not trusted ({error})", first=first or 0) from None
        seal = Seal(checkpoint, note.decode(), hashes)
        if _name(checkpoint.size) != name or len(hashes) % HASH_BYTES:
            raise BrokenSeal(name, "内容与名称不符 not what its name says", first=first or 0)
        if first is not None and seal.first != first:
            raise BrokenSeal(name, f"前面缺少封条 a seal before it is missing ({first})", first=first)
        return seal


def _name(size: int) -> str:
    return f"{_FOLDER}/{size:0{_DIGITS}d}"


def _keep_over_a_power_cut(file: Path) -> None:
    for each in (file, file.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
