"""What somebody would get, from the registers and without an application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.identity import persons
from haiyiban.registers import Question, RegisterAnswer, RegisterName
from services.unemployment.models import Grant
from services.unemployment.rules import (
    Eligible,
    MovedIn,
    Reason,
    Situation,
    monthly_fen,
    months,
    reasons,
    verdict,
)
from services.unemployment.standards import standards

ASKED: tuple[RegisterName, ...] = ("social_insurance", "employment", "pension")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer to "would I get it?". Amounts in fen; None where a register could not be asked."""

    eligible: Eligible
    reasons: list[Reason]
    months: int | None
    monthly_fen: int | None
    starts_on: date
    """The first day it is paid for, if the application were handed in today."""
    answers: list[RegisterAnswer]


async def estimate(session: AsyncSession, person_id: UUID, *, now: datetime) -> Estimate:
    """Ask the registers about a person and judge. What was read is audited."""
    async with database().reading() as look:
        person = await persons.get(look, person_id)
        id_number, id_type = person.id_number, person.id_type
    client = registers.current()
    asked = {name: Question(name, id_number, id_type) for name in ASKED}
    answers = await client.ask_many(asked)
    today = local_date(now)
    situation = await unused_letter(session, situation_of(answers, today=today))
    judged = judge(situation, list(answers.values()), today=today)
    for name, answer in answers.items():
        if answer.state == "known":
            await audit.record(
                session,
                "registers.read",
                subject=person_id,
                object_kind="person",
                object_id=person_id,
                fields=answer.fields,
                reason=f"unemployment.estimate: {name}",
            )
    return judged


def judge(situation: Situation, answers: list[RegisterAnswer], *, today: date) -> Estimate:
    """The estimate that follows from what the registers answered. Source: docs/domain.md §7."""
    held = standards()
    table = held.month_table(today)
    found = reasons(situation, table, held)
    eligible = verdict(found)
    left = situation.moved_in.months_left if situation.moved_in else 0
    length = None if situation.paid_months is None else months(situation.paid_months, table, left=left)
    amount = None
    if situation.division is not None:
        amount = monthly_fen(situation.division, paid_on=today, standards=held)
    if eligible == "no":
        length = amount = 0
    return Estimate(
        eligible=eligible,
        reasons=found,
        months=length,
        monthly_fen=amount,
        starts_on=today,
        answers=answers,
    )


async def unused_letter(session: AsyncSession, situation: Situation) -> Situation:
    """The situation without another province's letter whose months went into a grant already."""
    if situation.moved_in is None:
        return situation
    used = await session.scalar(select(Grant.id).where(Grant.letter == situation.moved_in.letter))
    return situation if used is None else replace(situation, moved_in=None)


def situation_of(answers: Mapping[RegisterName, RegisterAnswer], *, today: date) -> Situation:
    """The facts that the rules need, out of the registers' own words."""
    return _situation({name: (answer.state, answer.data) for name, answer in answers.items()}, today=today)


def situation_in(facts: Mapping[str, Any], *, today: date) -> Situation:
    """The same out of what a case keeps of its registers' answers; one that is missing is unknown."""
    kept = {name: facts.get(f"{name}/applicant", {"state": "unknown"}) for name in ASKED}
    return _situation(
        {name: (one["state"], one.get("data") or {}) for name, one in kept.items()}, today=today
    )


def _situation(said: Mapping[RegisterName, tuple[str, dict[str, Any]]], *, today: date) -> Situation:
    (insurance, insured), (employment, employed), (pension, drawn) = (
        (state, data if state == "known" else {}) for state, data in (said[name] for name in ASKED)
    )
    stopped_on = day(insured.get("stoppedOn"))
    came = insured.get("transferredIn")
    return Situation(
        paid_months=None if insurance == "unknown" else int(insured.get("months", 0)),
        division=insured.get("division"),
        is_insured=None
        if insurance == "unknown"
        else insurance == "known" and (stopped_on is None or stopped_on > today),
        stop_reason=insured.get("stopReason"),
        is_employed=None if employment == "unknown" else _is_employed(employed, today),
        draws_pension=None
        if pension == "unknown"
        else pension == "known" and date.fromisoformat(drawn["since"]) <= today,
        moved_in=MovedIn(came["letter"], int(came["monthsLeft"])) if came else None,
    )


def _is_employed(said: dict[str, Any], today: date) -> bool:
    """Whether the register names an employer with no end yet; it keeps its own shape."""
    told = said.get("employment") or {}
    ended = day(told.get("until"))
    return (
        bool(told.get("employer")) and told.get("status") != "unemployed" and (ended is None or ended > today)
    )


def day(written: object) -> date | None:
    """A day as a register writes it; None where it is none."""
    try:
        return date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
