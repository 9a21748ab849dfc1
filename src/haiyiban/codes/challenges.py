"""Which challenges belong to which verifier, and since when: an answer counts for 60 seconds.

One that we drew for a connected counter is good for that verifier alone. One that a terminal drew itself is
remembered from its first use on, so that a counter that always shows the same one is found out. Both live in
Valkey. Without it nothing is drawn here and a verifier's word counts, as it does offline: the phone's own
instant is at most 60 seconds old all the same.

Source: schemas/codes/README.md §6.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import redis.asyncio
from redis.exceptions import RedisError

from haiyiban.codes import counter_code, valkey
from haiyiban.codes.counter_code import LIFE, Drawn
from haiyiban.codes.offline import SKEW_SECONDS
from haiyiban.codes.outcomes import Outcome
from haiyiban.errors import Unavailable, Words
from haiyiban.settings import Settings

_REMEMBERED = timedelta(hours=1)
"""After the last use: a challenge of 8 random bytes never comes again, one that does is worth remembering."""
_JUDGE_SECONDS = 0.25
"""A gate does not wait longer for a Valkey that hangs."""


class ChallengesUnavailable(Unavailable):
    """No challenge can be drawn here just now; a terminal can draw its own."""

    type = "codes/challenges-unavailable"
    title = Words(
        "暂时不能生成柜台动态码；请由终端自行生成，或请对方联网刷新亮证码",
        "Challenges cannot be drawn here just now; let the terminal draw its own, or ask for a fresh code",
    )


class Challenges:
    """The challenges of all verifiers."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Any = redis.asyncio.Redis.from_pool(valkey.pool(redis_url)) if redis_url else None

    async def draw(self, verifier_id: UUID, *, now: datetime) -> Drawn:
        """A fresh challenge of a verifier's counter. Raises ChallengesUnavailable."""
        drawn = counter_code.draw(now)
        if self._redis is None:
            raise ChallengesUnavailable
        try:
            value = verifier_id.bytes + drawn.exp.to_bytes(8)
            await self._redis.set(_ours(drawn.challenge), value, ex=_REMEMBERED)
        except (RedisError, OSError, TimeoutError):
            raise ChallengesUnavailable from None
        return drawn

    async def judge(self, verifier_id: UUID, challenge: bytes, *, now: datetime) -> Outcome | None:
        """What speaks against an answer to this challenge at this verifier: `bad_signature` where we drew it
        for another, `expired` after its 60 seconds; else nothing."""
        if self._redis is None:
            return None
        last = int((now + LIFE).timestamp()).to_bytes(8)
        own = _theirs(verifier_id, challenge)
        try:
            async with asyncio.timeout(_JUDGE_SECONDS), self._redis.pipeline(transaction=True) as pipeline:
                pipeline.get(_ours(challenge))
                pipeline.set(own, last, nx=True)
                pipeline.get(own)
                pipeline.expire(own, _REMEMBERED)
                drawn, _, first, _ = await pipeline.execute()
        except (RedisError, OSError, TimeoutError):
            return None
        if drawn is not None:
            if drawn[:16] != verifier_id.bytes:
                return Outcome.BAD_SIGNATURE
            first = drawn[16:]
        is_late = now.timestamp() > int.from_bytes(first) + SKEW_SECONDS
        return Outcome.EXPIRED if is_late else None

    async def close(self) -> None:
        """Give the connections back."""
        if self._redis is not None:
            await self._redis.aclose()


def _ours(challenge: bytes) -> str:
    return f"codes:challenge:{challenge.hex()}"


def _theirs(verifier_id: UUID, challenge: bytes) -> str:
    return f"codes:challenge:{verifier_id.hex}:{challenge.hex()}"


_challenges: Challenges | None = None
_loop: asyncio.AbstractEventLoop | None = None


def current() -> Challenges:
    """The challenges as this process reaches them, from its settings when first needed."""
    global _challenges, _loop
    if _challenges is None or _loop is not asyncio.get_running_loop():
        _challenges = Challenges(Settings.from_env().redis_url)
        _loop = asyncio.get_running_loop()
    return _challenges


async def close() -> None:
    """Give the connections of this process back at its end."""
    global _challenges
    challenges, _challenges = _challenges, None
    if challenges is not None:
        await challenges.close()
