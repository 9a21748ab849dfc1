"""What a folder counts for the hall (政务大屏), and what a process counts by itself.

Most is counted from rows that stand there anyway, by ranges of their UUIDv7: whoever writes them pays
nothing. What writes no row, such as showing a code, is counted in memory and written every few
seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_seen: Counter[str] = Counter()
_installed: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One thing that is counted."""

    name: str
    """`<feature>.<past participle>`, such as `cases.submitted`."""
    query: str | None = None
    """Rows (division, matter, count), empty texts where it has neither, of what has an id from :first on and
    before :past. It must find them by an index. None where the processes count it themselves: `saw`."""


def install(tallies: Iterable[Tally]) -> None:
    """What this process's features and zones count."""
    global _installed
    _installed = tuple(tallies)


def installed() -> tuple[Tally, ...]:
    """What is counted here; what is not, nobody here can know."""
    return _installed


def saw(name: str) -> None:
    """One more of what leaves no row. A process that is killed loses the last seconds of it. A name that no
    tally has is kept with the others, and is no figure of the hall."""
    _seen[name] += 1


def take() -> dict[str, int]:
    """What was seen since the last time."""
    global _seen
    seen, _seen = _seen, Counter()
    return dict(seen)


def give_back(seen: dict[str, int]) -> None:
    """It could not be written; the next time, then."""
    _seen.update(seen)
