"""The sealer: gives records their numbers in the log, and signs what the log holds, every twenty seconds.

Who writes a record waits for nothing: it goes in with its act, without a number. The sealer comes after, one
at a time, and takes the records that no transaction can precede any more. A record is sealed within 60 s of
its commit unless a writing transaction stays open for longer; until then the database alone has it.

In this order, so that a crash anywhere loses nothing and the next run goes on:
numbers, tiles (one commit) → the seal, apart → the checkpoint that the API hands out.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from haiyiban import clock
from haiyiban.audit import keys, leaves
from haiyiban.audit.merkle import Place, Tree, leaf_hash, split, unfinished
from haiyiban.audit.notes import PublicKey, Signer
from haiyiban.audit.seals import Seals
from haiyiban.db import database
from haiyiban.settings import Settings
from haiyiban.signatures import Hash
from haiyiban.zone import Task

log = logging.getLogger(__name__)

BATCH = 20_000
"""Records of one seal at most: some ten MB at once."""
_LOCK = 460_001
"""The advisory lock of whoever seals."""


class LogDisagrees(Exception):
    """The database and the seals do not tell the same; sealing on would sign the difference."""


async def seal(_: bytes = b"") -> None:
    """Seal everything that can be; with nothing new, nothing is signed.

    Raises LogDisagrees, BrokenSeal, KeyMissing: then somebody has to look (`haiyiban audit verify`).
    """
    settings = Settings.from_env()
    signer, seals = keys.signer(settings), Seals(settings)
    async with _alone() as driver:
        if driver is None:
            return
        sealed = await _sealed(driver, seals, settings)
        while await _seal_batch(driver, seals, sealed, signer):
            pass


SEAL = Task(name="audit.seal", run=seal, schedule="* * * * * */20")


async def _sealed(driver: Any, seals: Seals, settings: Settings) -> Tree:
    """The tree as the newest seal signs it."""
    told = await driver.fetchval("SELECT coalesce(max(size), 0) FROM audit_checkpoint")
    trusted = keys.public(settings)
    hashed = keys.hashed(trusted)
    newest = await seals.newest(trusted, since=told)
    size, root = (newest.checkpoint.size, newest.checkpoint.root) if newest else (0, hashed(b""))
    if size < told:
        raise LogDisagrees(f"a checkpoint of {told} records was signed, and the seals end before it")
    numbered = await driver.fetchval("SELECT coalesce(max(seq) + 1, 0) FROM audit_leaf")
    if numbered < size:
        raise LogDisagrees(f"{size} records are sealed, and the database numbers {numbered}")
    tree = await _tree(driver, size, root, hashed) or await _rebuilt(driver, seals, trusted)
    if tree.size != size or tree.root() != root:
        raise LogDisagrees("the hashes of the seals do not make the root that was signed")
    if newest is not None and size > told:
        await _put_checkpoint(driver, size, newest.note)
    return tree


async def _seal_batch(driver: Any, seals: Seals, tree: Tree, signer: Signer) -> bool:
    """Seal what was numbered before a crash, else up to BATCH records more. False where there is nothing."""
    numbered = await driver.fetchval("SELECT coalesce(max(seq) + 1, 0) FROM audit_leaf")
    hashed = signer.public.hashed
    async with driver.transaction():
        # A batch fits into this; with the usual 4 MB it goes by way of the disk.
        await driver.execute("SET LOCAL work_mem = '64MB'")
        if numbered > tree.size:
            past = min(numbered, tree.size + BATCH)
            entries = await leaves.read(driver, tree.size, past, hashed)
        else:
            entries = await leaves.number(driver, tree.size, most=BATCH, hashed=hashed)
        if not entries:
            return False
        hashes = [leaf_hash(entry, hashed) for entry in entries if entry is not None]
        if len(hashes) < len(entries):
            raise LogDisagrees(f"record {tree.size + entries.index(None)} was numbered and is gone")
        await _put_tiles(driver, tree.append(hashes))
    note = signer.sign(tree.size, tree.root())
    await seals.put(tree.size, note, b"".join(hashes))
    await _put_checkpoint(driver, tree.size, note)
    log.info("sealed %d records, %d in all", len(hashes), tree.size)
    return True


async def _tree(driver: Any, size: int, root: bytes, hashed: Hash) -> Tree | None:
    """The tree out of the database's tiles; None where they do not make the root that was signed."""
    wanted = [place for place, count in unfinished(size) if count]
    rows = await driver.fetch(
        "SELECT level, index, hashes FROM audit_tile WHERE (level, index) IN "
        "(SELECT * FROM unnest($1::smallint[], $2::bigint[]))",
        [place.level for place in wanted],
        [place.number for place in wanted],
    )
    try:
        tiles = {Place(level, index): hashes for level, index, hashes in rows}
        tree = Tree(size, tiles, hashed=hashed)
    except KeyError:
        return None
    return tree if tree.root() == root else None


async def _rebuilt(driver: Any, seals: Seals, trusted: Collection[PublicKey]) -> Tree:
    """The tree out of the seals, and the tiles written anew: they are a convenience of the database's."""
    tree = Tree(hashed=keys.hashed(trusted))
    async for each in seals.all(trusted):
        await _put_tiles(driver, tree.append(split(each.hashes)))
    return tree


async def _put_tiles(driver: Any, tiles: dict[Place, bytes]) -> None:
    await driver.execute(
        "INSERT INTO audit_tile (level, index, hashes) "
        "SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) "
        "ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes",
        [place.level for place in tiles],
        [place.number for place in tiles],
        list(tiles.values()),
    )


async def _put_checkpoint(driver: Any, size: int, note: str) -> None:
    await driver.execute(
        "INSERT INTO audit_checkpoint (size, note, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        size,
        note,
        clock.now(),
    )


@asynccontextmanager
async def _alone() -> AsyncIterator[Any]:
    """A connection of asyncpg's while no other process seals; None where one does."""
    async with database().autocommit.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            if not await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                yield None
                return
            try:
                yield driver
            finally:
                await driver.execute("SELECT pg_advisory_unlock($1)", _LOCK)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.invalidate()
            raise
