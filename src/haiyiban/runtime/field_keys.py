"""Changing the key of personal values from the command line, beside processes that serve."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from haiyiban import clock, crypto, db, resealing
from haiyiban.crypto import FileKeys, Vault
from haiyiban.db import Database
from haiyiban.resealing import Done, Objects
from haiyiban.runtime import discovery
from haiyiban.settings import Settings

T = TypeVar("T")
UNNOTICED = timedelta(seconds=4 * crypto.NOTICED_SECONDS)
"""A process may seal with the key before for so long after a rotation, a slow one included."""


class TooSoon(Exception):
    """The newest key is so young that something may still be sealed with the one before."""


def reseal() -> int:
    """Seal everything with the newest key, with a bar for each table; how many values are left."""
    columns = (TextColumn("{task.description:36}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, TaskID] = {}

        def tell(done: Done) -> None:
            if done.what not in bars:
                bars[done.what] = progress.add_task(done.what)
            progress.update(bars[done.what], completed=done.sealed, total=done.of)

        return _beside_what_serves(lambda: resealing.reseal(_stored(), tell))


def retire(kid: str) -> dict[str, int]:
    """Take an earlier key away; what is still sealed with it, by table, in which case nothing was done.

    Raises KeyMissing for the newest key and for one that is not there, TooSoon.
    """
    settings = Settings.from_env()
    clock.shift(settings.clock_offset)
    keys = FileKeys(settings.keys_dir)
    if clock.now() - keys.field_key_since() < UNNOTICED:
        raise TooSoon
    used = _beside_what_serves(lambda: _used(bytes.fromhex(kid)))
    if not used:
        keys.retire(kid)
    return used


async def _used(kid: bytes) -> dict[str, int]:
    lying = await resealing.stale_objects(_stored(), kid)
    return await resealing.stale(kid) | ({"objects": len(lying)} if lying else {})


def _stored() -> list[Objects]:
    every = (*discovery.features(), *discovery.all_zones())
    return [each.objects for each in every if each.objects is not None]


def _beside_what_serves(work: Callable[[], Awaitable[T]]) -> T:
    settings = Settings.from_env()
    if not settings.database_url:
        raise click.ClickException("DATABASE_URL is not set")
    url = settings.database_url

    async def run() -> T:
        clock.shift(settings.clock_offset)
        crypto.install(Vault(FileKeys(settings.keys_dir)))
        database = Database(url, pool_size=2)
        db.install(database)
        try:
            return await work()
        finally:
            await database.close()

    return asyncio.run(run())
