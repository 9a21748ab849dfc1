"""Handing in: the form is checked by its schema and by the rules of its matter, all faults at once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import access
from haiyiban.cases.drafting import InvalidForm, schema_of
from haiyiban.cases.handlers import Finding, handler_of
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.numbers import next_number
from haiyiban.cases.states import By, IllegalMove, State, Verb, next_state
from haiyiban.cases.timeline import add_event, remember
from haiyiban.clock import local_date
from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, Words
from haiyiban.matters import catalogue


class AlreadyApplied(Conflict):
    """There is an active application for this person; the first one stands."""

    type = "cases/already-applied"
    title = Words(
        "已有一份有效申请，不能重复提交；如需改报，请先撤回原申请",
        "There is an active application already; withdraw it first to apply anew",
    )


async def submit(session: AsyncSession, case_id: UUID, *, person_id: UUID, now: datetime) -> Case:
    """Hand in the draft or the correction. Raises CaseMissing, IllegalMove, InvalidForm, AlreadyApplied."""
    case = await access.own_for_change(session, case_id, person_id)
    try:
        state = next_state(State(case.state), Verb.SUBMISSION, by=By.APPLICANT)
    except IllegalMove:
        raise IllegalMove(members={"state": case.state, "version": case.version}) from None
    before = remember(case)
    handler = handler_of(case.matter)
    errors = schema_of(case).validate(case.form)
    findings: list[Finding] = []
    if handler is not None:
        findings = list(await handler.check(session, case, now=now))
        errors += [finding.error for finding in findings if finding.level == "refuses"]
    if errors:
        raise InvalidForm(errors=_once_each(errors))
    case.findings = [msgspec.to_builtins(finding) for finding in findings if finding.level != "refuses"]
    if case.number is None:
        item = catalogue().version(case.matter, case.matter_version).item
        case.number = await next_number(session, item.task_code, day=local_date(now))
        case.submitted_at = now
    case.claim = await handler.claim(session, case, now=now) if handler else None
    case.state = state
    case.correction_due_at = None
    case.version += 1
    case.updated_at = now
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_cases_case_active_subject":
            raise AlreadyApplied from error
        raise
    await add_event(session, case, Verb.SUBMISSION, by=By.APPLICANT, by_id=person_id, now=now, before=before)
    await audit.record(
        session, "cases.submission", subject=case.subject_id, object_kind="case", object_id=case.id
    )
    await tell(session, case, Verb.SUBMISSION)
    return case


def _once_each(errors: list[FieldError]) -> list[FieldError]:
    """A field that fails the schema and a rule in the same words is listed once."""
    return list(dict.fromkeys(errors))
