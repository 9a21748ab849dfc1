"""Whether goods may be handed over on return: every condition at once. Pure.

The buyer, who left the island after the purchase and came back, within three months of it.
Source: docs/domain.md §8.1, §8.2 no. 10, §8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

from haiyiban.registers import Trip, leaves_island, returns_to_island

Met = Literal["yes", "no", "unknown"]


class Conditions(NamedTuple):
    """What was looked at; unknown is never yes."""

    departed: Met
    """Left the island after the purchase."""
    returned: Met
    """Came back after that."""
    in_time: Met
    """Today is no later than the last day."""

    @property
    def result(self) -> Met:
        """no where any condition is not met, else unknown where any cannot be told."""
        if "no" in self:
            return "no"
        return "unknown" if "unknown" in self else "yes"


def conditions(
    trips: Sequence[Trip] | None, *, purchased_at: datetime, last_day: date, now: datetime, today: date
) -> Conditions:
    """What the register of trips says of a purchase; `trips` None where it could not be asked.

    A journey counts from when it departed, and as a return once it has arrived.
    """
    in_time: Met = "yes" if today <= last_day else "no"
    if trips is None:
        return Conditions("unknown", "unknown", in_time)
    left = [
        trip.departed_at for trip in trips if leaves_island(trip) and purchased_at < trip.departed_at <= now
    ]
    if not left:
        return Conditions("no", "no", in_time)
    first = min(left)
    came_back = any(
        returns_to_island(trip)
        and trip.departed_at > first
        and trip.arrived_at is not None
        and trip.arrived_at <= now
        for trip in trips
    )
    return Conditions("yes", "yes" if came_back else "no", in_time)
