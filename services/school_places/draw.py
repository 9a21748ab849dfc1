"""The public lottery: numbers that nobody could choose and everybody can recompute.

When an enrolment opens, the bureau publishes SHA-256 of a secret and names a public event (the beacon) that
has not happened yet. When it closes, it publishes the hash of the roll. Only then does the beacon happen,
and secret, beacon, roll and campaign together give the seed: the bureau can not change its secret, and
nobody could know the beacon when the roll was fixed.
Source: docs/domain.md §11 (steps 1–6, vector), §6.2 (twins share one number).
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from haiyiban.errors import Problem, Words


class NotTheSecret(Problem):
    """The secret is not the one that was committed to: the draw can not go on with it."""

    status = 409
    type = "school-places/not-the-secret"
    title = Words("密钥与公布的承诺不一致", "The secret does not match the published commitment")


class MalformedRoll(ValueError):
    """The roll names a pseudonym twice, or a twin that is not on it."""


def commitment(secret: str) -> str:
    """What is published when the enrolment opens: SHA-256 of the secret, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_secret(secret: str, published: str) -> None:
    """Raises NotTheSecret unless the secret is what `published` committed to."""
    if not hmac.compare_digest(commitment(secret), published):
        raise NotTheSecret


def roll_hash(canonical_roll: bytes) -> str:
    """SHA-256 of the RFC 8785 JSON of the whole input of the matching, hex."""
    return hashlib.sha256(canonical_roll).hexdigest()


def draw_seed(secret: str, *, beacon: str, roll: str, campaign: str) -> bytes:
    """32 bytes: SHA-256 of `secret|beacon|roll hash|campaign`; campaign is the enrolment's code."""
    return hashlib.sha256(f"{secret}|{beacon}|{roll}|{campaign}".encode()).digest()


def lottery_key(seed: bytes, entry: str) -> str:
    """HMAC-SHA256 of one entry, hex: the smaller, the earlier. A family can check its own with one hash."""
    return hmac.digest(seed, entry.encode(), "sha256").hex()


def lottery_numbers(seed: bytes, pseudonyms: Sequence[str], *, twins: Iterable[Sequence[str]]) -> list[int]:
    """A number from 1 for each pseudonym, in the order given, by ascending key.

    A twin group draws once, under the smallest pseudonym of the group (by Unicode code point), and all of it
    get that number; so the numbers run to the count of entries, not of children. Raises MalformedRoll.
    """
    known = set(pseudonyms)
    if len(known) != len(pseudonyms):
        raise MalformedRoll("a pseudonym stands on the roll twice")
    shared: dict[str, str] = {}
    for group in twins:
        if not shared.keys().isdisjoint(group) or not known >= set(group):
            raise MalformedRoll("a twin is not on the roll, or in two groups")
        shared.update(dict.fromkeys(group, min(group)))
    entry_of = [shared.get(pseudonym, pseudonym) for pseudonym in pseudonyms]
    entries = list(dict.fromkeys(entry_of))
    # Bytes sort as their hex does. Places are sorted and not pairs, of which three million would keep the
    # garbage collector busy for longer than the hashing takes.
    keys = [hmac.digest(seed, entry.encode(), "sha256") for entry in entries]
    drawn = sorted(range(len(keys)), key=keys.__getitem__)
    number_of = {entries[at]: number for number, at in enumerate(drawn, 1)}
    return [number_of[entry] for entry in entry_of]
