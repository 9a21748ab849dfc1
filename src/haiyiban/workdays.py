"""Working days (工作日): which days count, and when a limit in days or months ends.

A calendar is what the State Council's yearly notice says (holidays and make-up Saturdays), changed by local
holidays such as 三月三, which each city or county decides for itself. A division without a row of its own
follows the division above it, in the end the national notice, in the end Monday to Friday.

Source: 行政许可法 art. 82; 全国年节及纪念日放假办法; docs/domain.md §3.6, §14.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from chinese_calendar import constants

from haiyiban import divisions
from haiyiban.clock import SHANGHAI

Rows = Mapping[date, bool]
"""Days that differ from the week's habit: True where it is off, False where it is worked."""

Suspension = tuple[date, date]
"""Days on which a clock stands still (特别程序), first and last included."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a limit.

    Provisional where a year on the way has no published calendar yet: show it as 「预计」, never promise it.
    """

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working-day calendar, by division and date.

    `national`: rows of the yearly notices; `local`: rows by division code; `known_years`: the years whose
    notice is in. Limits are counted by the calendar of the authority that handles the case.
    """

    national: Rows
    local: Mapping[str, Rows]
    known_years: Collection[int]

    def is_workday(self, day: date, division: str) -> bool:
        """Whether offices of a division work on a day."""
        for code in _self_and_ancestors(division) if self.local else ():
            off = self.local.get(code, {}).get(day)
            if off is not None:
                return not off
        return not self.national.get(day, day.weekday() >= calendar.SATURDAY)

    def next_workday(self, day: date, *, division: str) -> date:
        """The day itself, or the first working day after it."""
        while not self.is_workday(day, division):
            day += _DAY
        return day

    def due(self, accepted: date, days: int, *, division: str, suspensions: Sequence[Suspension] = ()) -> Due:
        """The end of a limit in working days: the N-th one after the day of acceptance, which never counts.

        No days at all (即办) means the same working day, or the next one for what came on a day off.
        Suspended days do not count. `ValueError` for a negative limit.
        """
        if days < 0:
            raise ValueError("a limit is never negative")
        day = accepted if days else accepted - _DAY
        left = max(days, 1)
        while left:
            day += _DAY
            left -= self._counts(day, division, suspensions)
        return self._due(accepted, day)

    def natural_due(
        self, accepted: date, days: int, *, division: str, suspensions: Sequence[Suspension] = ()
    ) -> Due:
        """The end of a limit in natural days: when the last day is off, the next working day.

        Suspended days do not count, and the limit does not end on one. `ValueError` for a negative limit.
        Source: 民法典 art. 201, 203; docs/domain.md §14.
        """
        if days < 0:
            raise ValueError("a limit is never negative")
        day = accepted
        left = days
        while left:
            day += _DAY
            left -= not _is_suspended(day, suspensions)
        while not self._counts(day, division, suspensions):
            day += _DAY
        return self._due(accepted, day)

    def add_workdays(self, day: date, days: int, *, division: str) -> date:
        """So many working days after a day, or before it where negative; 0 is the day itself."""
        step = _DAY if days > 0 else -_DAY
        left = abs(days)
        while left:
            day += step
            left -= self.is_workday(day, division)
        return day

    def workdays_between(
        self, start: date, end: date, *, division: str, suspensions: Sequence[Suspension] = ()
    ) -> int:
        """Working days after `start` up to and including `end`; negative where `end` comes first."""
        if end < start:
            return -self.workdays_between(end, start, division=division, suspensions=suspensions)
        return sum(
            self._counts(start + timedelta(days=offset), division, suspensions)
            for offset in range(1, (end - start).days + 1)
        )

    def remaining(
        self, today: date, due: date, *, division: str, suspensions: Sequence[Suspension] = ()
    ) -> int:
        """Working days left of a limit: 0 on the last day, negative by the working days it is overdue.

        Whether a limit has passed is a question of `deadline_instant`, not of this number: on the Saturday
        after a Friday's deadline no working day has gone by yet.
        """
        return self.workdays_between(today, due, division=division, suspensions=suspensions)

    def _counts(self, day: date, division: str, suspensions: Sequence[Suspension]) -> bool:
        return not _is_suspended(day, suspensions) and self.is_workday(day, division)

    def _due(self, start: date, day: date) -> Due:
        years = range(start.year, day.year + 1)
        return Due(day, provisional=any(year not in self.known_years for year in years))


def add_months(day: date, months: int) -> date:
    """A limit in months: the same day of the month, or the month's last where there is no such day.

    Source: 民法典 art. 202; docs/domain.md §14, §8.2 vector 10.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def deadline_instant(day: date) -> datetime:
    """The last second of a day in Hainan, 23:59:59, as an aware UTC instant."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=SHANGHAI).astimezone(UTC)


def national_rows(from_year: int, to_year: int) -> dict[date, bool]:
    """The rows of the State Council's notices, for seeding the calendar; both years included.

    `ValueError` for a year that the package does not hold: its notice is to be entered by an operator.
    Source: package chinesecalendar, checked against docs/domain_holidays.json.
    """
    off = dict.fromkeys(constants.holidays, True) | dict.fromkeys(constants.workdays, False)
    missing = set(range(from_year, to_year + 1)) - published_years(off)
    if missing:
        raise ValueError(f"no notice for {sorted(missing)}")
    return {day: is_off for day, is_off in sorted(off.items()) if from_year <= day.year <= to_year}


def published_years(rows: Iterable[date]) -> frozenset[int]:
    """The years whose notice is among the rows: each notice names its 1 January.

    A stray late December row belongs to the next year's notice and does not make a year known.
    """
    return frozenset(day.year for day in rows if (day.month, day.day) == (1, 1))


def _is_suspended(day: date, suspensions: Sequence[Suspension]) -> bool:
    return any(first <= day <= last for first, last in suspensions)


def _self_and_ancestors(division: str) -> tuple[str, ...]:
    if divisions.find(division) is None:
        return (division,)
    code = divisions.canonical(division)
    return (code, *(above.code for above in divisions.ancestors(code)))
