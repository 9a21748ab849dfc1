"""Indexes and keys that are set aside while rows are loaded and built when all are there.

A row put into an index in random order costs a page read and written for each, a foreign key a look; building
the index from a sort and checking the key by one join cost a fraction (docs/province-scale.md). Primary keys
stay: their ids come in order, and they refuse a row that is there already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

_FOUND = """
SELECT 'key' AS kind, c.conrelid::regclass::text AS belongs_to, quote_ident(c.conname) AS name,
  format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
    AS statement,
  CASE c.contype WHEN 'f' THEN 2 ELSE 1 END AS turn
FROM pg_constraint c WHERE c.contype IN ('u', 'f') AND c.conrelid = ANY($1::text[]::regclass[])
UNION ALL
SELECT 'index', i.indrelid::regclass::text, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), 0
FROM pg_index i
WHERE i.indrelid = ANY($1::text[]::regclass[]) AND NOT i.indisprimary
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype = 'u')
ORDER BY turn, belongs_to, name
"""
_MEMORY = "256MB"
"""For each sort of an index."""


async def set_aside(connection: asyncpg.Connection[Any], tables: Sequence[str]) -> None:
    """Drop what is built at the end, and write down how, in one transaction; a second call finds nothing."""
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '5s'")
        found = await connection.fetch(_FOUND, list(tables))
        for one in found:
            await connection.execute(
                "INSERT INTO seed.set_aside (kind, belongs_to, name, statement) VALUES ($1, $2, $3, $4)",
                one["kind"],
                one["belongs_to"],
                one["name"],
                one["statement"],
            )
        # Keys of others first: a foreign key stands on the key that it names.
        for one in sorted(found, key=lambda one: -one["turn"]):
            if one["kind"] == "index":
                await connection.execute(f"DROP INDEX {one['name']}")
            else:
                await connection.execute(f"ALTER TABLE {one['belongs_to']} DROP CONSTRAINT {one['name']}")


async def to_build(connection: asyncpg.Connection[Any]) -> int:
    """How many are set aside still."""
    return int(await connection.fetchval("SELECT count(*) FROM seed.set_aside WHERE seconds IS NULL"))


async def build(connection: asyncpg.Connection[Any], told: Callable[[str], None]) -> None:
    """Build what was set aside, each in a transaction of its own; `told` hears the name of the next."""
    await connection.execute(f"SET maintenance_work_mem = '{_MEMORY}'")
    waiting = await connection.fetch(
        "SELECT position, name, statement FROM seed.set_aside WHERE seconds IS NULL ORDER BY position"
    )
    for one in waiting:
        told(one["name"])
        began = time.perf_counter()
        async with connection.transaction():
            await connection.execute(one["statement"])
            await connection.execute(
                "UPDATE seed.set_aside SET seconds = $2 WHERE position = $1",
                one["position"],
                time.perf_counter() - began,
            )
