"""Opening a case: who it is about, what the registers already know, whose queue it will be in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers, residents
from haiyiban.cases.handlers import Answers, Applicant, Child, handler_of
from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.cases.timeline import add_event
from haiyiban.errors import FieldError, NotAllowed, Problem, Words
from haiyiban.forms import MISSING, get, merge_patch, put
from haiyiban.identity import persons
from haiyiban.ids import new_id
from haiyiban.matters.matter import About, Matter
from haiyiban.matters.prefill import Prefilled, asks, fill
from haiyiban.registers import Question, RegisterAnswer


class NotYourChild(NotAllowed):
    """The registers do not know this child as the applicant's."""

    type = "cases/not-your-child"
    title = Words("登记信息中没有找到您与这名儿童的监护关系", "The registers do not show this child as yours")


class NobodyPossible(Problem):
    """None of the applicant's children can have this case."""

    type = "cases/nobody-possible"
    title = Words("没有符合本事项条件的子女", "None of your children qualifies for this matter")


class SubjectNeeded(Problem):
    """The register of births does not answer, so the applicant must say whom the case is about."""

    type = "cases/subject-needed"
    title = Words(
        "暂时查不到您的子女信息，请填写儿童身份证号后继续",
        "The register cannot be asked now; please give the child's number to go on",
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom a case is about."""

    child: Child | None
    """None where the applicant must choose among `choices`."""
    choices: Sequence[Child] = ()
    is_confirmed: bool = True
    """False where no register could say whose child it is: nothing about the child is shown then."""


async def choose_subject(matter: Matter, applicant: Applicant, wanted: str | None, *, today: date) -> Chosen:
    """The child this case is about. Raises NotYourChild, NobodyPossible, SubjectNeeded, or says what is
    wrong with the number."""
    number = None if wanted is None else parse_number(wanted, "/subject/idNumber", today=today)
    client = registers.current()
    birth, household = await asyncio.gather(
        client.ask("birth", applicant.id_number), client.ask("household", applicant.id_number)
    )
    children = _children(birth, household)
    handler = handler_of(matter.code)
    possible = handler.possible(children, today=today) if handler else children
    if number is not None:
        return _wanted(number, children, possible, unsure="unknown" in (birth.state, household.state))
    if birth.state == "unknown" and not possible:
        raise SubjectNeeded
    if not possible:
        raise NobodyPossible
    return Chosen(possible[0]) if len(possible) == 1 else Chosen(None, possible)


def _wanted(number: str, children: Sequence[Child], possible: Sequence[Child], *, unsure: bool) -> Chosen:
    for child in children:
        if child.id_number == number:
            if child not in possible:
                raise NobodyPossible(
                    errors=[
                        FieldError(
                            "/subject/idNumber",
                            Words(
                                "这名儿童不符合本事项的条件", "This child does not qualify for this matter"
                            ),
                        )
                    ]
                )
            return Chosen(child)
    if unsure:
        return Chosen(Child("", number), is_confirmed=False)
    raise NotYourChild


def parse_number(raw: str, pointer: str, *, today: date) -> str:
    """An identity number in its standard form. Raises Problem naming the field."""
    try:
        return residents.parse_identity_number(raw, today=today).number
    except residents.InvalidIdNumber as error:
        raise InvalidNumber(errors=[FieldError(pointer, error.words)]) from None


class InvalidNumber(Problem):
    """The identity number cannot exist."""

    type = "cases/invalid-id-number"
    title = Words("证件号码不正确", "This is not a valid identity number")


def _children(birth: RegisterAnswer, household: RegisterAnswer) -> list[Child]:
    found: dict[str, Child] = {}
    for row in birth.data.get("children", ()):
        found[row["idNumber"]] = Child(row["name"], row["idNumber"])
    for row in household.data.get("members", ()):
        # A grandparent applies as guardian for the grandchild in the same booklet.
        if row["relation"] in {"child", "grandchild"}:
            found.setdefault(row["idNumber"], Child(row["name"], row["idNumber"]))
    return list(found.values())


async def ask_registers(matter: Matter, applicant: Applicant, chosen: Chosen | None) -> Answers:
    """Everything this matter needs to know, asked at once and before any transaction.

    About a child who is not confirmed as the applicant's, nothing is asked.
    """
    handler = handler_of(matter.code)
    wanted = [*asks(matter.prefill), *(handler.registers if handler else ())]
    numbers: dict[About, str] = {"applicant": applicant.id_number}
    if chosen is None:
        numbers["subject"] = applicant.id_number
    elif chosen.child is not None and chosen.is_confirmed:
        numbers["subject"] = chosen.child.id_number
    questions = {
        ask: Question(ask.register, numbers[ask.about])
        for ask in dict.fromkeys(wanted)
        if ask.about in numbers
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
    handler = handler_of(matter.code)
    if handler is not None:
        filled = handler.prefill(filled, answers)
    if chosen is not None and chosen.child is not None and not chosen.is_confirmed:
        form = put(filled.form, "/child/idNumber", chosen.child.id_number)
        filled = replace(filled, form=form)
    return filled


async def open_case(
    session: AsyncSession,
    matter: Matter,
    *,
    applicant: Applicant,
    chosen: Chosen | None,
    filled: Prefilled,
    answers: Answers,
    now: datetime,
) -> Case:
    """Write the draft. `chosen` is None for a matter about the applicant."""
    case = Case(
        id=new_id(),
        matter=matter.code,
        matter_version=matter.version,
        state=State.DRAFT,
        version=1,
        applicant_id=applicant.id,
        agency=matter.handled_by.agency,
        created_at=now,
        updated_at=now,
    )
    await _fill(session, case, matter, applicant=applicant, chosen=chosen, filled=filled, answers=answers)
    session.add(case)
    await session.flush()
    await add_event(session, case, "opened", by="applicant", by_id=applicant.id, now=now, before={})
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
    """A draft whose applicant had several children to choose from learns which one it is about."""
    form = merge_patch(case.form, filled.form)
    await _fill(
        session,
        case,
        matter,
        applicant=applicant,
        chosen=chosen,
        filled=replace(filled, form=form),  # type: ignore[arg-type]
        answers=answers,
    )


async def _fill(
    session: AsyncSession,
    case: Case,
    matter: Matter,
    *,
    applicant: Applicant,
    chosen: Chosen | None,
    filled: Prefilled,
    answers: Answers,
) -> None:
    if chosen is None:
        case.subject_id = applicant.id
    elif chosen.child is not None:
        # A child whose register does not answer is known by the number alone; the name follows.
        child = await persons.find_or_create(session, chosen.child.name, id_number=chosen.child.id_number)
        case.subject_id = child.id
    case.division = handling_division(matter, filled.form)
    case.form = filled.form
    case.prefill = origins(filled)
    case.locked = list(filled.locked)
    case.has_open_facts = bool(filled.unknown)
    for (register, about), answer in answers.items():
        if answer.state == "known":
            await audit.record(
                session,
                "registers.read",
                subject=case.subject_id if about == "subject" else applicant.id,
                object_kind="case",
                object_id=case.id,
                fields=answer.fields,
                reason=f"{matter.code}: {register}",
            )


def origins(filled: Prefilled) -> dict[str, Any]:
    """Where each prefilled value comes from; what could not be asked is marked."""
    known = {
        at: {"source": origin.source, "at": origin.at.isoformat(), "state": "known"}
        for at, origin in filled.origins.items()
    }
    return known | {at: {"source": None, "at": None, "state": "unknown"} for at in filled.unknown}


def handling_division(matter: Matter, form: dict[str, Any]) -> str:
    """Where the case is handled: the first pointer of the matter that the form fills."""
    for at in matter.handled_by.division_from:
        value = get(form, at)
        if value is not MISSING and isinstance(value, str) and value:
            return value
    return matter.handled_by.otherwise or matter.divisions[0]


def choices(children: Sequence[Child]) -> list[dict[str, str]]:
    """The applicant's children to choose among; in full, because one of them is sent back."""
    return [{"name": child.name, "idNumber": child.id_number} for child in children]
