"""Cross-province cases and matters as people and clerks see them: the shapes of answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from haiyiban.wire import Output


class CrossMatterRead(Output, omit_defaults=False):
    """A matter of another province that can be applied for here, on that province's terms."""

    division: str
    place: str
    code: str
    version: int
    name: str
    summary: str
    agency: str
    modes: list[int]
    """1 online (全程网办), 2 at a counter (异地代收代办)."""
    joint_step: str | None
    """多地联办: what our place decides in it; null where the other place decides alone."""
    promise_workdays: int
    law_workdays: int | None
    fee_fen: int
    accept_condition: str
    form: dict[str, Any]
    """The JSON Schema to fill in; what `filledIn` names need not be."""
    filled_in: list[str]
    """Pointers that registers or your sign-in fill in."""
    as_of: datetime
    """When the other place last told us."""


class CrossStepRead(Output):
    """One step of the timeline, and which place took it."""

    at: datetime
    state: str
    by_division: str


class CrossCertificateRead(Output, omit_defaults=False):
    """What the other place issued. `code` is its printed code: any terminal that trusts that place's list
    verifies it offline."""

    identifier: str
    type: str
    name: str
    issuer: str
    issuer_code: str
    issued_on: str
    valid_until: str | None
    claims: dict[str, Any]
    code: str | None
    """Null where it is worth nothing any more."""
    status: str
    """valid, suspended, revoked or expired, as the issuer last told us."""
    status_at: str | None
    """When the issuer changed it since its issue."""
    status_reason: str


class CrossAgentRead(Output, omit_defaults=False):
    """Who acts for the applicant (代办人)."""

    name: str
    id_number: str
    """Masked."""
    basis: str
    until: str


class CrossHopRead(Output, omit_defaults=False):
    """The step that is waited for: who owes it, until when, and what is done where it is late."""

    since: datetime
    owed_by: str
    """The division of the place that must act."""
    due_on: date
    """One working day a hop (docs/domain.md §9)."""
    is_late: bool
    alerted_at: datetime | None
    """Since when the delay is shown to the clerks who look into it."""
    attempts: int
    """How often our message of it was sent without a receipt yet."""
    next_attempt_at: datetime | None


class CrossItemRead(Output):
    """One thing to correct, or one reason of a return."""

    pointer: str
    message: str


class CrossCaseSummary(Output, kw_only=True, omit_defaults=False):
    """A case between two places, without anything of the person."""

    id: UUID
    number: str | None
    remote_number: str | None
    side: str
    mode: int
    neighbour: str
    matter: str
    matter_name: str
    state: str
    outcome: str | None
    due_on: date | None
    """The handling place's promise; while a correction is asked for, its last day."""
    updated_at: datetime


class JointRead(Output, omit_defaults=False):
    """多地联办: the receiving place's part of the decision; `agrees` null while it is awaited."""

    step: str
    agrees: bool | None
    at: str | None


class CrossCaseRead(CrossCaseSummary, kw_only=True, omit_defaults=False):
    """The whole case, to whoever it concerns."""

    joint: JointRead | None
    agent: CrossAgentRead | None
    hop: CrossHopRead | None
    """Null where nobody owes a step, or the matter's own time limit runs."""
    form: dict[str, Any] | None
    """What was sent; null to whoever acts for the applicant."""
    place: str
    """The other place, by its name."""
    case_id: UUID | None
    """The ordinary case, to the handling place's desk, which decides it."""
    opinion: str
    items: list[CrossItemRead]
    certificate: CrossCertificateRead | None
    express: str | None
    timeline: list[CrossStepRead]


class AlertRead(Output, omit_defaults=False):
    """A hop that takes longer than its working day."""

    id: UUID
    case_id: UUID
    number: str | None
    remote_number: str | None
    neighbour: str
    matter_name: str
    state: str
    """Where it stands still."""
    side: str
    since: datetime
    raised_at: datetime
    attempts: int
    """How often our message was sent without a receipt; 0 where nothing of ours waits."""
    next_attempt_at: datetime | None
    error: str | None
    """Why our last attempt failed."""
