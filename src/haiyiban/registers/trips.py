"""Journeys to and from the island, out of what the register of trips (进出岛行程库) answered.

Source: docs/domain.md §8.1 (actual trip record), §5 (itinerary).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haiyiban.registers.answers import RegisterAnswer
from haiyiban.registers.records import Trip

HAINAN = "46"
"""The first two digits of every division of Hainan, retired codes and the container 469000 included. Source:
GB/T 2260; docs/domain.md §2."""


def trips_of(answer: RegisterAnswer) -> Sequence[Trip] | None:
    """Somebody's journeys, the earliest first; empty where the register knows of none, None where it could
    not be asked."""
    if answer.state == "unknown":
        return None
    trips = msgspec.convert(answer.data.get("trips", []), type=list[Trip])
    return sorted(trips, key=lambda trip: trip.departed_at)


def leaves_island(trip: Trip) -> bool:
    """Whether the journey goes from Hainan to elsewhere (离岛)."""
    return is_hainan(trip.from_) and not is_hainan(trip.to)


def returns_to_island(trip: Trip) -> bool:
    """Whether the journey comes from elsewhere to Hainan (返岛)."""
    return is_hainan(trip.to) and not is_hainan(trip.from_)


def is_hainan(place: str) -> bool:
    """Whether a place, a division or a country, lies on Hainan."""
    return place.startswith(HAINAN)
