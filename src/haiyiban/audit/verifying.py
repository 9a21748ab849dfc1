"""Is the audit in the database what was sealed? Every record is hashed anew and held against the seals.

The seals tell for each number which hash was signed, so the first record that is not as it was is named, and
what became of it: altered, missing, moved, added. What was recomputed in the database helps nobody: the seals
lie apart, and only the key signs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from haiyiban.audit import leaves
from haiyiban.audit.keys import hashed as hashed_by
from haiyiban.audit.merkle import Tree, leaf_hash, split
from haiyiban.audit.notes import Checkpoint, PublicKey
from haiyiban.audit.seals import BrokenSeal, Seal, Seals
from haiyiban.errors import Words
from haiyiban.signatures import Hash

RANGE = 20_000
"""Records that are read at once."""


class What(StrEnum):
    """What is wrong."""

    ALTERED = "altered"
    MISSING = "missing"
    MOVED = "moved"
    ADDED = "added"
    SEAL = "seal"
    """A seal was changed, is missing, or was signed by no key of ours."""
    NOT_REACHED = "not-reached"
    """A checkpoint was signed of more records than the seals hold."""
    FORKED = "forked"
    """The log does not begin with a checkpoint that somebody holds: its history was made anew."""


_WORDS = {
    What.ALTERED: Words("内容被改动", "was altered"),
    What.MISSING: Words("不见了", "is missing"),
    What.MOVED: Words("被换了位置", "was moved"),
    What.ADDED: Words("是后来加进来的", "was added afterwards"),
    What.SEAL: Words("封条被改动、缺失或签名不可信", "a seal was changed, is missing or is not signed by us"),
    What.NOT_REACHED: Words("封条在此中断，而签过更大的封存点", "the seals end here, and more was signed"),
    What.FORKED: Words(
        "与所持的封存点不一致，历史被重写", "differs from the checkpoint held: it was rewritten"
    ),
}


class Bad(Exception):
    """The first thing that is wrong."""

    def __init__(self, what: What, number: int, *, record_id: UUID | None = None, detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.number = number
        """The record's number in the log; of a record that was never sealed, how many are."""
        self.record_id = record_id
        self.detail = detail

    @property
    def words(self) -> Words:
        """A sentence on it."""
        words = _WORDS[self.what]
        which = f"（{self.record_id}）" if self.record_id else ""
        detail = f"：{self.detail}" if self.detail else ""
        return Words(
            f"第 {self.number} 号记录{which}{words.zh}{detail}",
            f"Record {self.number}{f' ({self.record_id})' if self.record_id else ''}: {words.en}"
            f"{f' ({self.detail})' if self.detail else ''}",
        )


class Verified(NamedTuple):
    """A log without fault."""

    size: int
    root: bytes
    waiting: int
    """Records that are not sealed yet."""
    waiting_since: datetime | None


async def verify(
    drivers: Sequence[Any],
    seals: Seals,
    keys: Collection[PublicKey],
    *,
    held: Sequence[Checkpoint] = (),
    passing: Callable[[int], object] = lambda _: None,
) -> Verified:
    """Check the whole log. `drivers`: connections of asyncpg's; with two, one reads while the other's answer
    is hashed. `held`: checkpoints that somebody kept from earlier. Raises Bad, KeyMissing."""
    driver = drivers[0]
    for each in drivers:
        await each.execute(_PLAN)
    hashed = hashed_by(keys)
    tree, reader = Tree(hashed=hashed), _Reader(drivers, seals, keys, passing, hashed)
    try:
        async for seal in seals.all(keys):
            _grow(tree, seal, held)
            await reader.expect(split(seal.hashes))
        await reader.finish()
    except BrokenSeal as error:
        # A record before it that is not as it was comes first.
        await reader.finish()
        raise Bad(What.SEAL, error.first, detail=str(error)) from None
    finally:
        await reader.close()
    told = await driver.fetchval("SELECT coalesce(max(size), 0) FROM audit_checkpoint")
    if max(told, *(each.size for each in held), 0) > tree.size:
        raise Bad(What.NOT_REACHED, tree.size)
    numbered, last_xid, last_id = await driver.fetchrow(_LAST) or (0, 0, UUID(int=0))
    # Every number has its record, as was just seen; so where there are more records, some have no number.
    # They are looked for only then, because it takes a third of the time of all the rest.
    if await driver.fetchval(_UP_TO, last_xid, last_id) != numbered:
        stranger = await driver.fetchval(_ADDED, last_xid, last_id)
        if stranger is not None:
            raise Bad(What.ADDED, tree.size, record_id=stranger, detail="从未封存 never sealed")
    waiting, since = await leaves.waiting(driver)
    return Verified(tree.size, tree.root(), waiting + numbered - tree.size, since)


