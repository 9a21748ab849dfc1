"""The schema of the database and the code agree, by one linear history."""

from __future__ import annotations

import asyncio

from alembic.script import ScriptDirectory
from sqlalchemy import text

from haiyiban import resources
from haiyiban.db import Base, Database
from haiyiban.runtime import discovery, migrate, remake
from haiyiban.runtime.definitions import changed, definitions


async def test_the_tables_are_those_that_the_code_declares(database_url: str) -> None:
    # In a thread, because Alembic brings an event loop of its own.
    await asyncio.to_thread(migrate.check, database_url)


async def test_the_checks_and_indexes_are_those_that_the_code_declares(database_url: str) -> None:
    """Alembic compares neither the text of a check nor the predicate of an index."""
    migrated = await asyncio.to_thread(definitions, database_url)
    declared = await asyncio.to_thread(remake.declared_definitions, database_url)
    assert declared
    assert list(changed(migrated, declared)) == []


async def test_upgrading_again_changes_nothing(database_url: str, database: Database) -> None:
    await asyncio.to_thread(migrate.upgrade, database_url)
    async with database.reading() as session:
        assert await session.scalar(text("SELECT version_num FROM alembic_version")) == heads()[0]


def heads() -> list[str]:
    return ScriptDirectory.from_config(migrate.config("")).get_heads()


def test_the_history_is_one_line_and_its_head_is_written_down() -> None:
    """Two branches that each add a migration conflict in this file, instead of in production."""
    told = (resources.migrations() / ".current-alembic-head").read_text().strip()
    assert heads() == [told]


def test_tables_are_named_after_their_feature() -> None:
    discovery.import_models()
    features = {zone.name.replace("-", "_") for zone in (*discovery.features(), *discovery.all_zones())}
    kernel = {"outbox", "idempotency"}
    strangers = [
        name
        for name in Base.metadata.tables
        if not name.startswith(tuple(f + "_" for f in features | kernel))
    ]
    assert strangers == []
