"""Opening a case: what the registers already know, and whose queue it will be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions, registers
from haiyiban.cases.handlers import Answers, Applicant, handler_of
from haiyiban.cases.models import Case
from haiyiban.cases.states import By, State
from haiyiban.cases.subjects import NUMBER, Chosen
from haiyiban.cases.timeline import add_event, event_of
from haiyiban.delegations import Actor, Delegation
from haiyiban.forms import get, leaves, merge_patch, overlapping, put
from haiyiban.identity import persons
from haiyiban.ids import new_id
from haiyiban.matters.matter import About, Matter
from haiyiban.matters.prefill import Origin, Prefilled, asks, fill
from haiyiban.registers import Question
from haiyiban.residents import IdType

REAL_NAME = "实名认证"
"""What the applicant's own name and number are said to come from where the population register is silent."""


async def ask_registers(matter: Matter, applicant: Applicant, chosen: Chosen | None) -> Answers:
    """Everything this matter needs to know, asked at once and before any transaction.

    About a child who is not confirmed as the applicant's, nothing is asked.
    """
    handler = handler_of(matter.code)
    wanted = [*asks(matter.prefill), *(handler.registers if handler else ())]
    own = (applicant.id_number, applicant.id_type)
    documents: dict[About, tuple[str, str]] = {"applicant": own}
    if chosen is None:
        documents["subject"] = own
    elif chosen.child is not None and chosen.is_confirmed:
        documents["subject"] = (chosen.child.id_number, IdType.RESIDENT_ID_CARD)
    questions = {
        ask: Question(ask.register, *documents[ask.about])
        for ask in dict.fromkeys(wanted)
        if ask.about in documents
    }
    return await registers.current().ask_many(questions)


def prefill(
    matter: Matter, applicant: Applicant, chosen: Chosen | None, answers: Answers, *, now: datetime
) -> Prefilled:
    """The form as the registers fill it."""
    rules = matter.prefill
    if chosen is not None and chosen.child is None:
        rules = tuple(rule for rule in rules if rule.about == "applicant")
    filled = fill(rules, answers=answers, account={"phone": applicant.phone}, at=now)
    filled = _with_own_identity(matter, applicant, filled, now=now)
    if chosen is not None and chosen.child is not None and not chosen.is_confirmed:
        filled = replace(filled, form=put(filled.form, NUMBER, chosen.child.id_number))
    handler = handler_of(matter.code)
    return handler.prefill(filled, answers) if handler else filled


def _with_own_identity(
    matter: Matter, applicant: Applicant, filled: Prefilled, *, now: datetime
) -> Prefilled:
    """Who applies is known without the population register: nobody types a name and number as their own."""
    own = {"/name": applicant.name, "/idNumber": applicant.id_number}
    for rule in matter.prefill:
        about = "applicant" if matter.subject == "self" else rule.about
        if (
            rule.pointer in filled.unknown
            and rule.register == "population"
            and about == "applicant"
            and rule.path in own
        ):
            filled = replace(
                filled,
                form=put(filled.form, rule.pointer, own[rule.path]),
                origins={**filled.origins, rule.pointer: Origin(REAL_NAME, now)},
                locked=(*filled.locked, rule.pointer),
                unknown=tuple(at for at in filled.unknown if at != rule.pointer),
            )
    return filled


async def open_case(
    session: AsyncSession,
    matter: Matter,
    *,
    applicant: Applicant,
    chosen: Chosen | None,
    filled: Prefilled,
    answers: Answers,
    actor: Actor,
    delegation: Delegation | None = None,
    now: datetime,
) -> Case:
    """Write the draft. `chosen` is None for a matter about the applicant. `actor` opens it, for the applicant
    under the delegation where they are not the same."""
    case = Case(
        id=new_id(),
        matter=matter.code,
        matter_version=matter.version,
        state=State.DRAFT,
        version=1,
        applicant_id=applicant.id,
        delegation_id=delegation.id if delegation else None,
        agency=matter.handled_by.agency,
        findings=[],
        created_at=now,
        updated_at=now,
    )
    await fill_in(session, case, matter, applicant=applicant, chosen=chosen, filled=filled, answers=answers)
    session.add(case)
    await session.flush()
    opened = event_of(case, "opened", by=By.APPLICANT, by_id=actor.id, now=now, before={})
    await add_event(session, opened)
    await audit.record(
        session,
        "cases.open",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        fields=sorted(at for at, _ in leaves(case.form)),
        reason=matter.code,
    )
    return case


