"""Changing the key of personal values from the command line, beside processes that serve."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from haiyiban import clock, crypto, resealing
from haiyiban.command_line import in_database
from haiyiban.crypto import FileKeys
from haiyiban.resealing import Done, Objects
from haiyiban.runtime import discovery
from haiyiban.settings import Settings

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

        return in_database(lambda: resealing.reseal(_stored(), tell), name="keys-reseal")


def retire(kid: str) -> dict[str, int]:
    """Take an earlier key away; what is still sealed with it, by table, in which case nothing was done.

    Raises KeyMissing for the newest key and for one that is not there, TooSoon.
    """
    settings = Settings.from_env()
    clock.shift(settings.clock_offset)
    keys = FileKeys(settings.keys_dir)
    if clock.now() - keys.field_key_since() < UNNOTICED:
        raise TooSoon
    used = in_database(lambda: _used(bytes.fromhex(kid)), name="keys-retire")
    if not used:
        keys.retire(kid)
    return used


async def _used(kid: bytes) -> dict[str, int]:
    lying = await resealing.stale_objects(_stored(), kid)
    return await resealing.stale(kid) | ({"objects": len(lying)} if lying else {})


def _stored() -> list[Objects]:
    every = (*discovery.features(), *discovery.all_zones())
    return [each.objects for each in every if each.objects is not None]
