"""Deciding somebody's colour: ask the registers, judge, keep it; a changed colour withdraws what phones hold.

Source: docs/domain.md §5; schemas/codes/README.md §3 (deny-list).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.clock import local_date
from haiyiban.codes.claims import Kind
from haiyiban.codes.withdrawn import withdraw
from haiyiban.db import database
from haiyiban.identity import persons
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.registers import Question, RegisterAnswer, RegisterName
from services.health_code.facts import ASKED, Declared, Known, known
from services.health_code.models import Declaration, ManualChange, Status
from services.health_code.rules import Colour, Correction, Decision, decide, stays
from services.health_code.standards import rules_on, standards
from services.health_code.windows import edge

MANUAL = "manual-change"
"""Among the reasons of a colour, beside the ids of rules."""
Answers = Mapping[RegisterName, RegisterAnswer]


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody's code as it is kept now, and what it was made of."""

    person: Person
    status: Status
    known: Known
    decision: Decision
    is_current: bool
    """False where the colour is the last known one, for want of an answer."""
    change: ManualChange | None = None
    """What was corrected by hand and holds today."""


async def ask(person_id: UUID) -> Answers:
    """What the registers say of a person. Asked before anything is written: they may be slow."""
    async with database().reading() as look:
        person = await persons.get(look, person_id)
        id_number, id_type = person.id_number, person.id_type
    return await registers.current().ask_many({name: Question(name, id_number, id_type) for name in ASKED})


async def declare(
    session: AsyncSession,
    person_id: UUID,
    *,
    symptoms: bool,
    fever_clinic: bool,
    risk_travel: bool,
    now: datetime,
) -> Declaration:
    """Keep what somebody says of themselves; whoever calls decides anew in the same transaction."""
    said = Declaration(id=new_id(), person_id=person_id, at=now)
    said.said = {"symptoms": symptoms, "feverClinic": fever_clinic, "riskTravel": risk_travel}
    session.add(said)
    await session.flush()
    await audit.record(
        session,
        "health-code.declare",
        subject=person_id,
        object_kind="declaration",
        object_id=said.id,
        fields=sorted(said.said),
    )
    return said


async def decide_for(session: AsyncSession, person_id: UUID, answers: Answers, *, now: datetime) -> Held:
    """Judge by what was answered and declared, and keep it. The older of two at once changes nothing."""
    today = local_date(now)
    standard, table = standards().on(today), rules_on(today)
    person = await persons.get(session, person_id)
    status = await _held(session, person_id)
    found = known(
        answers,
        await _declared(session, person_id, since=now - timedelta(days=standard.declaration_days)),
        standard=standard,
        areas=standards().areas,
        now=now,
    )
    change = await change_on(session, person_id, today)
    decision = decide(
        table,
        found.facts,
        correction=Correction(Colour(change.colour), frozenset(change.aside)) if change else None,
    )
    before = Colour(status.colour) if status is not None else None
    is_recent = status is not None and now - status.decided_at <= timedelta(hours=standard.last_known_hours)
    is_current = not (before is not None and is_recent and stays(before, decision))
    if status is None:
        status = Status(person_id=person_id, decided_at=now, golden=False, reminder=False, asked_at=now)
        session.add(status)
    elif status.asked_at > now:
        return Held(person, status, found, decision, is_current, change)
    _write(status, found, decision, table.id, standard.doses, is_current=is_current, now=now)
    if is_current and change is not None and change.colour == decision.colour:
        status.reasons = [*status.reasons, MANUAL]
    await session.flush()
    await _tell(session, person, status, answers, before)
    if before is not None and before != status.colour:
        # In this transaction: the colour and the deny-list change together or not at all.
        await withdraw(session, Kind.HEALTH, [person.ref], now=now)
    return Held(person, status, found, decision, is_current, change)


async def change_on(session: AsyncSession, person_id: UUID, day: date) -> ManualChange | None:
    """The correction that holds on a day: the one confirmed last."""
    found: ManualChange | None = await session.scalar(
        select(ManualChange)
        .where(
            ManualChange.person_id == person_id,
            ManualChange.state == "confirmed",
            ManualChange.until >= day,
        )
        .order_by(ManualChange.decided_at.desc())
        .limit(1)
    )
    return found


async def refresh(person_id: UUID, *, now: datetime) -> None:
    """Ask and decide in a transaction of its own, for whoever has none."""
    answers = await ask(person_id)
    async with database().transaction() as session:
        await decide_for(session, person_id, answers, now=now)


def _write(
    status: Status,
    found: Known,
    decision: Decision,
    rules: str,
    doses: Mapping[str, int],
    *,
    is_current: bool,
    now: datetime,
) -> None:
    status.asked_at = now
    if is_current:
        status.colour, status.rules, status.decided_at = decision.colour, rules, now
        status.reasons = [rule.id for rule in decision.by]
    if "tests" not in found.silent:
        status.negative_at = found.negative_at
    if "vaccinations" not in found.silent:
        status.golden, status.reminder = edge(
            found.doses, required=doses, contraindicated=found.contraindicated
        )


async def _held(session: AsyncSession, person_id: UUID) -> Status | None:
    """The row, of one transaction at a time. The person is locked, for the first two at once have no row to
    lock; whoever only refers to the person is not kept waiting."""
    await session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    return await session.scalar(select(Status).where(Status.person_id == person_id))


async def _declared(session: AsyncSession, person_id: UUID, *, since: datetime) -> list[Declared]:
    rows = await session.scalars(
        select(Declaration).where(Declaration.person_id == person_id, Declaration.at >= since)
    )
    return [
        Declared(row.at, row.said["symptoms"], row.said["feverClinic"], row.said["riskTravel"])
        for row in rows
    ]


async def _tell(
    session: AsyncSession, person: Person, status: Status, answers: Answers, before: Colour | None
) -> None:
    acts = [
        audit.Act(
            "registers.read",
            subject=person.id,
            object_kind="person",
            object_id=person.id,
            fields=answer.fields,
            reason=f"health-code: {name}",
        )
        for name, answer in answers.items()
        if answer.state == "known"
    ]
    if before != status.colour:
        acts.append(
            audit.Act(
                "health-code.decide",
                subject=person.id,
                object_kind="person",
                object_id=person.id,
                fields=["colour"],
                reason=status.rules,
            )
        )
    await audit.record_all(session, acts)
