"""When a month is due, what speaks against it, and what an account number must be. Pure.

Source: docs/domain.md §7.5; 社会保险法 art. 51; 失业保险条例 art. 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple

from services.unemployment.schedule import month_of

RUN_DAY = 5
"""The day of the month from which it is paid. Source: docs/domain.md §7.5."""
OBJECTION_WORKDAYS = 10
"""Working days to object to a suspension. Source: docs/domain.md §7.5."""

Against = Literal["employed", "insured", "pension", "died", "military_service", "moved_abroad", "imprisoned"]


class Event(NamedTuple):
    """What a register says against a grant, and since when, where it says so."""

    against: Against
    since: date | None


def due_on(month: date) -> date:
    """The day from which a month is paid."""
    return month.replace(day=RUN_DAY)


def spoken_for(month: date, *, starts_on: date) -> list[date]:
    """The months for which it is said in `month` that somebody is out of work: it, and those of the grant
    before it. Who forgets a month is paid late and not never: the registers are asked all the same.
    """
    first = starts_on.replace(day=1)
    before = (month.year - first.year) * 12 + month.month - first.month
    return [month_of(first, number) for number in range(before)] + [month]


Said = Mapping[str, Event | Literal["clear", "unknown"]]
"""What each register says of a grant: an event against it, nothing, or no answer."""


def recheck(said: Said, *, set_aside: Event | None) -> Event | Literal["clear", "unknown"]:
    """What the registers say together: an event where one of them knows any, `unknown` where one is silent.

    A silent one leaves the month unpaid and the grant as it is: neither paid blindly nor stopped for a
    register's bad day. What a clerk has found wrong is set aside, that event and no other: a register is slow
    to mend its records, and must not suspend the same grant each hour until it has.
    """
    for one in said.values():
        if isinstance(one, Event) and one != set_aside:
            return one
    return "unknown" if "unknown" in said.values() else "clear"


def is_account_number(number: str) -> bool:
    """A bank card's number: 16 to 19 digits of which the last checks the others (ISO/IEC 7812-1, Luhn)."""
    if not (16 <= len(number) <= 19 and number.isascii() and number.isdecimal()):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
