"""What a screen in a public place may tell: counts of groups, never of somebody.

A group is five or more. What is fewer is told as "fewer than five", and the live feed speaks only once five
more of one kind have come together in one county. A matter that says something of a person's health, need,
family or service is never named there: it goes under 其他事项.

Source: 个人信息保护法 art. 28 (sensitive personal information), art. 73(4) (anonymous); GB/T 37964-2019
(k-anonymity); docs/hall.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from haiyiban.clock import SHANGHAI

GROUP = 5
"""The fewest that are told as a number of their own."""
FEED_MOST = 12
MATTERS_MOST = 6
NAMED_TOPICS = frozenset({"教育科研", "就业创业", "住房保障", "出行旅游", "户籍办理"})
"""Topics of natural persons (自然人主题) whose matters tell nothing sensitive of who applies; a list of those
that may be named, so that a new topic is silent until somebody has thought about it."""


class Kind(NamedTuple):
    """What is counted, where and of which matter; the matter is empty where it is not to be named."""

    name: str
    division: str
    matter: str


Counts = Mapping[Kind, int]


class Told(NamedTuple):
    """One line of the feed: so many more of a kind have come together."""

    name: str
    division: str
    matter: str
    more: int


def may_be_named(user_topics: Collection[str]) -> bool:
    """Whether the screen may name a matter of these topics; those of enterprises alone have none."""
    return NAMED_TOPICS.issuperset(user_topics)


def at_county(counts: Counts, *, county: Mapping[str, str], named: Collection[str]) -> dict[Kind, int]:
    """The same counts by county (empty for what belongs to the whole province), sensitive matters unnamed."""
    found: Counter[Kind] = Counter()
    for kind, count in counts.items():
        matter = kind.matter if kind.matter in named else ""
        found[Kind(kind.name, county.get(kind.division, ""), matter)] += count
    return dict(found)


def told(before: Counts, now: Counts) -> list[Told]:
    """The lines that the feed gains: of each kind whole groups, when they have become full."""
    return [
        Told(kind.name, kind.division, kind.matter, groups * GROUP)
        for kind, count in sorted(now.items())
        if (groups := count // GROUP - before.get(kind, 0) // GROUP) > 0
    ]


def masked(count: int) -> int | None:
    """A count as a screen shows it; None for fewer than a group, of which somebody may be known."""
    return count if count == 0 or count >= GROUP else None


def share(part: int, whole: int) -> float | None:
    """A rate to a tenth of a per cent; None where there is nothing to divide by: unknown, not nought."""
    return round(part / whole, 3) if whole else None


def minute_of(instant: datetime) -> datetime:
    """The minute that an instant is in."""
    return instant.replace(second=0, microsecond=0)


def hour_of(instant: datetime) -> datetime:
    """The hour that an instant is in; Hainan's hours are those of UTC."""
    return instant.replace(minute=0, second=0, microsecond=0)


def day_of(instant: datetime) -> datetime:
    """When the day in Hainan began that an instant is in."""
    local = instant.astimezone(SHANGHAI)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def spans(first: datetime, past: datetime, *, length: timedelta) -> list[datetime]:
    """Where the spans begin that lie between two instants."""
    found = []
    while first < past:
        found.append(first)
        first += length
    return found


def first_id(instant: datetime) -> UUID:
    """The lowest UUIDv7 of an instant: rows from then on have this id or a higher one (RFC 9562 §5.7)."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62)
