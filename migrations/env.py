"""Runs the history against one database, over asyncpg like everything else."""

from __future__ import annotations

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from haiyiban.db import Base, driver_url
from haiyiban.runtime import discovery, rights


def ours(_: Any, name: str | None, kind: str, reflected: bool, __: Any) -> bool:
    """Leave the queue library's own tables out of the comparison."""
    return not (kind == "table" and reflected and (name or "").startswith("pgqueuer"))


def run(connection: Connection) -> None:
    """Each migration in a transaction of its own; a lock that others hold is given up after five seconds.

    Of their own, so that one may leave it for what cannot be done in one: CREATE INDEX CONCURRENTLY
    (docs/deploying.md). What was done before one that fails stays; the next run goes on from there.
    """
    connection.execute(text("SET lock_timeout = '5s'"))
    # Two that start at once: the second waits here and then finds nothing to do. Until the session's end.
    connection.execute(text("SELECT pg_advisory_lock(460000)"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if context.config.attributes.get("only_upgrades"):
        rights.apply(connection)
    connection.commit()


async def main() -> None:
    engine = create_async_engine(driver_url(context.config.attributes["url"]))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


if not context.config.attributes.get("only_upgrades"):
    # What the code declares is compared with the database; upgrading needs none of it, and it is slow.
    discovery.import_models()
asyncio.run(main())
