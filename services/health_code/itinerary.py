"""The itinerary (行程): the prefectures that somebody was in of late. Pure. Source: docs/domain.md §5."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from haiyiban.registers import Trip
from services.health_code.facts import stops
from services.health_code.standards import Area, Standard


class Visited(NamedTuple):
    """A prefecture (a country abroad) and whether it bears an asterisk (*), which says nothing of the person:
    somewhere in it lies a listed area."""

    division: str
    asterisk: bool


def visited(
    trips: Sequence[Trip], *, today: date, standard: Standard, areas: Sequence[Area]
) -> list[Visited]:
    """Where somebody was in the last days, each place once, the earliest first."""
    first = today - timedelta(days=standard.itinerary_days)
    places = [prefecture(place) for trip in trips for place, day in stops(trip) if first <= day <= today]
    return [
        Visited(
            place,
            standard.asterisk
            and any(area.level != "affected" and _touches(area, place, today) for area in areas),
        )
        for place in dict.fromkeys(places)
    ]


def prefecture(place: str) -> str:
    """The prefecture of a division; what lies directly under a province, and a country, is its own."""
    if not place.isdecimal() or place[2:4] == "90":
        return place
    return f"{place[:4]}00"


def _touches(area: Area, place: str, today: date) -> bool:
    return area.holds(place, today) or (
        prefecture(area.division) == place and area.holds(area.division, today)
    )
