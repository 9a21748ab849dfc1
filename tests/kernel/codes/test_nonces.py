"""Nonces in Valkey: good once, soon over, few for each account; and what goes on without Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import redis.asyncio

from haiyiban import clock
from haiyiban.codes import nonces
from haiyiban.codes.nonces import (
    MOST,
    DeviceCodesUnavailable,
    DeviceProofWrong,
    NonceExpired,
    Nonces,
    NonceUsed,
)
from tests import builders

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Nonces]:
    """Nonces of a process."""
    made = Nonces(redis_url)
    yield made
    await made.close()


async def use(store: Nonces, account: UUID, nonce: bytes, *, now: datetime = NOW) -> None:
    await store.redeem(account, fits=lambda tried: tried == nonce, now=now)


async def test_a_nonce_is_good_once(store) -> None:
    account = uuid4()
    nonce = await store.issue(account, now=NOW)
    await use(store, account, nonce)
    for _ in range(2):
        with pytest.raises(NonceUsed):
            await use(store, account, nonce)


async def test_two_processes_share_them(store, redis_url: str) -> None:
    account, other = uuid4(), Nonces(redis_url)
    nonce = await other.issue(account, now=NOW)
    await use(store, account, nonce)
    with pytest.raises(NonceUsed):
        await use(other, account, nonce)
    await other.close()


async def test_it_lives_two_minutes(store) -> None:
    account = uuid4()
    good, late = [await store.issue(account, now=NOW) for _ in range(2)]
    await use(store, account, good, now=NOW + timedelta(seconds=120))
    with pytest.raises(NonceExpired):
        await use(store, account, late, now=NOW + timedelta(seconds=121))


async def test_it_is_the_accounts_own(store) -> None:
    nonce = await store.issue(uuid4(), now=NOW)
    with pytest.raises(DeviceProofWrong):
        await use(store, uuid4(), nonce)


async def test_of_ten_at_once_one_uses_it(store) -> None:
    account = uuid4()
    nonce = await store.issue(account, now=NOW)
    results = await asyncio.gather(*(use(store, account, nonce) for _ in range(10)), return_exceptions=True)
    assert sorted(map(repr, results)) == sorted([repr(None)] + [repr(NonceUsed())] * 9)


async def test_a_flood_costs_one_short_list_and_the_newest_still_works(api, phone, redis_url: str) -> None:
    """5,000 calls of one account; the key is gone by itself ten minutes later."""
    for _ in range(100):
        await asyncio.gather(*(nonces.current().issue(phone.account_id, now=clock.now()) for _ in range(49)))
        newest = await phone.nonce()
    client = redis.asyncio.from_url(redis_url)
    keys = [key async for key in client.scan_iter(f"codes:nonces*{phone.account_id.hex}")]
    sizes = [await client.memory_usage(key) for key in keys]
    assert len(keys) == 1
    assert await client.llen(keys[0]) == MOST
    assert sum(size or 0 for size in sizes) < 4096
    assert 0 < await client.ttl(keys[0]) <= 600
    await client.aclose()
    bound = await phone.ask("identity", deviceProof=phone.proof(newest))
    assert bound.status_code == 201


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", ""])
async def test_without_valkey_no_phone_is_bound_and_codes_of_the_servers_go_on(
    api, phone, notice, scan, monkeypatch, url: str
) -> None:
    await phone.bind("certificate", subjectId=str(notice.id))
    proof = phone.proof(await phone.nonce())
    away = Nonces(url)
    with monkeypatch.context() as without:
        without.setattr(nonces, "current", lambda: away)
        for refused in (
            await api.post("/codes/nonces", headers=phone.headers),
            await phone.ask("identity", deviceProof=proof),
        ):
            assert (refused.status_code, builders.slug(refused)) == (503, "device-codes-unavailable")
            assert refused.headers["retry-after"]
            assert "deviceKey" in refused.json()["title"]
        fresh = await api.post("/codes", json={"kind": "identity"}, headers=phone.headers)
        assert fresh.status_code == 201
        # The phone goes on showing what it has, and verifying needs no Valkey either.
        assert (await scan(phone.show(int(clock.now().timestamp()))))["outcome"] == "valid"
    await away.close()
    with pytest.raises(DeviceCodesUnavailable):
        await Nonces("").issue(uuid4(), now=NOW)
