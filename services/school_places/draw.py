"""The public lottery: numbers that nobody could choose and everybody can recompute.

When an enrolment opens, the bureau publishes SHA-256 of a secret and names a public event (the beacon) that
has not happened yet. When it closes, it publishes the hash of the roll. Only then does the beacon happen,
and secret, beacon, roll and campaign together give the seed: the bureau can not change its secret, and
nobody could know the beacon when the roll was fixed.
Source: docs/domain.md §11 (steps 1–6, vector), §6.2 (twins share one number).
"""

import hashlib
import hmac
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from haiyiban.errors import Problem, Words

_AT_ONCE = 8192
"""Keys made before their first bytes are kept."""
_PART_BITS = 12
"""Parts of the draw that are sorted by themselves, as a power of two: 700 entries each of three million."""


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
    shared: dict[str, str] = {}
    for group in twins:
        if not shared.keys().isdisjoint(group):
            raise MalformedRoll("a twin is in two groups")
        shared.update(dict.fromkeys(group, min(group)))
    if not shared:
        return numbers_by_key(pseudonyms, _keys(seed))
    found = [pseudonym for pseudonym in pseudonyms if pseudonym in shared]
    if len(found) != len(shared) or set(found) != shared.keys():
        raise MalformedRoll("a twin is not on the roll, or twice")
    entries = [pseudonym for pseudonym in pseudonyms if shared.get(pseudonym, pseudonym) == pseudonym]
    number_of = dict(zip(entries, numbers_by_key(entries, _keys(seed)), strict=True))
    return [number_of[shared.get(pseudonym, pseudonym)] for pseudonym in pseudonyms]


def numbers_by_key(entries: Sequence[str], key: Callable[[str], bytes]) -> list[int]:
    """A number from 1 for each entry, in the order given, by ascending key of 32 bytes.

    Sorted by what fits a processor: the first eight bytes of each key lie in one array, and are dealt out by
    their first bits into parts that are each sorted in the cache. Three million keys as objects cost more
    to sort than to make, and half a gigabyte. Raises MalformedRoll.
    """
    heads = array("Q")
    for start in range(0, len(entries), _AT_ONCE):
        heads += array("Q", b"".join(map(key, entries[start : start + _AT_ONCE])))[::4]
    if sys.byteorder == "little":
        heads.byteswap()
    parts = [array("L") for _ in range(1 << _PART_BITS)]
    for place, head in enumerate(heads):
        parts[head >> 64 - _PART_BITS].append(place)
    numbers = [0] * len(entries)
    drawn = 0
    for part in parts:
        place_of = {heads[place]: place for place in part}
        ordered = [place_of[head] for head in sorted(place_of)]
        if len(ordered) < len(part):
            ordered = _by_whole_key(entries, part, key)
        for place in ordered:
            drawn += 1
            numbers[place] = drawn
    return numbers


def _by_whole_key(entries: Sequence[str], part: Sequence[int], key: Callable[[str], bytes]) -> list[int]:
    """Places of a part in which two keys begin alike, or one entry stands twice, which is refused."""
    place_of = {key(entries[place]): place for place in part}
    if len(place_of) < len(part):
        raise MalformedRoll("a pseudonym stands on the roll twice")
    return [place_of[whole] for whole in sorted(place_of)]


def _keys(seed: bytes) -> Callable[[str], bytes]:
    """`lottery_key` as bytes, for many entries of one seed: what the seed alone decides is worked out once,
    which is most of it."""
    begun = HMAC(seed, SHA256())

    def key(entry: str) -> bytes:
        one = begun.copy()
        one.update(entry.encode())
        return one.finalize()

    return key
