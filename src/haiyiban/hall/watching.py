"""The board as this process has it: read by one reader while screens are open, or when somebody asks.

A thousand screens cost the database one small query in two seconds. The figures come from one row, so every
process shows the same; who comes back with the number of the last figures it saw gets the next ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from haiyiban.db import database
from haiyiban.errors import Unavailable, Words
from haiyiban.hall.models import Board

log = logging.getLogger("haiyiban")

SCREENS_MOST = 200
"""Open screens of one process; who comes then asks for the figures every now and then instead."""
LOOK_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0
OPEN_SECONDS = 3600.0
"""Then a screen comes again, perhaps to another process."""
_READ_SECONDS = 5.0
_ASKED_SECONDS = 1.0


class NotCountedYet(Unavailable):
    """No worker has counted so far, as in the first seconds of a new platform."""

    type = "hall/not-counted-yet"
    title = Words("数据正在汇总，请稍候", "The figures are being counted; one moment")


class HallFull(Unavailable):
    """This process has as many open screens as it may; the figures can still be asked for."""

    type = "hall/full"
    title = Words(
        "同时打开的大屏较多，请改为定时查询数据", "Too many screens are open; ask for the figures instead"
    )


class Shown(NamedTuple):
    """The board at one count."""

    number: int
    at: datetime
    figures: dict[str, Any]


class Watch:
    """What one event loop knows of the board."""

    def __init__(self) -> None:
        self._shown: Shown | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._screens = 0
        self._looking: asyncio.Task[None] | None = None
        self._is_ending = False

    async def now(self) -> Shown:
        """The newest figures, at most a second older than those of the database. Raises NotCountedYet."""
        async with self._reading:
            if time.monotonic() - self._read_at > _ASKED_SECONDS:
                await self._read()
        if self._shown is None:
            raise NotCountedYet
        return self._shown

    def open(self) -> None:
        """A screen comes; `close` gives its place back. Raises HallFull."""
        if self._is_ending or self._screens >= SCREENS_MOST:
            raise HallFull(retry_after_seconds=int(HEARTBEAT_SECONDS))
        self._screens += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def close(self) -> None:
        """A screen has gone."""
        self._screens -= 1
        if not self._screens and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def after(self, number: int | None) -> AsyncIterator[Shown | None]:
        """The figures that came after those of a number, each as it comes; None when it is time for a sign
        of life."""
        until = time.monotonic() + OPEN_SECONDS
        while not self._is_ending and time.monotonic() < until:
            if self._shown is not None and self._shown.number != number:
                number = self._shown.number
                yield self._shown
                continue
            said = False
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS), self._changed:
                    await self._changed.wait()
                    said = True
            if not said:
                yield None

    def leave(self) -> None:
        """End every screen's stream at once: this process stops."""
        self._is_ending = True
        asyncio.get_running_loop().create_task(self._tell())

    async def _look(self) -> None:
        while True:
            before = self._shown
            try:
                async with asyncio.timeout(_READ_SECONDS):
                    await self._read()
            except Exception as error:  # noqa: BLE001 - the screens must outlive a restart of PostgreSQL
                log.warning("the hall's figures could not be read: %s", type(error).__name__)
            if self._shown is not before:
                await self._tell()
            await asyncio.sleep(LOOK_SECONDS)

    async def _read(self) -> None:
        known = self._shown.number if self._shown else -1
        query = select(Board.number, Board.at, Board.figures).where(
            Board.number != known, Board.figures.is_not(None)
        )
        async with database().reading() as session:
            row = (await session.execute(query)).one_or_none()
        self._read_at = time.monotonic()
        if row is not None:
            self._shown = Shown(row.number, row.at, row.figures)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


_watch: Watch | None = None
_loop: asyncio.AbstractEventLoop | None = None


def current() -> Watch:
    """The watch of this process."""
    global _watch, _loop
    if _watch is None or _loop is not asyncio.get_running_loop():
        _watch, _loop = Watch(), asyncio.get_running_loop()
    return _watch


def leave() -> None:
    """End the screens of this process; it is about to stop."""
    if _watch is not None:
        _watch.leave()