def _grow(tree: Tree, seal: Seal, held: Sequence[Checkpoint]) -> None:
    """Add a seal, stopping where somebody holds a checkpoint."""
    hashes, first = split(seal.hashes), tree.size
    for each in sorted(held, key=lambda each: each.size):
        if first < each.size <= seal.checkpoint.size:
            tree.append(hashes[tree.size - first : each.size - first])
            if tree.root() != each.root:
                raise Bad(What.FORKED, each.size)
    tree.append(hashes[tree.size - first :])
    if tree.root() != seal.checkpoint.root:
        raise BrokenSeal(
            f"{seal.checkpoint.size}", "散列与签名不符 its hashes are not those signed", first=first
        )


class _Reader:
    """Reads the records in even portions, the next ones while this one is hashed, and compares."""

    def __init__(
        self,
        drivers: Sequence[Any],
        seals: Seals,
        keys: Collection[PublicKey],
        passing: Callable[[int], object],
        hashed: Hash,
    ) -> None:
        self._drivers, self._seals, self._keys, self._passing = drivers, seals, keys, passing
        self._hashed = hashed
        self._expected: list[bytes] = []
        self._at = 0
        self._ahead: deque[asyncio.Task[list[bytes | None]]] = deque()
        self._asked = 0

    async def expect(self, hashes: list[bytes]) -> None:
        """The hashes of the records that follow."""
        self._expected += hashes
        while len(self._expected) >= RANGE:
            await self._compare(self._expected[:RANGE])
            self._expected = self._expected[RANGE:]

    async def finish(self) -> None:
        """Compare what is left."""
        if self._expected:
            await self._compare(self._expected)
            self._expected = []

    async def close(self) -> None:
        """Let the last look ahead end, for nobody waits for it."""
        if self._ahead:
            await asyncio.wait(self._ahead)

    async def _compare(self, expected: list[bytes]) -> None:
        self._look_ahead()
        entries = (await self._ahead.popleft())[: len(expected)]
        self._look_ahead()
        # So that the question is on its way before this process is busy.
        await asyncio.sleep(0)
        if [None if entry is None else leaf_hash(entry, self._hashed) for entry in entries] != expected:
            await self.close()
            for number, (entry, hash_) in enumerate(zip(entries, expected, strict=True), self._at):
                if entry is None or leaf_hash(entry, self._hashed) != hash_:
                    raise await self._diagnosis(number, entry, hash_)
        self._at += len(expected)
        self._passing(self._at)

    def _look_ahead(self) -> None:
        """Let every connection have a portion to read; each in turn, so that it is asked one at a time."""
        while len(self._ahead) < len(self._drivers):
            driver = self._drivers[self._asked // RANGE % len(self._drivers)]
            reading = leaves.read(driver, self._asked, self._asked + RANGE, self._hashed)
            self._ahead.append(asyncio.create_task(reading))
            self._asked += RANGE

    async def _diagnosis(self, number: int, entry: bytes | None, hash_: bytes) -> Bad:
        """What became of the record that was sealed as `number`; `entry` stands there now."""
        record_id = await self._drivers[0].fetchval("SELECT record_id FROM audit_leaf WHERE seq = $1", number)
        if entry is None:
            return Bad(What.MISSING, number, record_id=record_id)
        found = leaf_hash(entry, self._hashed)
        [behind] = await leaves.read(self._drivers[0], number + 1, number + 2, self._hashed)
        next_is_this = behind is not None and leaf_hash(behind, self._hashed) == hash_
        sealed_as = await self._sealed_as(found)
        if sealed_as == number + 1 and not next_is_this:
            return Bad(What.MISSING, number, detail="后面的记录顶替了它 those behind it moved up")
        if sealed_as is not None:
            detail = f"封存时是第 {sealed_as} 号 sealed as {sealed_as}"
            return Bad(What.MOVED, number, record_id=record_id, detail=detail)
        return Bad(What.ADDED if next_is_this else What.ALTERED, number, record_id=record_id)

    async def _sealed_as(self, hash_: bytes) -> int | None:
        async for seal in _intact(self._seals, self._keys):
            hashes = split(seal.hashes)
            if hash_ in hashes:
                return seal.first + hashes.index(hash_)
        return None


async def _intact(seals: Seals, keys: Collection[PublicKey]) -> AsyncIterator[Seal]:
    """The seals up to the first broken one."""
    try:
        async for seal in seals.all(keys):
            yield seal
    except BrokenSeal:
        return


# Each record is looked up by its id: as a hash of all records, or sorted, some twenty thousand of them cost a
# pass over the whole table.
_PLAN = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET max_parallel_workers_per_gather = 0"
_LAST = """
SELECT seq + 1, xid, id FROM audit_leaf JOIN audit_record ON id = record_id ORDER BY seq DESC LIMIT 1
"""
_UP_TO = "SELECT count(*) FROM audit_record WHERE (xid, id) <= ($1, $2)"
_ADDED = """
SELECT id FROM audit_record AS record
WHERE (xid, id) <= ($1, $2) AND NOT EXISTS (SELECT FROM audit_leaf WHERE record_id = record.id)
ORDER BY xid, id LIMIT 1
"""
