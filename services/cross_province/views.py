"""Filling in what people and clerks see of cross-province cases and matters."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.certificates import Status, status_on
from haiyiban.context import current
from haiyiban.masking import mask_id_number
from services.cross_province import cases, hops, neighbours
from services.cross_province.models import Alert, CrossCase
from services.cross_province.neighbours import Known, NoSuchNeighbour
from services.cross_province.offers import OfferedMatter
from services.cross_province.wire import (
    AlertRead,
    CrossAgentRead,
    CrossCaseRead,
    CrossCaseSummary,
    CrossCertificateRead,
    CrossHopRead,
    CrossItemRead,
    CrossMatterRead,
    CrossStepRead,
    JointRead,
)


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


async def read(session: AsyncSession, case: CrossCase, *, reader: UUID | None = None) -> CrossCaseRead:
    """A case with its timeline, for a resident, or without one for a clerk."""
    news: dict[str, Any] = case.news or {}
    steps = await cases.steps(session, case)
    acts_for_another = reader is not None and reader != case.person_id
    return CrossCaseRead(
        **_members(case),
        joint=_joint(case.joint),
        agent=_agent(case.agent),
        hop=await _hop(session, case),
        form=None if acts_for_another else case.form,
        place=await _place(session, case),
        case_id=case.case_id,
        opinion=news.get("opinion", ""),
        items=[
            CrossItemRead(pointer=one["pointer"], message=one["message"]) for one in news.get("items", [])
        ],
        certificate=None if acts_for_another else _certificate(case),
        express=case.express,
        timeline=[
            CrossStepRead(at=step.at, state=step.state, by_division=step.by_division) for step in steps
        ],
    )


async def alert_read(session: AsyncSession, alert: Alert, case: CrossCase) -> AlertRead:
    """An alert with the case that stands still."""
    waiting = await hops.unsent(session, case)
    return AlertRead(
        id=alert.id,
        case_id=case.id,
        number=case.number,
        remote_number=case.remote_number,
        neighbour=case.neighbour,
        matter_name=_name(case.matter_name),
        state=alert.state,
        side=case.side,
        since=alert.since,
        raised_at=alert.raised_at,
        attempts=waiting.attempts if waiting else 0,
        next_attempt_at=waiting.due_at if waiting else None,
        error=waiting.last_error if waiting else None,
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


async def _hop(session: AsyncSession, case: CrossCase) -> CrossHopRead | None:
    hop = await hops.of(session, case)
    if hop is None:
        return None
    waiting = await hops.unsent(session, case)
    return CrossHopRead(
        since=hop.since,
        owed_by=hop.owed_by,
        due_on=hop.due_on,
        is_late=hop.is_late,
        alerted_at=hop.alerted_at,
        attempts=waiting.attempts if waiting else 0,
        next_attempt_at=waiting.due_at if waiting else None,
    )


async def _place(session: AsyncSession, case: CrossCase) -> str:
    try:
        known = await neighbours.get(session, case.neighbour)
    except NoSuchNeighbour:
        return case.neighbour
    return known.other.name.words.in_language(current().language)


def _agent(held: dict[str, Any] | None) -> CrossAgentRead | None:
    if held is None:
        return None
    return CrossAgentRead(
        name=held["name"],
        id_number=mask_id_number(held["idNumber"]),
        basis=held["basis"],
        until=held["until"],
    )


def _certificate(case: CrossCase) -> CrossCertificateRead | None:
    held: dict[str, Any] | None = case.certificate
    if held is None:
        return None
    until = date.fromisoformat(held["validUntil"]) if held.get("validUntil") else None
    status = status_on(case.certificate_status or Status.VALID, until, today=clock.today())
    news: dict[str, Any] = case.certificate_news or {}
    return CrossCertificateRead(
        identifier=held["identifier"],
        type=held["type"],
        name=_name({"zh": held["nameZh"], "en": held["nameEn"]}),
        issuer=held["issuer"],
        issuer_code=held["issuerCode"],
        issued_on=held["issuedOn"],
        valid_until=held.get("validUntil"),
        claims=held["claims"],
        code=held["code"] if status is Status.VALID else None,
        status=status,
        status_at=news.get("at"),
        status_reason=news.get("reason", ""),
    )


def _name(words: dict[str, Any]) -> str:
    return str(words["en"] if current().language.startswith("en") else words["zh"])
