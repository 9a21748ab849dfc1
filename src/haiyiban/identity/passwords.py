"""Passwords of staff, as argon2id; hashing takes tens of milliseconds, so it runs off the event loop."""

from __future__ import annotations

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from haiyiban.settings import Settings

_turns = asyncio.Semaphore(4)
"""A crowd at the door must not take the machine's memory and processors."""


@cache
def _hasher() -> PasswordHasher:
    """Two passes, one lane: OWASP's parameters for argon2id."""
    return PasswordHasher(time_cost=2, memory_cost=Settings.from_env().password_kib, parallelism=1)


@cache
def _nobodys() -> str:
    """Checked for a name that does not exist, so that the answer takes as long as for one that does."""
    return _hasher().hash("nobody's password")


async def hash_of(password: str) -> str:
    """The password as it is stored."""
    async with _turns:
        return await asyncio.to_thread(_hasher().hash, password)


async def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one; False for nobody's, after the same time."""
    async with _turns:
        return await asyncio.to_thread(_verify, stored, password) and stored is not None


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _hasher().verify(stored or _nobodys(), password)
    except VerifyMismatchError:
        return False
