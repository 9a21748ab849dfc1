"""The life of a case as one table: from which state, by which verb, by whom, to which state.

Source: docs/domain.md §3.7. What is not in the table is refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from haiyiban.errors import Conflict, Words


class State(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CORRECTION_REQUESTED = "correction_requested"
    ACCEPTED = "accepted"
    SUSPENDED = "suspended"
    APPROVED = "approved"
    DENIED = "denied"
    REFUSED = "refused"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Verb(StrEnum):
    """What can be done to a case; the words of the addresses."""

    SUBMISSION = "submission"
    ACCEPT = "accept"
    REFUSE = "refuse"
    REQUEST_CORRECTION = "request-correction"
    LAPSE = "lapse"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    TRANSFER = "transfer"
    TERMINATE = "terminate"
    APPROVE = "approve"
    DENY = "deny"
    CLOSE = "close"
    WITHDRAWAL = "withdrawal"
    UNDO = "undo"


class By(StrEnum):
    """Who acts."""

    APPLICANT = "applicant"
    CLERK = "clerk"
    SYSTEM = "system"
    PUBLICATION = "publication"
    """The publication of a run, for matters that a draw decides."""


class Clock(StrEnum):
    """Whether the working days of a case run."""

    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"


class Row(NamedTuple):
    """Who may carry out a verb, and where it leads."""

    by: frozenset[By]
    to: State


_APPLICANT = frozenset({By.APPLICANT})
_CLERK = frozenset({By.CLERK})
_SYSTEM = frozenset({By.SYSTEM})
_CLERK_OR_SYSTEM = _CLERK | _SYSTEM
_DECIDER = _CLERK | {By.PUBLICATION}
_BEFORE_DECISION = (
    State.DRAFT,
    State.SUBMITTED,
    State.CORRECTION_REQUESTED,
    State.ACCEPTED,
    State.SUSPENDED,
)

TABLE: dict[tuple[State, Verb], Row] = {
    (State.DRAFT, Verb.SUBMISSION): Row(_APPLICANT, State.SUBMITTED),
    (State.CORRECTION_REQUESTED, Verb.SUBMISSION): Row(_APPLICANT, State.SUBMITTED),
    (State.SUBMITTED, Verb.ACCEPT): Row(_CLERK_OR_SYSTEM, State.ACCEPTED),
    (State.SUBMITTED, Verb.REFUSE): Row(_CLERK, State.REFUSED),
    (State.SUBMITTED, Verb.REQUEST_CORRECTION): Row(_CLERK, State.CORRECTION_REQUESTED),
    (State.CORRECTION_REQUESTED, Verb.LAPSE): Row(_SYSTEM, State.CLOSED),
    (State.ACCEPTED, Verb.SUSPEND): Row(_CLERK, State.SUSPENDED),
    (State.ACCEPTED, Verb.EXTEND): Row(_CLERK, State.ACCEPTED),
    (State.ACCEPTED, Verb.TRANSFER): Row(_CLERK, State.SUBMITTED),
    (State.ACCEPTED, Verb.TERMINATE): Row(_CLERK, State.CLOSED),
    (State.SUSPENDED, Verb.RESUME): Row(_CLERK_OR_SYSTEM, State.ACCEPTED),
    (State.ACCEPTED, Verb.APPROVE): Row(_DECIDER | _SYSTEM, State.APPROVED),
    (State.ACCEPTED, Verb.DENY): Row(_DECIDER, State.DENIED),
    (State.APPROVED, Verb.CLOSE): Row(_CLERK_OR_SYSTEM, State.CLOSED),
    (State.DENIED, Verb.CLOSE): Row(_CLERK_OR_SYSTEM, State.CLOSED),
    **{(state, Verb.WITHDRAWAL): Row(_APPLICANT, State.WITHDRAWN) for state in _BEFORE_DECISION},
}
"""Undo is not a row: it goes back to where the last verb began (undo.py). The system accepts and approves
only what the law deems accepted and approved (renewals.py)."""

FINAL = frozenset({State.REFUSED, State.CLOSED, State.WITHDRAWN})
DECIDED = frozenset({State.APPROVED, State.DENIED})


class IllegalMove(Conflict):
    """The case is not in a state that allows the verb; the members say where it stands."""

    type = "cases/illegal-transition"
    title = Words("办件当前状态不能这样操作", "The case does not allow this in its present state")


def next_state(state: State, verb: Verb, *, by: By) -> State | None:
    """Where the verb leads; None for what the table does not hold."""
    row = TABLE.get((state, verb))
    return row.to if row is not None and by in row.by else None


def verbs_in(state: State, *, by: By) -> list[Verb]:
    """What somebody may do to a case in this state, for a screen's buttons."""
    return [verb for (start, verb), row in TABLE.items() if start is state and by in row.by]


def clock_in(state: State) -> Clock:
    """Whether the days run: only between acceptance and decision, and not while suspended."""
    if state is State.ACCEPTED:
        return Clock.RUNNING
    if state in FINAL or state in DECIDED:
        return Clock.ENDED
    return Clock.STOPPED
