"""Passwords of staff, as argon2id; hashing takes tens of milliseconds, so it runs off the event loop."""

from __future__ import annotations

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from haiyiban.errors import Words
from haiyiban.settings import Settings

LEAST_LENGTH = 10
LEAST_SCORE = 3
"""Of zxcvbn's 0 to 4: over 10^8 guesses."""

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


def fault_of(password: str, *known: str) -> Words | None:
    """What is wrong with a password that somebody chooses, or None; `known` is what an attacker tries first.

    Length and how easily it is guessed, and no rules about which characters. Source: OWASP ASVS 5, 6.2.
    """
    if len(password) < LEAST_LENGTH:
        return Words(
            f"至少 {LEAST_LENGTH} 个字符；几个不相干的词连起来就好记又难猜",
            f"At least {LEAST_LENGTH} characters; a few unrelated words are easy to keep and hard to guess",
        )
    if password in known:
        return Words("不能与用户名或原密码相同", "It cannot be the username or the password before")
    # Its lists of words take a tenth of a second and ten megabytes: only where somebody chooses a password.
    from zxcvbn import zxcvbn

    if zxcvbn(password[:72], user_inputs=[*known, "haiyiban", "hainan"])["score"] < LEAST_SCORE:
        return Words(
            "太常见或太有规律，请换几个不相干的词",
            "Too common or too regular; please take a few unrelated words",
        )
    return None


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _hasher().verify(stored or _nobodys(), password)
    except VerifyMismatchError:
        return False
