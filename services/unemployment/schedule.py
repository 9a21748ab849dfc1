"""Which months a grant pays for: pure functions of dates.

The first month is that of the registration, whole. Source: docs/domain.md §7.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.unemployment.rules import monthly_fen
from services.unemployment.standards import Standards


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a grant, as it would be paid by the standards that are known today."""

    month: str
    """`2026-12`."""
    fen: int | None
    """None where the place's standard is not ours to know."""
    is_paid: bool


def month_of(starts_on: date, number: int) -> date:
    """The first day of a grant's month, counted from 0."""
    months = starts_on.year * 12 + starts_on.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def label(day: date) -> str:
    """A month as people and files write it: `2026-12`."""
    return f"{day:%Y-%m}"


def months_of(
    starts_on: date, count: int, *, used: int, division: str, today: date, standards: Standards
) -> list[Month]:
    """Every month of a grant, a month to come by the newest standard that is announced for its first day.

    What counts in the end is the standard of the day it is paid.
    """
    return [
        Month(
            label(first),
            monthly_fen(division, paid_on=max(first, today), standards=standards),
            number < used,
        )
        for number in range(count)
        for first in [month_of(starts_on, number)]
    ]
