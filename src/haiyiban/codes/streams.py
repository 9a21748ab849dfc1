"""The open streams of this process: one reader of PostgreSQL and one ear at Valkey for all of them.

A wake-up through Valkey makes a scan appear at once; without Valkey it appears with the next look, two
seconds later at most. A stream holds no connection to either. Each process counts its own streams.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from redis.exceptions import RedisError

from haiyiban import clock
from haiyiban.codes import uses, wakeups
from haiyiban.codes.cti import CtiCipher
from haiyiban.codes.events import HEARTBEAT, Event, ExpiredRead, news, stages
from haiyiban.codes.offline import SKEW_SECONDS
from haiyiban.codes.showing import CodeState
from haiyiban.codes.wakeups import Wakeups
from haiyiban.errors import TooMany, Unavailable, Words
from haiyiban.identity.callers import ResidentCaller
from haiyiban.identity.revocations import is_revoked
from haiyiban.identity.tokens import LIFE

log = logging.getLogger("haiyiban")

STREAMS_PER_ACCOUNT = 4
STREAMS_MOST = 1_000
"""Of one process; each costs a few kilobytes and a part of a query every two seconds."""
LOOK_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0
_READ_SECONDS = 5.0
_REST_SECONDS = 5.0


class TooManyStreams(TooMany):
    """An account follows more codes at once than anybody can show."""

    type = "codes/too-many-streams"
    title = Words(
        "同时打开的亮证页面太多，请关闭其他页面后再试",
        "Too many codes are open at once; close the others and try again",
    )


class StreamsFull(Unavailable):
    """This process has as many streams as it may; the state can still be asked for."""

    type = "codes/streams-full"
    title = Words(
        "当前人数较多，暂时不能实时提醒；亮证不受影响，请改用查询码的状态",
        "No live updates for now; the code works all the same, and its state can be asked for",
    )


class Stream:
    """A phone that follows one code: at most as long as an access token lives, then it comes again."""

    def __init__(
        self, found: CodeState, *, caller: ResidentCaller, cti: CtiCipher, language: str, now: datetime
    ) -> None:
        self.code = cti.seal(found.ref.id)
        self.caller = caller
        self.uses = found.uses
        self.changed = asyncio.Event()
        self.is_left = False
        """The phone has gone, or this process stops."""
        self._found = found
        self._cti = cti
        self._language = language
        self._told = stages(found.uses, now)
        self._until = time.monotonic() + LIFE.total_seconds()

    async def events(self, first: Event) -> AsyncIterator[bytes]:
        """The state as it is, then everything that happens to the code until it is over."""
        yield first.encoded()
        sent = time.monotonic()
        while not self._is_over(clock.now()):
            await self.changed.wait()
            self.changed.clear()
            if self.is_left or time.monotonic() >= self._until or is_revoked(self.caller):
                return
            for event in self._news(clock.now()):
                yield event.encoded()
                sent = time.monotonic()
            if time.monotonic() - sent >= HEARTBEAT_SECONDS:
                yield HEARTBEAT
                sent = time.monotonic()

    def leave(self) -> None:
        """End it at its next breath."""
        self.is_left = True
        self.changed.set()

    def _news(self, now: datetime) -> list[Event]:
        found = news(self.uses, self._told, cti=self._cti, language=self._language, now=now)
        self._told = stages(self.uses, now)
        if self._is_over(now) and not self._is_used_up():
            expired = ExpiredRead(id=self._found.ref.id, expires_at=self._found.expires_at)
            found.append(Event("expired", expired))
        return found

    def _is_over(self, now: datetime) -> bool:
        if any(use.is_open(now) for use in self.uses):
            return False
        # A scan in the last seconds still counts, for clocks differ.
        return self._is_used_up() or now > self._found.expires_at + timedelta(seconds=SKEW_SECONDS)

    def _is_used_up(self) -> bool:
        return bool(self.uses) and not self._found.is_capsule


class Streams:
    """Every open stream of one event loop."""

    def __init__(self, hearing: Wakeups) -> None:
        self._hearing = hearing
        self._open: set[Stream] = set()
        self._by_account: Counter[UUID] = Counter()
        self._woken: set[bytes] = set()
        self._wake = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []
        self._is_ending = False

    def open(self, stream: Stream) -> None:
        """Take a stream in; `close` gives its place back. Raises TooManyStreams, StreamsFull."""
        account = stream.caller.account_id
        if self._by_account[account] >= STREAMS_PER_ACCOUNT:
            raise TooManyStreams(int(HEARTBEAT_SECONDS))
        if self._is_ending or len(self._open) >= STREAMS_MOST:
            raise StreamsFull(retry_after_seconds=int(HEARTBEAT_SECONDS))
        self._by_account[account] += 1
        self._open.add(stream)
        if not self._work:
            self._work = [asyncio.create_task(work()) for work in (self._look, self._hear)]

    def close(self, stream: Stream) -> None:
        """The stream has ended."""
        self._open.discard(stream)
        self._by_account[stream.caller.account_id] -= 1
        self._by_account += Counter()  # drops the zeros
        if not self._open:
            for task in self._work:
                task.cancel()
            self._work = []

    def leave(self) -> None:
        """End every stream at its next breath and take no more: this process stops."""
        self._is_ending = True
        for stream in self._open:
            stream.leave()

    async def end(self) -> None:
        """End every stream, and the work for them."""
        self.leave()
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        self._work = []

    async def _look(self) -> None:
        """Read what was woken at once, and everything every two seconds."""
        looked = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, looked + LOOK_SECONDS - time.monotonic())):
                    await self._wake.wait()
            self._wake.clear()
            woken, self._woken = self._woken, set()
            is_time = time.monotonic() >= looked + LOOK_SECONDS
            looked = time.monotonic() if is_time else looked
            streams = [stream for stream in self._open if is_time or stream.code in woken]
            await self._read(streams)
            for stream in streams:
                stream.changed.set()

    async def _read(self, streams: Sequence[Stream]) -> None:
        codes = sorted({stream.code for stream in streams})
        if not codes:
            return
        try:
            async with asyncio.timeout(_READ_SECONDS):
                found = dict(zip(codes, await uses.of_codes(codes), strict=True))
        except Exception as error:  # noqa: BLE001 - the streams must outlive a restart of PostgreSQL
            log.warning("uses of codes could not be read: %s", type(error).__name__)
            return
        for stream in streams:
            stream.uses = found[stream.code]

    async def _hear(self) -> None:
        while True:
            try:
                async for told in self._hearing.heard():
                    self._woken |= told
                    self._wake.set()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("wake-ups cannot be heard: %s", type(error).__name__)
            await asyncio.sleep(_REST_SECONDS)


_streams: Streams | None = None
_loop: asyncio.AbstractEventLoop | None = None


def current() -> Streams:
    """The streams of this process."""
    global _streams, _loop
    if _streams is None or _loop is not asyncio.get_running_loop():
        _streams = Streams(wakeups.current())
        _loop = asyncio.get_running_loop()
    return _streams


def leave() -> None:
    """End the streams of this process at once; it is about to stop."""
    if _streams is not None:
        _streams.leave()


async def end() -> None:
    """End the streams of this process, and its wake-ups."""
    global _streams
    streams, _streams = _streams, None
    if streams is not None:
        await streams.end()
    await wakeups.close()
