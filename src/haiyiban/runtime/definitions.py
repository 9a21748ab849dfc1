"""The checks and indexes of a database as PostgreSQL writes them, for what Alembic does not compare."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import asyncpg

_SCRATCH = "declared"
_DEFINITIONS = """
SELECT r.relname AS "table", c.conname AS name, 'CHECK' AS kind, pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
WHERE c.contype = 'c' AND r.relnamespace = 'public'::regnamespace
UNION ALL
SELECT tablename, indexname, 'INDEX', indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


class Definition(NamedTuple):
    """One check or index by its table and name."""

    table: str
    name: str
    kind: str
    definition: str

    @property
    def dropping(self) -> str:
        if self.kind == "INDEX":
            return f"DROP INDEX {self.name}"
        return f"ALTER TABLE {self.table} DROP CONSTRAINT {self.name}"

    @property
    def making(self) -> str:
        if self.kind == "INDEX":
            return self.definition
        return f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} {self.definition}"


def definitions(url: str, *, making: Sequence[str] = ()) -> list[Definition]:
    """Those of the database at `url`, or, with `making`, of an empty one beside it after these statements."""
    return asyncio.run(_definitions(url.replace("+asyncpg", ""), making))


def changed(
    migrated: Sequence[Definition], declared: Sequence[Definition]
) -> Iterator[tuple[Definition | None, Definition | None]]:
    """What differs, in the order of names; only tables that both have are looked at."""
    tables = {each.table for each in migrated} & {each.table for each in declared}
    before = {each[:3]: each for each in migrated if each.table in tables}
    after = {each[:3]: each for each in declared if each.table in tables}
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield before.get(key), after.get(key)


async def _definitions(url: str, making: Sequence[str]) -> list[Definition]:
    if not making:
        return await _read(url, ())
    server = await asyncpg.connect(url)
    try:
        await server.execute(f"DROP DATABASE IF EXISTS {_SCRATCH}")
        await server.execute(f"CREATE DATABASE {_SCRATCH}")
        base, _, rest = url.rpartition("/")
        query = rest.partition("?")[2]
        try:
            return await _read(f"{base}/{_SCRATCH}" + (f"?{query}" if query else ""), making)
        finally:
            await server.execute(f"DROP DATABASE {_SCRATCH}")
    finally:
        await server.close()


async def _read(url: str, making: Sequence[str]) -> list[Definition]:
    connection = await asyncpg.connect(url)
    try:
        for statement in making:
            await connection.execute(statement)
        return [Definition(*row) for row in await connection.fetch(_DEFINITIONS)]
    finally:
        await connection.close()
