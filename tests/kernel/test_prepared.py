"""Statements of hot paths: by the driver, on the connections of the one pool."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import date, timedelta

import asyncpg
import pytest
from sqlalchemy import Text, Uuid, bindparam, cast, func, select, text

from haiyiban.cases.models import Case, Workday
from haiyiban.db import Database, is_away
from haiyiban.prepared import Prepared

DAY = date(2099, 3, 3)
ADD = "INSERT INTO cases_workday (division, day, is_off, source) VALUES ($1, $2, true, 'test')"


@pytest.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection."""
    own = Database(database_url, pool_size=1)
    yield own
    await own.close()


@pytest.fixture
async def code(single: Database) -> AsyncIterator[str]:
    """A division that nobody else's calendar has."""
    made = f"T-{secrets.token_hex(6)}"
    yield made
    await single.fetch("DELETE FROM cases_workday WHERE division = $1", made)


async def test_rows_are_read_by_name_and_in_order(single: Database) -> None:
    (row,) = await single.fetch("SELECT $1::text AS word, 2 AS number", "海")
    assert (row.word, row.number, *row) == ("海", 2, "海", 2)
    with pytest.raises(AttributeError):
        _ = row.nothing


async def test_what_a_statement_writes_is_committed(single: Database, code: str) -> None:
    await single.fetch(ADD, code, DAY)
    with pytest.raises(asyncpg.UniqueViolationError):
        await single.fetch(ADD, code, DAY)
    async with single.reading() as session:
        assert await session.get_one(Workday, (code, DAY))


async def test_a_dead_connection_costs_no_request(single: Database) -> None:
    (before,) = await single.fetch("SELECT pg_backend_pid() AS pid")
    other = Database(single.engine.url.render_as_string(hide_password=False), pool_size=1)
    await other.fetch("SELECT pg_terminate_backend($1)", before.pid)
    await other.close()
    await asyncio.sleep(0.1)  # until the end of it has arrived here
    (after,) = await single.fetch("SELECT pg_backend_pid() AS pid")
    assert after.pid != before.pid


async def test_a_connection_that_dies_under_a_statement_is_told_as_away(single: Database) -> None:
    with pytest.raises(asyncpg.PostgresError) as died:
        await single.fetch("SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_away(died.value)
    assert await single.fetch("SELECT 1")


async def test_a_statement_that_nobody_waits_for_leaves_the_connection_whole(single: Database) -> None:
    waiting = asyncio.create_task(single.fetch("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    (row,) = await single.fetch("SELECT 3 AS number")
    assert row.number == 3
    async with single.transaction() as session:
        assert await session.scalar(text("SELECT 4")) == 4


async def test_a_prepared_query_gives_what_the_same_query_gives(database: Database, code: str) -> None:
    query = select(Workday.division, Workday.day, func.upper(Workday.source).label("upper")).order_by(
        Workday.day
    )
    named = Prepared(query.where(Workday.division == bindparam("code", type_=Text()), Workday.is_off))
    for day in (DAY, DAY + timedelta(days=1)):
        await database.fetch(ADD, code, day)
    rows = await named.rows(code=code)
    async with database.reading() as session:
        same = (await session.execute(query.where(Workday.division == code, Workday.is_off))).all()
    assert rows == same
    first = rows[0]
    assert (first.division, first.day, first.upper) == (code, DAY, "TEST")
    with pytest.raises(KeyError, match="code"):
        await named.rows()


@pytest.mark.parametrize(
    "query",
    [
        select(cast(Case.id, Uuid(as_uuid=False))),
        select(Case.id).where(Case.state.in_(["draft", "accepted"])),
    ],
    ids=["a column that is converted", "a list of values"],
)
def test_a_query_that_needs_more_than_the_driver_is_not_prepared(query: object) -> None:
    with pytest.raises(ValueError, match=r"what the driver gives|in_\(\)"):
        Prepared(query)  # type: ignore[arg-type]
