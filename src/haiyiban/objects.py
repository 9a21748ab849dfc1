"""Files that people hand in, kept apart from the database: a folder in the demo, S3 in production.

What is stored is sealed by whoever stores it; here it is bytes under a name. A name is written once.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, cast

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from haiyiban.errors import Unavailable, Words
from haiyiban.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Config

log = logging.getLogger(__name__)


class StoreAway(Unavailable):
    """The store is full, or does not answer."""

    type = "kernel/store-unavailable"
    title = Words(
        "暂时无法保存文件，请过几分钟再传；已填写的内容都在",
        "Files cannot be kept just now; try again in a few minutes. What you have filled in is kept",
    )

    def __init__(self) -> None:
        super().__init__(retry_after_seconds=60)


def store_at(url: str, settings: Settings) -> ObjectStore:
    """The object store at an address, signed in to by the keys that lie in files, if any."""
    return from_url(url, config=cast("S3Config", dict(settings.objects_keys)))


@cache
def _store() -> ObjectStore:
    settings = Settings.from_env()
    if settings.objects_url:
        return store_at(settings.objects_url, settings)
    return LocalStore(settings.home / "uploads", mkdir=True)


async def put(name: str, content: bytes) -> None:
    """Keep bytes under a name; whole or not at all. Raises StoreAway."""
    try:
        await _store().put_async(name, content)
    except BaseError as error:
        # Whoever keeps the platform must hear of it: until it is mended nobody can hand a file in.
        log.error("the object store took no file: %s", type(error).__name__)
        raise StoreAway from error


async def get(name: str) -> bytes:
    """The bytes under a name. Raises FileNotFoundError."""
    found = await _store().get_async(name)
    return bytes(await found.bytes_async())


async def delete(name: str) -> None:
    """Forget a name; one that is not there is forgotten already."""
    try:
        await _store().delete_async(name)
    except FileNotFoundError:
        return


async def names(prefix: str, *, before: datetime) -> AsyncIterator[list[str]]:
    """The names below a prefix that were written before an instant, some at a time."""
    async for chunk in _store().list(prefix):
        yield [each["path"] for each in chunk if each["last_modified"] < before]
