"""What a command does in the database, beside the processes that serve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from haiyiban import clock, context, crypto, db
from haiyiban.context import Context
from haiyiban.crypto import FileKeys, Vault
from haiyiban.db import Database
from haiyiban.settings import Settings

T = TypeVar("T")


def in_database(work: Callable[[], Awaitable[T]], *, name: str, url: str | None = None) -> T:
    """Do it with the clock and the keys of the settings, on DATABASE_URL or another `url`.

    `name`: of the command, for the audit. Raises ClickException without an address, KeyMissing.
    """
    settings = Settings.from_env()
    address = url or settings.database_url
    if not address:
        raise click.ClickException("DATABASE_URL is not set")

    async def run() -> T:
        context.enter(Context(request_id=f"command-{name}", actor_kind="system"))
        clock.shift(settings.clock_offset)
        crypto.install(Vault(FileKeys(settings.keys_dir)))
        database = Database(address, pool_size=2)
        db.install(database)
        try:
            return await work()
        finally:
            await database.close()

    return asyncio.run(run())
