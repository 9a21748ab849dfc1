"""Nonces for binding a code to a phone: each good once, for two minutes, for the account that asked.

They live in Valkey alone, at most 32 an account, so a flood of them costs one short list. Without Valkey no
new phone key can be bound; showing, verifying and codes without a key need none of this.

Source: schemas/codes/README.md (binding a code to a phone).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import redis.asyncio
from redis.exceptions import RedisError

from haiyiban.codes import valkey
from haiyiban.errors import FieldError, Problem, Unavailable, Words
from haiyiban.settings import Settings

NONCE_BYTES = 16
LIFE = timedelta(seconds=120)
MOST = 32
_USED_MOST = 8
_KEPT_SECONDS = 600
"""Longer than a nonce lives, so that a late or repeated proof is told so."""
_POINTER = "/deviceProof"


class DeviceCodesUnavailable(Unavailable):
    """No phone can be bound just now; codes without a device key go on."""

    type = "codes/device-codes-unavailable"
    title = Words(
        "暂时不能制作绑定手机的亮证码。请先出示普通亮证码（不带 deviceKey），稍后再试",
        "Codes bound to the phone cannot be made just now; show one without deviceKey, and try again later",
    )


class _ProofRefused(Problem):
    def __init__(self) -> None:
        super().__init__(errors=[FieldError(_POINTER, self.title)])


class NonceExpired(_ProofRefused):
    """The proof is over a nonce whose two minutes are over."""

    type = "codes/nonce-expired"
    title = Words(
        "随机数已过期，请重新获取（POST /codes/nonces）后再签名",
        "The nonce has expired; ask for a new one (POST /codes/nonces) and sign that",
    )


class NonceUsed(_ProofRefused):
    """The proof is over a nonce that was used before."""

    type = "codes/nonce-used"
    title = Words(
        "随机数已用过，请重新获取（POST /codes/nonces）后再签名",
        "The nonce has been used; ask for a new one (POST /codes/nonces) and sign that",
    )


class DeviceProofWrong(_ProofRefused):
    """The proof fits none of the account's nonces: another key, another account or another nonce."""

    type = "codes/device-proof-wrong"
    title = Words(
        "签名与手机公钥、账号和随机数对不上。请用本账号的 accountId 和刚获取的随机数重新签名",
        "The proof does not fit this key, account and nonce; sign your account's id and a fresh nonce",
    )


class Nonces:
    """The outstanding nonces of all accounts."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.asyncio.Redis.from_pool(valkey.pool(redis_url)) if redis_url else None

    async def issue(self, account_id: UUID, *, now: datetime) -> bytes:
        """A new nonce of an account. Of more than 32 the oldest go. Raises DeviceCodesUnavailable."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        entry = nonce + int(now.timestamp()).to_bytes(8)
        with _or_unavailable():
            await self._keep(_outstanding(account_id), entry, most=MOST)
        return nonce

    async def redeem(self, account_id: UUID, *, fits: Callable[[bytes], bool], now: datetime) -> None:
        """Use up the nonce that a proof fits.

        Raises NonceExpired, NonceUsed, DeviceProofWrong, DeviceCodesUnavailable.
        """
        with _or_unavailable():
            for entry in await self._kept(_outstanding(account_id)):
                if fits(entry[:NONCE_BYTES]):
                    await self._use(account_id, entry, now=now)
                    return
            for nonce in await self._kept(_used(account_id)):
                if fits(nonce):
                    raise NonceUsed
        raise DeviceProofWrong

    async def close(self) -> None:
        """Give the connections back."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _use(self, account_id: UUID, entry: bytes, *, now: datetime) -> None:
        nonce, issued_at = entry[:NONCE_BYTES], int.from_bytes(entry[NONCE_BYTES:])
        # Of two requests with the same proof one removes it.
        if not await self._store.lrem(_outstanding(account_id), 1, entry):
            raise NonceUsed
        await self._keep(_used(account_id), nonce, most=_USED_MOST)
        if now.timestamp() - issued_at > LIFE.total_seconds():
            raise NonceExpired

    async def _keep(self, name: str, entry: bytes, *, most: int) -> None:
        async with self._store.pipeline(transaction=True) as pipeline:
            pipeline.lpush(name, entry)
            pipeline.ltrim(name, 0, most - 1)
            pipeline.expire(name, _KEPT_SECONDS)
            await pipeline.execute()

    async def _kept(self, name: str) -> list[bytes]:
        kept: list[bytes] = await self._store.lrange(name, 0, -1)
        return kept

    @property
    def _store(self) -> Any:
        # The client's own types know no bytes as a value and cannot tell that it is asynchronous.
        if self._redis is None:
            raise DeviceCodesUnavailable
        return self._redis


def _outstanding(account_id: UUID) -> str:
    return f"codes:nonces:{account_id.hex}"


def _used(account_id: UUID) -> str:
    return f"codes:nonces-used:{account_id.hex}"


@contextmanager
def _or_unavailable() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError):
        raise DeviceCodesUnavailable from None


_nonces: Nonces | None = None
_loop: asyncio.AbstractEventLoop | None = None


def current() -> Nonces:
    """The nonces as this process reaches them, from its settings when first needed."""
    global _nonces, _loop
    if _nonces is None or _loop is not asyncio.get_running_loop():
        _nonces = Nonces(Settings.from_env().redis_url)
        _loop = asyncio.get_running_loop()
    return _nonces


async def close() -> None:
    """Give the connections of this process back at its end."""
    global _nonces
    nonces, _nonces = _nonces, None
    if nonces is not None:
        await nonces.close()
