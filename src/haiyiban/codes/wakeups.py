"""Telling the phones that look at their codes to look again: one channel of Valkey, nothing but cti on it.

It only saves waiting. Who does not hear it, because Valkey is away or a message was lost, finds the same in
PostgreSQL two seconds later (streams.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable

import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.settings import Settings

log = logging.getLogger("haiyiban")

CHANNEL = "codes:used"
_CTI_BYTES = 16
_ANSWER_SECONDS = 0.5
_REST_SECONDS = 5.0


class Wakeups:
    """Sends and hears which codes were used, in one event loop."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._redis = self._client(socket_timeout=_ANSWER_SECONDS) if redis_url else None
        self._waiting: set[bytes] = set()
        self._sending: asyncio.Task[None] | None = None
        self._rest_until = 0.0

    def send(self, ctis: Iterable[bytes]) -> None:
        """Tell that something happened to these codes. Nobody waits for it, and it may be lost."""
        if self._redis is None or time.monotonic() < self._rest_until:
            return
        self._waiting.update(ctis)
        if self._waiting and self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def heard(self) -> AsyncIterator[frozenset[bytes]]:
        """Codes to which something happened, for as long as it is listened to. Raises RedisError, OSError."""
        if not self._redis_url:
            return
        client = self._client(socket_timeout=None)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                async for message in channel.listen():
                    told: bytes = message["data"]
                    yield frozenset(told[at : at + _CTI_BYTES] for at in range(0, len(told), _CTI_BYTES))
        finally:
            await client.aclose()

    async def close(self) -> None:
        """Give the connections back."""
        if self._sending is not None:
            self._sending.cancel()
        if self._redis is not None:
            await self._redis.aclose()

    async def _send(self) -> None:
        assert self._redis is not None
        try:
            while self._waiting:
                told = b"".join(self._waiting)
                self._waiting.clear()
                await self._redis.publish(CHANNEL, told)
        except (RedisError, OSError, TimeoutError) as error:
            # Not tried again for a while: the streams find it by themselves.
            self._rest_until = time.monotonic() + _REST_SECONDS
            self._waiting.clear()
            log.warning("wake-ups cannot be sent: %s", type(error).__name__)
        finally:
            self._sending = None

    def _client(self, *, socket_timeout: float | None) -> redis.asyncio.Redis:
        return redis.asyncio.from_url(
            self._redis_url,
            socket_timeout=socket_timeout,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=None,
        )


_wakeups: Wakeups | None = None
_loop: asyncio.AbstractEventLoop | None = None


def current() -> Wakeups:
    """The wake-ups of this process, made from its settings when they are first needed."""
    global _wakeups, _loop
    if _wakeups is None or _loop is not asyncio.get_running_loop():
        _wakeups = Wakeups(Settings.from_env().redis_url)
        _loop = asyncio.get_running_loop()
    return _wakeups


def send_after_commit(session: AsyncSession, cti: bytes) -> None:
    """Tell it once the transaction stands: who looks earlier would find nothing, and not look again."""

    def committed(_: object) -> None:
        current().send([cti])

    event.listen(session.sync_session, "after_commit", committed, once=True)


async def close() -> None:
    """Give the connections of this process back at its end."""
    global _wakeups
    wakeups, _wakeups = _wakeups, None
    if wakeups is not None:
        await wakeups.close()
