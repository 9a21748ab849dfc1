"""The code that an operator reads out and a new terminal is enrolled with (一次性入网码).

Ten characters, written in two groups: nine at random and a check character, so that a slip of the hand is
told from a wrong code. 44 bits are enough for minutes and a limit of tries; they are kept as a keyed hash.
"""

from __future__ import annotations

import secrets

ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""31 characters that nobody mistakes for one another: no 0 and O, no I and L, no U. The number is prime, so
that the check finds every wrong character and every two that changed places."""
LENGTH = 10
_GROUP = 5


def new_code() -> str:
    """A fresh code, as it is shown."""
    free = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return shown(free + _check_character(free))


def shown(code: str) -> str:
    """A code in its two groups."""
    return f"{code[:_GROUP]}-{code[_GROUP:]}"


def read_code(typed: str) -> str | None:
    """The ten characters behind what somebody typed; None where it cannot be a code of ours."""
    code = typed.upper().translate(_READ_AS)
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        return None
    return code if _check_character(code[:-1]) == code[-1] else None


def _check_character(free: str) -> str:
    total = sum(place * ALPHABET.index(character) for place, character in enumerate(free, start=1))
    return ALPHABET[total % len(ALPHABET)]


_READ_AS = str.maketrans({" ": None, "-": None, "I": "1", "L": "1"})
