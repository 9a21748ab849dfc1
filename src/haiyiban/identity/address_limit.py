"""How often one network address may ask, for a sign-in code or where a case stands: an hourly count in Redis.

When Redis is away, this process counts alone: an address may then ask as often as the limit times the
number of processes; for codes the limit by phone, which PostgreSQL keeps, still holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter

import redis.asyncio
from redis.exceptions import RedisError

from haiyiban.errors import TooMany, Words
from haiyiban.settings import Settings

WINDOW_SECONDS = 3600
_ASK_SECONDS = 0.25
_REST_SECONDS = 5.0


class TooManyFromHere(TooMany):
    """Too many codes were asked for from one network address."""

    type = "identity/too-many-from-here"
    title = Words(
        "此网络索取验证码过多，请稍后再试", "Too many codes were requested from this network; try again later"
    )


class AddressLimit:
    """Counts by address and hour, shared between processes as long as Redis answers. `name`: of what is
    counted; `refusal`: what whoever asks too often is told."""

    def __init__(
        self, redis_url: str, *, most: int, name: str = "sms", refusal: type[TooMany] = TooManyFromHere
    ) -> None:
        self._redis = (
            redis.asyncio.from_url(
                redis_url, socket_timeout=_ASK_SECONDS, socket_connect_timeout=_ASK_SECONDS, retry=None
            )
            if redis_url
            else None
        )
        self._most, self._name, self._refusal = most, name, refusal
        self._local: Counter[str] = Counter()
        self._local_window = 0
        self._rest_until = 0.0

    async def count(self, address: str, *, now: float) -> None:
        """Count one request of an address; `now` in Unix seconds. Raises the refusal."""
        window, into = divmod(int(now), WINDOW_SECONDS)
        # The address is hashed, so that the cache names nobody.
        name = hashlib.blake2b(address.encode(), digest_size=12).hexdigest()
        if await self._counted(f"{self._name}:{window}:{name}", window) > self._most:
            raise self._refusal(WINDOW_SECONDS - into)

    async def close(self) -> None:
        """Give the connections back."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _counted(self, key: str, window: int) -> int:
        if self._redis is not None and time.monotonic() >= self._rest_until:
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    pipeline.incr(key)
                    pipeline.expire(key, WINDOW_SECONDS)
                    return int((await pipeline.execute())[0])
            except (RedisError, OSError, TimeoutError):
                # Not asked again for a while: every sign-in would wait for the time-out.
                self._rest_until = time.monotonic() + _REST_SECONDS
        if window != self._local_window:
            self._local_window = window
            self._local.clear()
        self._local[key] += 1
        return self._local[key]


_limit: AddressLimit | None = None
_loop: asyncio.AbstractEventLoop | None = None


def current() -> AddressLimit:
    """The limit of this process, made from its settings when it is first needed."""
    global _limit, _loop
    if _limit is None or _loop is not asyncio.get_running_loop():
        settings = Settings.from_env()
        _limit = AddressLimit(settings.redis_url, most=settings.sms_per_address)
        _loop = asyncio.get_running_loop()
    return _limit


async def close() -> None:
    """Give the connections of this process back at its end."""
    global _limit
    limit, _limit = _limit, None
    if limit is not None:
        await limit.close()
