"""The one place that reads the clock.

Rules take `now` or `today` as arguments; controllers and tasks ask here. In the demo and in tests
`HAIYIBAN_CLOCK_OFFSET` (seconds) moves the clock of every process.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_offset = timedelta()


def shift(seconds: float) -> None:
    """Move this process's clock; settings allow it in the demo and in tests only."""
    global _offset
    _offset = timedelta(seconds=seconds)


def now() -> datetime:
    """This instant, aware, UTC."""
    return datetime.now(UTC) + _offset


def wall() -> datetime:
    """The real time, which no offset moves: the clock of devices outside, such as a clerk's phone."""
    return datetime.now(UTC)


def today() -> date:
    """The date in Hainan (Asia/Shanghai)."""
    return local_date(now())


def local_date(instant: datetime) -> date:
    """The date in Hainan at an instant."""
    return instant.astimezone(SHANGHAI).date()
