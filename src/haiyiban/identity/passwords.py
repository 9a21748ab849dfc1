"""Passwords of staff, as argon2id; hashing takes tens of milliseconds, so it runs off the event loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

# OWASP's parameters for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = asyncio.Semaphore(4)
"""A crowd at the door must not take the machine's memory and processors."""
_NOBODYS = _hasher.hash("nobody's password")
"""Checked for a name that does not exist, so that the answer takes as long as for one that does."""


async def hash_of(password: str) -> str:
    """The password as it is stored."""
    async with _turns:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one; False for nobody's, after the same time."""
    async with _turns:
        return await asyncio.to_thread(_verify, stored or _NOBODYS, password) and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except VerifyMismatchError:
        return False
