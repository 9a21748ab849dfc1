"""A patch that names the child: the registers are asked about it before the request's transaction begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import access, acting, opening, subjects
from haiyiban.cases.handlers import Answers, Applicant
from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.cases.subjects import NUMBER, Chosen
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.delegations import Actor
from haiyiban.forms import get, put
from haiyiban.identity import persons
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Matter
from haiyiban.matters.prefill import Prefilled


@dataclass(frozen=True, slots=True)
class Choice:
    """A child that a patch has chosen, with what the registers know about it."""

    matter: Matter
    applicant: Applicant
    chosen: Chosen
    filled: Prefilled
    answers: Answers

    def patch(self, form: dict[str, Any]) -> dict[str, Any]:
        """The rest of the patch, with the number as the registers write it."""
        assert self.chosen.child is not None
        return put(form, NUMBER, self.chosen.child.id_number)


async def learn(actor: Actor, case_id: UUID, form: dict[str, Any], *, now: datetime) -> Choice | None:
    """What a patch chooses; None where it chooses nobody new. Raises CaseMissing and what `choose` raises.

    A child that registers have confirmed is locked and stays: for another child, another case is opened.
    """
    number = get(form, NUMBER)
    if not isinstance(number, str):
        return None
    async with database().reading() as session:
        case = await access.own(session, case_id, actor, today=local_date(now))
        applicant = await acting.applicant_of(session, case)
        known = await persons.get(session, case.subject_id) if case.subject_id else None
    matter = catalogue().version(case.matter, case.matter_version)
    is_settled = case.state != State.DRAFT or NUMBER in case.locked or matter.subject != "child"
    if is_settled or (known is not None and known.id_number == number):
        return None
    chosen = await subjects.choose(matter, applicant, number, at=NUMBER, today=local_date(now))
    answers = await opening.ask_registers(matter, applicant, chosen)
    filled = opening.prefill(matter, applicant, chosen, answers, now=now)
    return Choice(matter, applicant, chosen, filled, answers)


async def settle(session: AsyncSession, case: Case, choice: Choice) -> None:
    """Write what was chosen into the locked draft."""
    if case.state == State.DRAFT and NUMBER not in case.locked:
        await opening.settle_subject(
            session,
            case,
            choice.matter,
            applicant=choice.applicant,
            chosen=choice.chosen,
            filled=choice.filled,
            answers=choice.answers,
        )
