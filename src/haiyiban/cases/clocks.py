"""Working-day clocks of a case: promised and statutory, stopped while suspended, moved by an extension.

The day of acceptance is not counted; the last day counts whole. Source: docs/domain.md §3.6, §3.7, §14.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from haiyiban.matters.matter import Item
from haiyiban.workdays import Calendar, deadline_instant

EXTENSION_DAYS_MOST = 10
"""行政许可法 art. 42: ten working days more, once, with the head's approval."""
CORRECTION_DAYS = 30
"""Natural days to answer a correction notice. Source: docs/domain.md §3.7."""


class DueDates(NamedTuple):
    """Until when a case is to be decided; `provisional` where a year's calendar is not published."""

    promised: date
    statutory: date | None
    provisional: bool


def due_dates(
    item: Item,
    accepted_on: date,
    *,
    calendar: Calendar,
    division: str,
    suspensions: Sequence[tuple[date, date]] = (),
    extended_days: int = 0,
) -> DueDates:
    """Both clocks of a case accepted on a day; an extension moves the promised and the statutory alike."""
    promised = _due(
        item.promise_day, item.promise_type, accepted_on, calendar, division, suspensions, extended_days
    )
    if item.anticipate_day is None:
        return DueDates(promised[0], None, promised[1])
    statutory = _due(
        item.anticipate_day, item.anticipate_type, accepted_on, calendar, division, suspensions, extended_days
    )
    return DueDates(promised[0], statutory[0], promised[1] or statutory[1])


def _due(
    days: int,
    kind: str,
    accepted_on: date,
    calendar: Calendar,
    division: str,
    suspensions: Sequence[tuple[date, date]],
    extended_days: int,
) -> tuple[date, bool]:
    count = calendar.natural_due if kind == "natural_day" else calendar.due
    due = count(accepted_on, days + extended_days, division=division, suspensions=suspensions)
    return due.day, due.provisional


def correction_deadline(asked_on: date, *, calendar: Calendar, division: str) -> datetime:
    """The last second in which a correction counts."""
    return deadline_instant(calendar.natural_due(asked_on, CORRECTION_DAYS, division=division).day)
