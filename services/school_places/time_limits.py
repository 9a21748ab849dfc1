"""Until when what may be done after the results, in working days of the division that handles it.

The day of the publication or of the offer does not count; the last day counts whole. A day beyond the
published calendars is shown as provisional (预计). Source: docs/domain.md §6.2 (appeal window ≥ 3 working
days after publication), §14.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from haiyiban.clock import local_date
from haiyiban.workdays import Calendar, deadline_instant

UNDO = timedelta(minutes=10)
"""How long a refused place can be taken back. Long enough to notice a slip or to ask at home; short enough
that the next child need not wait for it. Until then the seat is offered to nobody."""


class Limit(NamedTuple):
    """The last instant of a time limit."""

    at: datetime
    provisional: bool

    def is_over(self, now: datetime) -> bool:
        """Whether it has passed; the last second still counts."""
        return now > self.at

    @property
    def words(self) -> str:
        """The day, as a notice says it."""
        return local_date(self.at).isoformat() + ("（预计）" if self.provisional else "")


def limit(begun: datetime, workdays: int, *, calendar: Calendar, division: str) -> Limit:
    """The end of so many working days after an instant."""
    due = calendar.due(local_date(begun), workdays, division=division)
    return Limit(deadline_instant(due.day), due.provisional)
