"""Which children start primary school in the school year applied for."""

from datetime import date, timedelta
from typing import NamedTuple


class Cohort(NamedTuple):
    """Birth dates of one school year: first and last day that are admitted."""

    first: date
    last: date

    def day(self, number: int) -> date:
        """A birth date counted from the first day; below 0 is too old, from 366 on too young."""
        return self.first + timedelta(days=number)


def cohort(today: date) -> Cohort:
    """`(Y−7)-08-31 < birth ≤ (Y−6)-08-31`, Y being this year until 31 August and next year after.

    Source: docs/domain.md §6.2.
    """
    year = today.year if (today.month, today.day) <= (8, 31) else today.year + 1
    return Cohort(first=date(year - 7, 9, 1), last=date(year - 6, 8, 31))
