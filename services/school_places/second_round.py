"""A second round (补录): the seats that are left, for children without one.

It is an enrolment of its own, with its own window, commitment, roll and draw, so that everything that makes
the first checkable holds for it as well. What it may give away is what nobody of the first round waits for.
Source: docs/domain.md §6.1 (2025: spare places by 征集志愿 and random), §11 (one run, committed before it).
"""

from collections.abc import Mapping
from datetime import datetime

from haiyiban.errors import FieldError, Words
from services.school_places.waiting_list import Seats


def check_times(
    *, opens_at: datetime, closes_at: datetime, draw_after: datetime, now: datetime
) -> list[FieldError]:
    """A window that lies ahead, and a draw by an event that happens only after it."""
    errors = []
    if opens_at < now:
        errors.append(FieldError("/opensAt", Words("开始时间不能早于现在", "It cannot open in the past")))
    if closes_at <= opens_at:
        errors.append(
            FieldError("/closesAt", Words("截止时间须晚于开始时间", "It must close after it opens"))
        )
    if draw_after < closes_at:
        words = Words(
            "公共随机数须在截止之后产生，否则名单可以迎合它",
            "The beacon must happen after the close, or the roll could be made to suit it",
        )
        errors.append(FieldError("/drawAfter", words))
    return errors


def seats_left(seats: Mapping[str, Seats]) -> dict[str, int]:
    """School → seats that the second round may give away; schools with none are not part of it."""
    return {school: counted.free for school, counted in seats.items() if counted.free}
