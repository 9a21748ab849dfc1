"""Whoever has the API's place in the database adds records, and changes none; nor does the worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from haiyiban import audit, clock, db
from haiyiban.audit import terms
from haiyiban.db import Database
from haiyiban.runtime import rights
from haiyiban.runtime.rights import API, EVERYTHING, LIMITED, WORKER
from haiyiban.terms import YEAR
from tests.kernel.audit.conftest import Log
from tests.retention import delete_due

ROLES = (API, WORKER)
SEALED = ("audit_record", "audit_leaf", "audit_checkpoint")
ALL_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture
async def urls(log: Log) -> dict[str, str]:
    """Role → the address at which it signs in."""
    return await rights.logins(log.url)


@pytest.fixture(params=ROLES)
async def inside(request: pytest.FixtureRequest, urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who has the place of the API, or of the worker."""
    connection = await asyncpg.connect(urls[request.param])
    yield connection
    await connection.close()


@pytest.mark.parametrize("table", SEALED)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET {} = {}",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "CREATE RULE nothing AS ON INSERT TO {} DO INSTEAD NOTHING",
        "GRANT DELETE ON {} TO PUBLIC",
    ],
)
async def test_what_is_written_is_neither_changed_nor_deleted(
    log: Log, inside: asyncpg.Connection, table: str, statement: str
) -> None:
    await log.write(2)
    await log.seal()
    column = {"audit_record": "action", "audit_leaf": "version", "audit_checkpoint": "note"}[table]
    before = await log.owner.fetch(f"SELECT * FROM {table}")
    assert before
    done = None
    try:
        done = await inside.execute(statement.format(table, column, column))
    except asyncpg.InsufficientPrivilegeError:
        done = "refused"
    if statement.startswith("GRANT"):
        # PostgreSQL warns and grants nothing.
        granted = "SELECT has_table_privilege('public', $1, 'DELETE')"
        assert not await log.owner.fetchval(granted, table)
    else:
        assert done == "refused"
    assert await log.owner.fetch(f"SELECT * FROM {table}") == before


async def test_the_api_adds_records_and_the_worker_seals_them(log: Log, urls: dict[str, str]) -> None:
    api, worker = (Database(urls[role], pool_size=2) for role in ROLES)
    try:
        async with api.transaction() as session:
            person = uuid4()
            await audit.enrol(session, person)
            await audit.record(session, "cases.read", subject=person)
        db.install(worker)
        await log.seal()
        await log.write(1)
        await log.seal()
    finally:
        db.install(log.database)
        await api.close()
        await worker.close()
    assert (await log.verify()).size == 2


async def test_the_api_retires_a_pseudonym_and_the_worker_deletes_it_in_its_time(
    log: Log, urls: dict[str, str]
) -> None:
    [pseudonyms] = [term for term in terms.TERMS if term.data_class == "audit.pseudonyms"]
    now, person, back = clock.now(), uuid4(), uuid4()
    api, worker = (Database(urls[role], pool_size=2) for role in ROLES)
    try:
        async with api.transaction() as session:
            for each in (person, back):
                await audit.enrol(session, each)
                await audit.retire(session, each, now=now - 4 * YEAR)
            await audit.enrol(session, back)
        db.install(worker)
        await delete_due(pseudonyms)
    finally:
        db.install(log.database)
        await api.close()
        await worker.close()
    left = await log.owner.fetch("SELECT person_id FROM audit_subject")
    assert [each for (each,) in left if each in {person, back}] == [back]
    inside = await asyncpg.connect(urls[API])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await inside.execute("UPDATE audit_subject SET pseudonym = gen_random_uuid()")
    await inside.close()


async def test_the_api_gives_no_numbers_and_signs_nothing(log: Log, urls: dict[str, str]) -> None:
    inside = await asyncpg.connect(urls[API])
    for statement in (
        "INSERT INTO audit_leaf VALUES (0, gen_random_uuid(), 1)",
        "INSERT INTO audit_tile VALUES (0, 0, '')",
        "INSERT INTO audit_checkpoint VALUES (1, '', now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await inside.execute(statement)
    await inside.close()


@pytest.mark.parametrize("role", ROLES)
async def test_every_table_gives_each_role_just_what_is_said(log: Log, role: str) -> None:
    """A table of a later migration too: without its rights the platform would not work."""
    tables = await log.owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 60
    for (table,) in tables:
        found = {
            right
            for right in ALL_RIGHTS
            if await log.owner.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, right)
        }
        said = set(LIMITED.get(table, {}).get(role, EVERYTHING).split(", "))
        whole = {right for right in said if "(" not in right}
        assert found == whole, table
        if "UPDATE" not in whole:
            changes = await log.owner.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $2::regclass AND attnum > 0"
                " AND NOT attisdropped AND has_column_privilege($1, $2, attname, 'UPDATE')",
                role,
                table,
            )
            assert {f"UPDATE ({column})" for (column,) in changes} == said - whole, table
    assert set(LIMITED) <= {table for (table,) in tables}
    owns = "SELECT count(*) FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname = $1"
    assert await log.owner.fetchval(owns, role) == 0
    made = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = $1"
    assert not await log.owner.fetchval(made, role)


async def test_the_roles_make_no_tables(inside: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await inside.execute("CREATE TABLE audit_other (id int)")
