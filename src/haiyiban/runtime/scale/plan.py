"""What is being filled in and how far it is: kept in the database that is filled, in the schema `seed`.

It stands beside the platform's own schema, which knows nothing of it: no migration makes it, and dropping it
(`DROP SCHEMA seed CASCADE`) takes nothing from the platform.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

from haiyiban.errors import Words
from haiyiban.population import SIZES, World
from haiyiban.runtime.refusal import CannotStart

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS seed;
CREATE TABLE IF NOT EXISTS seed.plan (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  scale text NOT NULL, number bigint NOT NULL, at timestamptz NOT NULL, finished_at timestamptz);
CREATE TABLE IF NOT EXISTS seed.made (
  load text, chunk bigint, items bigint NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL,
  seconds double precision NOT NULL, PRIMARY KEY (load, chunk));
CREATE TABLE IF NOT EXISTS seed.set_aside (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, belongs_to text NOT NULL,
  name text NOT NULL, statement text NOT NULL, seconds double precision);
"""
"""`made`: a row for each chunk, written in its transaction. `set_aside`: what was dropped to be built at the
end, in the order in which it is; `seconds` once it was."""
APPLICATION = "haiyiban-seed"


async def connect(url: str) -> asyncpg.Connection[Any]:
    """A connection of the seed's own to DATABASE_URL."""
    return await asyncpg.connect(
        url.replace("postgresql+asyncpg://", "postgresql://", 1),
        server_settings={"application_name": APPLICATION},
    )


async def lay_out(connection: asyncpg.Connection[Any]) -> None:
    """Make the tables of the seed itself where they are not there."""
    async with connection.transaction():
        await connection.execute("SET LOCAL client_min_messages = warning")
        await connection.execute(_SCHEMA)


async def begin(connection: asyncpg.Connection[Any], scale: str, *, number: int, at: datetime) -> World:
    """The world to fill in: that of the plan that is there, else one of this size as it stands `at`.

    Raises CannotStart where people live in the database who are nobody's invention, or another plan is there.
    """
    async with connection.transaction():
        # Whoever comes second waits here and then finds the plan.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('haiyiban seed'))")
        await lay_out(connection)
        known = await connection.fetchrow("SELECT scale, number, at FROM seed.plan")
        if known is None:
            if await connection.fetchval("SELECT EXISTS (SELECT FROM identity_person)"):
                raise _lived_in()
            await connection.execute(
                "INSERT INTO seed.plan (scale, number, at) VALUES ($1, $2, $3)", scale, number, at
            )
        elif (known["scale"], known["number"]) != (scale, number):
            raise _another(known["scale"], known["number"])
    return await world_of(connection)


async def world_of(connection: asyncpg.Connection[Any]) -> World:
    """The world of a database's plan."""
    row = await connection.fetchrow("SELECT scale, number, at FROM seed.plan")
    assert row is not None, "begun"
    return World(row["number"], SIZES[row["scale"]], at=row["at"])


async def is_finished(connection: asyncpg.Connection[Any]) -> bool:
    """Whether all is made and built."""
    return bool(await connection.fetchval("SELECT finished_at IS NOT NULL FROM seed.plan"))


async def finish(connection: asyncpg.Connection[Any]) -> None:
    """Say that all is there: a further run does nothing."""
    await connection.execute("UPDATE seed.plan SET finished_at = now()")


async def items_made(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    """By table, how many items are made."""
    rows = await connection.fetch("SELECT load, sum(items)::bigint AS items FROM seed.made GROUP BY load")
    return {row["load"]: row["items"] for row in rows}


def _lived_in() -> CannotStart:
    return CannotStart(
        Words(
            "这个数据库里已经有人员数据，不能再填充示例人口。请用一个新的数据库（DATABASE_URL）。",
            "People are in this database already; made-up ones are not mixed with them. "
            "Use a new database (DATABASE_URL).",
        )
    )


def _another(scale: str, number: int) -> CannotStart:
    return CannotStart(
        Words(
            f"这个数据库已按 --scale {scale} --number {number} 填充，请用同样的参数继续，或换一个数据库。",
            f"This database is filled by --scale {scale} --number {number}: go on with these, "
            "or use another database.",
        )
    )
