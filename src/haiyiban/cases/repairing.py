"""Open facts (待核实): what a register could not say when a case was opened is asked again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import opening, subjects
from haiyiban.cases.handlers import Answers, Applicant
from haiyiban.cases.models import Case
from haiyiban.cases.states import FINAL, State
from haiyiban.cases.subjects import Chosen
from haiyiban.cases.submission import findings_for_clerk
from haiyiban.db import database
from haiyiban.forms import MISSING, get, put
from haiyiban.identity import persons
from haiyiban.matters import catalogue
from haiyiban.matters.prefill import Prefilled


@dataclass(frozen=True, slots=True)
class _Open:
    """A case with open facts, as it was read before the registers are asked."""

    matter: str
    matter_version: int
    applicant: Applicant
    child: str | None
    """The number of the child it is about, if it is about one."""


async def ask_again(case_id: UUID, *, now: datetime) -> None:
    """Ask about one case. What the applicant has written meanwhile stays."""
    found = await _read(case_id)
    if found is None:
        return
    matter = catalogue().version(found.matter, found.matter_version)
    chosen = None
    if found.child is not None:
        chosen = (await subjects.family_of(found.applicant)).find(found.child)
        if chosen is None:
            await _refute(case_id, now=now)
            return
    answers = await opening.ask_registers(matter, found.applicant, chosen)
    filled = opening.prefill(matter, found.applicant, chosen, answers, now=now)
    async with database().transaction() as session:
        case = await _locked(session, case_id)
        if case is not None:
            await _write(session, case, chosen, filled, answers, now=now)


async def _read(case_id: UUID) -> _Open | None:
    async with database().reading() as session:
        case = await session.get(Case, case_id)
        if case is None or not case.has_open_facts or case.subject_id is None:
            # A draft whose child is not chosen yet is asked about when it is.
            return None
        person = await persons.get(session, case.applicant_id)
        child = None
        if case.subject_id != case.applicant_id:
            child = (await persons.get(session, case.subject_id)).id_number
        applicant = Applicant(person.id, person.name, person.id_number, None, person.id_type)
        return _Open(case.matter, case.matter_version, applicant, child)


async def _write(
    session: AsyncSession,
    case: Case,
    chosen: Chosen | None,
    filled: Prefilled,
    answers: Answers,
    *,
    now: datetime,
) -> None:
    facts: dict[str, Any] = case.facts or {}
    # What a register said before stays where it cannot be asked this time.
    newer = facts | {
        name: fact
        for name, fact in opening.kept(answers).items()
        if fact["state"] != "unknown" or name not in facts
    }
    learned = {name for name, fact in newer.items() if fact["state"] != facts.get(name, {}).get("state")}
    before = (case.form, case.prefill)
    _fill_open_fields(case, filled)
    is_confirmed = chosen is None or chosen.is_confirmed
    still_open = not is_confirmed or any(
        fact["state"] == "unknown" for fact in (*case.prefill.values(), *newer.values())
    )
    if not learned and before == (case.form, case.prefill) and still_open:
        return
    case.facts = newer
    case.has_open_facts = still_open
    if chosen is not None and chosen.child is not None and chosen.child.name and case.subject_id is not None:
        await persons.rename(session, await persons.get(session, case.subject_id), chosen.child.name)
    if case.state in {State.DRAFT, State.SUBMITTED}:
        matter = catalogue().version(case.matter, case.matter_version)
        case.division = opening.handling_division(matter, case.form)
    if case.state != State.DRAFT:
        case.findings = await findings_for_clerk(session, case, now=now)
    case.version += 1
    case.updated_at = now
    await opening.record_reading(session, case, answers)


def _fill_open_fields(case: Case, filled: Prefilled) -> None:
    """Open fields get what the register says, and are locked unless the applicant says otherwise."""
    form: dict[str, Any] = case.form
    prefill = dict(case.prefill)
    locked = list(case.locked)
    now_known = opening.origins(filled)
    for at in [at for at, origin in prefill.items() if origin["state"] == "unknown"]:
        if at not in now_known:
            # The register answered and holds nothing: the field is simply the applicant's to fill in.
            del prefill[at]
            continue
        origin = now_known[at]
        if origin["state"] != "known":
            continue
        says: Any = get(filled.form, at)
        written = get(form, at)
        if written is MISSING:
            form = put(form, at, says)
        agrees = written is MISSING or written == says
        prefill[at] = origin if agrees else origin | {"state": "differs"}
        if agrees and at in filled.locked:
            locked.append(at)
    case.form, case.prefill, case.locked = form, prefill, locked


async def _refute(case_id: UUID, *, now: datetime) -> None:
    async with database().transaction() as session:
        case = await _locked(session, case_id)
        if case is not None:
            subjects.refute(case)
            case.has_open_facts = False
            case.version += 1
            case.updated_at = now
            await audit.record(
                session,
                "cases.refute",
                subject=case.subject_id,
                object_kind="case",
                object_id=case.id,
                reason=case.matter,
            )


async def _locked(session: AsyncSession, case_id: UUID) -> Case | None:
    case = await session.get(Case, case_id, with_for_update=True)
    if case is None or not case.has_open_facts or case.state in FINAL:
        return None
    return case
