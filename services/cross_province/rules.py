"""The states of a case between two places, and what each message does to them. Pure.

Source: docs/domain.md §9 ("States"); 国办发〔2020〕35号.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from haiyiban.clock import local_date
from haiyiban.workdays import Calendar

HOP_WORKDAYS = 1
"""Each hop is to be over within so many working days. Source: docs/domain.md §9."""


class State(StrEnum):
    """Where a case between two places stands, as the receiving place shows it."""

    TAKEN_IN = "taken_in"
    """已收件(A)"""
    FORWARDED = "forwarded"
    """已转递: the other deployment has signed for it."""
    REACHED = "reached"
    """对方已接收(B): a case is open there."""
    ACCEPTED = "accepted"
    """受理: the handling place's clock runs."""
    CORRECTION_REQUESTED = "correction_requested"
    """补正"""
    REFUSED = "refused"
    """不予受理"""
    RETURNED = "returned"
    """退回: the other place could not open it; to be mended and sent anew."""
    IN_PROGRESS = "in_progress"
    """办理中"""
    RESULT_RETURNED = "result_returned"
    """办结、结果回传"""
    DELIVERED = "delivered"
    """送达(A)"""


FINAL = frozenset({State.DELIVERED, State.REFUSED, State.RETURNED})
HOPS = frozenset({State.TAKEN_IN, State.FORWARDED, State.REACHED, State.RESULT_RETURNED})
"""States in which a place owes the next hop. Once accepted, the matter's own time limit runs instead."""

_ORDER = (
    State.TAKEN_IN,
    State.FORWARDED,
    State.REACHED,
    State.ACCEPTED,
    State.IN_PROGRESS,
    State.RESULT_RETURNED,
    State.DELIVERED,
)


def is_past(state: str, other: State) -> bool:
    """Whether a case is already beyond a step: what arrives late must not take it back."""
    return state in _ORDER and other in _ORDER and _ORDER.index(State(state)) > _ORDER.index(other)


def receiving_owes(state: str, *, joint_awaited: bool) -> bool:
    """Whether the next hop is the receiving place's; else it is the handling place's."""
    return joint_awaited or state in {State.TAKEN_IN, State.RESULT_RETURNED}


def due_on(since: datetime, *, calendar: Calendar, division: str) -> date:
    """The last day of a hop."""
    return calendar.due(local_date(since), HOP_WORKDAYS, division=division).day


def is_late(since: datetime, today: date, *, calendar: Calendar, division: str) -> bool:
    """Whether a hop takes longer than its working day."""
    return due_on(since, calendar=calendar, division=division) < today