async def settle_subject(
    session: AsyncSession,
    case: Case,
    matter: Matter,
    *,
    applicant: Applicant,
    chosen: Chosen,
    filled: Prefilled,
    answers: Answers,
) -> None:
    """A draft learns which child it is about. What the applicant has written stays, unless a register says
    otherwise and the applicant does not dispute it."""
    disputed: dict[str, str] = case.disputes or {}
    locked = tuple(at for at in filled.locked if not overlapping(disputed, [at]))
    written = {name: value for name, value in case.form.items() if name != "child"}
    form: Any = merge_patch(filled.form, written)
    for at in locked:
        says: Any = get(filled.form, at)
        form = put(form, at, says)
    await fill_in(
        session,
        case,
        matter,
        applicant=applicant,
        chosen=chosen,
        filled=replace(filled, form=form, locked=locked),
        answers=answers,
    )


async def fill_in(
    session: AsyncSession,
    case: Case,
    matter: Matter,
    *,
    applicant: Applicant,
    chosen: Chosen | None,
    filled: Prefilled,
    answers: Answers,
) -> None:
    """Write what the registers know, where it comes from, and that it was read."""
    case.subject_id = await _subject(session, applicant, chosen)
    case.choices = None
    if chosen is not None and chosen.child is None:
        # In full, because one of them is sent back.
        case.choices = [{"name": child.name, "idNumber": child.id_number} for child in chosen.choices]
    case.division = handling_division(matter, filled.form)
    case.form = filled.form
    case.prefill = origins(filled)
    case.locked = list(filled.locked)
    case.facts = kept(answers)
    case.has_open_facts = is_open(filled, answers) or (chosen is not None and not chosen.is_confirmed)
    await record_reading(session, case, answers)


async def record_reading(session: AsyncSession, case: Case, answers: Answers) -> None:
    """The audit of what was read about whom."""
    for ask, answer in answers.items():
        if answer.state == "known":
            await audit.record(
                session,
                "registers.read",
                subject=case.subject_id if ask.about == "subject" else case.applicant_id,
                object_kind="case",
                object_id=case.id,
                fields=answer.fields,
                reason=f"{case.matter}: {ask.register}",
            )


async def _subject(session: AsyncSession, applicant: Applicant, chosen: Chosen | None) -> UUID | None:
    if chosen is None:
        return applicant.id
    if chosen.child is None:
        return None
    # A child whose register does not answer is known by the number alone; the name follows.
    child = await persons.find_or_create(session, chosen.child.name, id_number=chosen.child.id_number)
    return child.id


def kept(answers: Answers) -> dict[str, Any]:
    """The answers as a case keeps them, for the checks of its matter."""
    return {
        f"{ask.register}/{ask.about}": {
            "state": answer.state,
            "source": answer.source,
            "at": answer.at.isoformat(),
            "data": answer.data,
        }
        for ask, answer in answers.items()
    }


def is_open(filled: Prefilled, answers: Answers) -> bool:
    """Whether a register that this case needs could not be asked yet (待核实)."""
    return bool(filled.unknown) or any(answer.state == "unknown" for answer in answers.values())


def origins(filled: Prefilled) -> dict[str, Any]:
    """Where each prefilled value comes from; what could not be asked is marked."""
    known = {
        at: {"source": origin.source, "at": origin.at.isoformat(), "state": "known"}
        for at, origin in filled.origins.items()
    }
    return known | {at: {"source": None, "at": None, "state": "unknown"} for at in filled.unknown}


def handling_division(matter: Matter, form: dict[str, Any]) -> str:
    """Where the case is handled: the first pointer of the matter at which the form names a division.

    What people type may name none: such a case would be in nobody's queue.
    """
    for at in matter.handled_by.division_from:
        value = get(form, at)
        if isinstance(value, str) and divisions.find(value) is not None:
            return divisions.canonical(value)
    return matter.handled_by.otherwise or matter.divisions[0]
