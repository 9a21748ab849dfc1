"""What school places add to the case engine: whom it can be about, what is prefilled, what is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import residents
from haiyiban.cases.handlers import Answers, Child, Finding
from haiyiban.cases.models import Case
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.errors import Words
from haiyiban.forms import MISSING, Json, get, put
from haiyiban.matters.prefill import Ask, Origin, Prefilled
from haiyiban.registers import RegisterAnswer
from services.school_places.rules import check_age, cohort, no_delay_on_record, same_birth, school_year
from services.school_places.service import applying, results
from services.school_places.verified import best_home, homes_in, relation_of


class SchoolPlaceHandler:
    """The code of the matter education.school-place."""

    registers: Sequence[Ask] = (
        Ask("birth", "subject"),
        Ask("birth", "applicant"),
        Ask("household", "subject"),
        Ask("property", "applicant"),
        Ask("special_group", "subject"),
        Ask("residence_permit", "applicant"),
        Ask("social_insurance", "applicant"),
    )

    def possible(self, children: Sequence[Child], *, today: date) -> Sequence[Child]:
        """Children of the cohort that enrols now."""
        ages = cohort(school_year(today))
        return [
            child
            for child in children
            if ages.born_after
            < residents.parse_identity_number(child.id_number, today=today).birth
            <= ages.born_until
        ]

    def why_not(self, child: Child, *, today: date) -> Words:
        """Too young, or too old without an approved delay, with the dates."""
        birth = residents.parse_identity_number(child.id_number, today=today).birth
        at = datetime.combine(today, time(), SHANGHAI)
        errors = check_age(birth, school_year(today), delay_approved=no_delay_on_record(at))
        return errors[0].message

    def prefill(self, filled: Prefilled, answers: Answers) -> Prefilled:
        """The best of several homes, who the guardian is to the child, a twin, and public schools first."""
        filled = _choose_home(filled, answers)
        filled = _say_relation(filled, answers)
        filled = _name_twin(filled, answers)
        if get(filled.form, "/category") is MISSING:
            filled = replace(filled, form=put(filled.form, "/category", "public"))
        return filled

    async def check(self, session: AsyncSession, case: Case, *, now: datetime) -> Sequence[Finding]:
        """Everything that keeps the family from applying, and for the clerk the class at each school."""
        return await applying.check(session, case, now=now)

    async def claim(self, session: AsyncSession, case: Case, *, now: datetime) -> str | None:
        """The enrolment: a child has one application in it. The enrolment takes note of the case."""
        return await applying.enter(session, case, now=now)

    async def decided(self, session: AsyncSession, case: Case, *, now: datetime) -> None:
        """The admission notice of a child that was placed."""
        await results.issue_notice(session, case, now=now)

    async def undone(self, session: AsyncSession, case: Case, *, now: datetime) -> None:
        """Nothing: a publication decides, and no clerk can take it back."""


def _known(answers: Answers, ask: Ask) -> Mapping[str, Any]:
    answer = answers.get(ask)
    return answer.data if answer is not None else {}


def _fill(filled: Prefilled, pointer: str, value: Json, said_by: RegisterAnswer) -> Prefilled:
    """Put a register's value into the form, locked and with its source."""
    return replace(
        filled,
        form=put(filled.form, pointer, value),
        origins=filled.origins | {pointer: Origin(said_by.source, said_by.at)},
        locked=tuple(dict.fromkeys((*filled.locked, pointer))),
    )


def _choose_home(filled: Prefilled, answers: Answers) -> Prefilled:
    answer = answers.get(Ask("property", "applicant"))
    if answer is None or answer.state != "known":
        return filled
    rows = answer.data.get("homes", [])
    hukou = get(filled.form, "/hukou/division")
    best = best_home(list(homes_in(rows)), hukou_division=hukou if isinstance(hukou, str) else None)
    chosen = next((row for row in rows if best is not None and row["id"] == best.id), None)
    if chosen is None:
        return filled
    return _fill(
        filled, "/home", {name: value for name, value in chosen.items() if value is not None}, answer
    )


def _say_relation(filled: Prefilled, answers: Answers) -> Prefilled:
    birth, household = answers.get(Ask("birth", "subject")), answers.get(Ask("household", "subject"))
    guardian = get(filled.form, "/guardian/idNumber")
    if birth is None or household is None or not isinstance(guardian, str):
        return filled
    relation = relation_of({"birth": birth.data, "household": household.data}, guardian)
    if relation is not None:
        said_by = (
            birth if any(row["idNumber"] == guardian for row in birth.data.get("parents", ())) else household
        )
        return _fill(filled, "/guardian/relation", relation, said_by)
    if "unknown" in (birth.state, household.state):
        return replace(filled, unknown=(*filled.unknown, "/guardian/relation"))
    return filled


def _name_twin(filled: Prefilled, answers: Answers) -> Prefilled:
    answer = answers.get(Ask("birth", "applicant"))
    own = get(filled.form, "/child/idNumber")
    if answer is None or not isinstance(own, str):
        return filled
    others = [row["idNumber"] for row in answer.data.get("children", ()) if row["idNumber"] != own]
    twin = next((number for number in others if same_birth(own, number, today=local_date(answer.at))), None)
    return filled if twin is None else _fill(filled, "/twinOf", twin, answer)
