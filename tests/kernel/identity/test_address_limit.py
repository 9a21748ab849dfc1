"""Codes by network address, with Redis and without."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from haiyiban.identity.address_limit import AddressLimit, TooManyFromHere

NOW = 1_700_000_000.0
NOWHERE = "redis://127.0.0.1:1/0"


@asynccontextmanager
async def a_limit(redis_url: str, *, most: int) -> AsyncIterator[AddressLimit]:
    limit = AddressLimit(redis_url, most=most)
    try:
        yield limit
    finally:
        await limit.close()


async def test_processes_count_together(redis_url: str) -> None:
    address = secrets.token_hex(8)
    async with a_limit(redis_url, most=3) as one, a_limit(redis_url, most=3) as other:
        await one.count(address, now=NOW)
        await other.count(address, now=NOW)
        await one.count(address, now=NOW)
        with pytest.raises(TooManyFromHere) as refused:
            await other.count(address, now=NOW)
        assert 0 < int(refused.value.headers["Retry-After"]) <= 3600
        await other.count(address, now=NOW + 3600)
        await other.count("another", now=NOW)


@pytest.mark.parametrize("redis_url", [NOWHERE, ""])
async def test_without_redis_each_process_counts_alone(redis_url: str) -> None:
    async with a_limit(redis_url, most=2) as limit:
        await limit.count("10.0.0.1", now=NOW)
        await limit.count("10.0.0.1", now=NOW)
        with pytest.raises(TooManyFromHere):
            await limit.count("10.0.0.1", now=NOW)
        await limit.count("10.0.0.2", now=NOW)
        await limit.count("10.0.0.1", now=NOW + 3600)
