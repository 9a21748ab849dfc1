"""What time it is in the outside world; moved together with the platform's clock."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(NamedTuple):
    """Reads the time, so that a test can stand still."""

    now: Callable[[], datetime]

    def today(self) -> date:
        """The date in Asia/Shanghai, which is what "today" means on a form."""
        return self.now().astimezone(SHANGHAI).date()


def clock_from_environment() -> Clock:
    """The machine's clock moved by HAIYIBAN_CLOCK_OFFSET (seconds). ValueError when that is no number."""
    text = os.environ.get("HAIYIBAN_CLOCK_OFFSET") or "0"
    try:
        offset = timedelta(seconds=float(text))
    except (ValueError, OverflowError) as error:
        raise ValueError("HAIYIBAN_CLOCK_OFFSET must be a number of seconds, such as 86400") from error
    return Clock(now=lambda: datetime.now(UTC) + offset)
