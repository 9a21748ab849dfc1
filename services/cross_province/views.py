"""Cross-province cases and matters as people and clerks see them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.context import current
from haiyiban.wire import Output
from services.cross_province import cases
from services.cross_province.models import Alert, CrossCase
from services.cross_province.neighbours import Known
from services.cross_province.offers import OfferedMatter


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
    code: str


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
    since: datetime
    raised_at: datetime


def matter_read(known: Known, matter: OfferedMatter) -> CrossMatterRead:
    """A neighbour's matter in the reader's language."""
    language = current().language
    joint = known.agreement.joint_of(matter.code)
    assert known.row.offered_at is not None, "it is part of an offer"
    return CrossMatterRead(
        division=known.other.division,
        place=known.other.name.words.in_language(language),
        code=matter.code,
        version=matter.version,
        name=matter.name.words.in_language(language),
        summary=matter.summary.words.in_language(language),
        agency=matter.agency,
        modes=list(matter.modes),
        joint_step=joint.step.words.in_language(language) if joint else None,
        promise_workdays=matter.promise_days,
        law_workdays=matter.law_days,
        fee_fen=matter.fee_fen,
        accept_condition=matter.accept_condition,
        form=matter.form,
        filled_in=[rule.pointer for rule in matter.prefill],
        as_of=known.row.offered_at,
    )


def summary(case: CrossCase) -> CrossCaseSummary:
    """A case in a list."""
    return CrossCaseSummary(**_members(case))


async def read(session: AsyncSession, case: CrossCase) -> CrossCaseRead:
    """A case with its timeline."""
    news: dict[str, Any] = case.news or {}
    steps = await cases.steps(session, case)
    return CrossCaseRead(
        **_members(case),
        joint=_joint(case.joint),
        opinion=news.get("opinion", ""),
        items=[
            CrossItemRead(pointer=one["pointer"], message=one["message"]) for one in news.get("items", [])
        ],
        certificate=_certificate(case.certificate),
        express=case.express,
        timeline=[
            CrossStepRead(at=step.at, state=step.state, by_division=step.by_division) for step in steps
        ],
    )


def alert_read(alert: Alert, case: CrossCase) -> AlertRead:
    """An alert with the case that stands still."""
    return AlertRead(
        id=alert.id,
        case_id=case.id,
        number=case.number,
        remote_number=case.remote_number,
        neighbour=case.neighbour,
        matter_name=_name(case.matter_name),
        state=alert.state,
        since=alert.since,
        raised_at=alert.raised_at,
    )


def _members(case: CrossCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number,
        "remote_number": case.remote_number,
        "side": case.side,
        "mode": case.mode,
        "neighbour": case.neighbour,
        "matter": case.matter,
        "matter_name": _name(case.matter_name),
        "state": case.state,
        "outcome": case.outcome,
        "due_on": case.due_on,
        "updated_at": case.updated_at,
    }


def _joint(held: dict[str, Any] | None) -> JointRead | None:
    if held is None:
        return None
    return JointRead(step=_name(held["step"]), agrees=held.get("agrees"), at=held.get("at"))


def _certificate(held: dict[str, Any] | None) -> CrossCertificateRead | None:
    if held is None:
        return None
    return CrossCertificateRead(
        identifier=held["identifier"],
        type=held["type"],
        name=_name({"zh": held["nameZh"], "en": held["nameEn"]}),
        issuer=held["issuer"],
        issuer_code=held["issuerCode"],
        issued_on=held["issuedOn"],
        valid_until=held.get("validUntil"),
        claims=held["claims"],
        code=held["code"],
    )


def _name(words: dict[str, Any]) -> str:
    return str(words["en"] if current().language.startswith("en") else words["zh"])
