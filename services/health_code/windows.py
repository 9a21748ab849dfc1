"""What stands beside the colour: the window of a negative test, and the gold edge of a full vaccination.

Source: docs/domain.md §5 (test windows; gold edge).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

HOURS = (24, 48, 72)
"""The windows in use, in hours."""


def window(negative_at: datetime | None, *, now: datetime) -> int | None:
    """The shortest window, in hours, in which a negative test still counts; None where in none.

    `negative_at` is the time of sampling or of the report, as the rules in force say. The last second counts;
    a time still to come counts for nothing.
    """
    if negative_at is None or negative_at > now:
        return None
    return next((hours for hours in HOURS if now - negative_at <= timedelta(hours=hours)), None)


class Edge(NamedTuple):
    """Whether the code has a gold edge, and whether to remind of the next dose."""

    golden: bool
    reminder: bool


def edge(
    doses: Mapping[str, int] | None, *, required: Mapping[str, int], contraindicated: bool = False
) -> Edge:
    """The edge by the doses of each kind of vaccine; None where the register could not be asked.

    Nobody is reminded who may not be vaccinated, or of whom we do not know.
    """
    if doses is None:
        return Edge(golden=False, reminder=False)
    golden = any(count >= required[kind] for kind, count in doses.items() if kind in required)
    return Edge(golden=golden, reminder=not golden and not contraindicated)
