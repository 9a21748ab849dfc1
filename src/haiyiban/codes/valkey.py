"""The connections of one process to Valkey, for what codes may lose: nonces and challenges."""

from __future__ import annotations

import redis.asyncio

_ASK_SECONDS = 1.0
_CONNECTIONS = 8
"""A flood waits in line for these; one connection for each would time all of them out."""


def pool(redis_url: str) -> redis.asyncio.ConnectionPool:
    """A pool that answers, or fails, within a second."""
    return redis.asyncio.BlockingConnectionPool.from_url(
        redis_url,
        max_connections=_CONNECTIONS,
        timeout=_ASK_SECONDS,
        socket_timeout=_ASK_SECONDS,
        socket_connect_timeout=_ASK_SECONDS,
        retry=None,
    )
