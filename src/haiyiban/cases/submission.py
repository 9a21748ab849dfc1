"""Handing in: the form is checked by its schema and by the rules of its matter, all faults at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import access, commitments, given_certificates, materials, moves, renewals
from haiyiban.cases.access import Seen
from haiyiban.cases.drafting import InvalidForm, schema_of
from haiyiban.cases.handlers import Finding, handler_of
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.numbers import next_number
from haiyiban.cases.states import By, Verb
from haiyiban.cases.subjects import NUMBER, NotYourChild, is_refuted
from haiyiban.clock import local_date
from haiyiban.db import violated
from haiyiban.delegations import Actor
from haiyiban.errors import Conflict, Words
from haiyiban.forms import MISSING, get
from haiyiban.matters import catalogue

_WHO: Final = {"/child/name", NUMBER}


class AlreadyApplied(Conflict):
    """There is an active application for this person; the first one stands."""

    type = "cases/already-applied"
    title = Words(
        "已有一份有效申请，不能重复提交；如需改报，请先撤回原申请",
        "There is an active application already; withdraw it first to apply anew",
    )


class CorrectionTooLate(Conflict):
    """The days to answer a correction notice are over."""

    type = "cases/correction-too-late"
    title = Words(
        "补正期限已过，本件将自动办结，请重新申请",
        "The time to correct this is over and the case will be closed; please apply anew",
    )


async def submit(
    session: AsyncSession,
    case_id: UUID,
    *,
    actor: Actor,
    seen: Seen,
    commitment: str | None = None,
    now: datetime,
) -> Case:
    """Hand in the draft or the correction.

    Raises CaseMissing, Stale, VersionConflict, IllegalMove, CorrectionTooLate, NotYourChild, InvalidForm,
    AlreadyApplied, CommitmentNeeded, TextOutdated.
    """
    case = await access.own_for_change(session, case_id, actor, today=local_date(now), seen=seen)
    begun = moves.begin(case, Verb.SUBMISSION, by=By.APPLICANT)
    if case.correction_due_at is not None and now > case.correction_due_at:
        raise CorrectionTooLate(members=moves.standing(case))
    if is_refuted(case):
        raise NotYourChild
    case.findings = await _check(session, case, now=now)
    commitments.accept(case, commitment, by=actor.id, now=now)
    case.deemed_after = renewals.last_day_to_decide(case)
    await _take_place(session, case, now=now)
    if case.number is None:
        item = catalogue().version(case.matter, case.matter_version).item
        case.number = await next_number(session, item.task_code, day=local_date(now))
        case.submitted_at = now
    case.correction_due_at = None
    await moves.finish(session, case, begun, by_id=actor.id, now=now)
    await tell(session, case, Verb.SUBMISSION)
    return case


async def findings_for_clerk(session: AsyncSession, case: Case, *, now: datetime) -> list[Any]:
    """What the matter's check finds now in a case that is handed in, after a register has answered."""
    return _for_clerk(await _found(session, case, now=now))


async def _found(session: AsyncSession, case: Case, *, now: datetime) -> list[Finding]:
    handler = handler_of(case.matter)
    return [
        *renewals.check(case, today=local_date(now)),
        *await materials.findings(session, case),
        *await given_certificates.findings(session, case, today=local_date(now)),
        *(await handler.check(session, case, now=now) if handler else ()),
    ]


async def _check(session: AsyncSession, case: Case, *, now: datetime) -> list[Any]:
    errors = [error for error in schema_of(case).validate(case.form) if not _is_awaited(case, error.pointer)]
    findings = await _found(session, case, now=now)
    errors += [finding.error for finding in findings if finding.level == "refuses"]
    if errors:
        # A field that fails the schema and a rule in the same words is listed once.
        raise InvalidForm(errors=list(dict.fromkeys(errors)))
    return _for_clerk(findings)


def _is_awaited(case: Case, at: str) -> bool:
    """An empty field whose register did not answer (待核实): it is asked again, so nobody waits to hand in.

    The child's name is written in any event: a certificate without one helps nobody.
    """
    is_open = case.prefill.get(at, {}).get("state") == "unknown" and at not in _WHO
    return is_open and get(case.form, at) is MISSING


async def _take_place(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """What the subject may hold only once is now held by this case."""
    handler = handler_of(case.matter)
    case.claim = await handler.claim(session, case, now=now) if handler else None
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_cases_case_active_subject":
            raise AlreadyApplied from error
        raise


def _for_clerk(findings: Sequence[Finding]) -> list[Any]:
    return [finding.document() for finding in findings if finding.level != "refuses"]
