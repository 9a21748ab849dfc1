"""Deciding somebody's colour: ask the registers, judge, keep it; a changed colour withdraws what phones hold.

Source: docs/domain.md §5; schemas/codes/README.md §3 (deny-list).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.clock import local_date
from haiyiban.codes.claims import Kind
from haiyiban.codes.withdrawn import withdraw
from haiyiban.db import among, database
from haiyiban.identity import persons
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.registers import Question, RegisterAnswer, RegisterName
from services.health_code.facts import ASKED, Declared, Known, known
from services.health_code.models import Declaration, ManualChange, Status
from services.health_code.rules import Colour, Correction, Decision, decide, stays
from services.health_code.standards import basis, rules_on, standards
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
    return (await decide_all(session, {person_id: answers}, now=now))[0]


async def decide_all(session: AsyncSession, answers: Mapping[UUID, Answers], *, now: datetime) -> list[Held]:
    """The same for many people, in as many statements as for one. In the order of their ids."""
    today = local_date(now)
    standard, table = standards().on(today), rules_on(today)
    people = await _locked(session, list(answers))
    ids = [person.id for person in people]
    # Locked too: a recolouring by held facts locks no person (rejudging.py).
    rows = await session.scalars(
        select(Status)
        .where(Status.person_id.in_(ids))
        .order_by(Status.person_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    statuses = {status.person_id: status for status in rows}
    declared = await declared_since(session, ids, since=now - timedelta(days=standard.declaration_days))
    changes = await changes_on(session, ids, today)
    held, acts, refs = [], [], []
    for person in people:
        status, change = statuses.get(person.id), changes.get(person.id)
        found = known(
            answers[person.id],
            declared.get(person.id, []),
            standard=standard,
            areas=standards().areas,
            now=now,
        )
        correction = Correction(Colour(change.colour), frozenset(change.aside)) if change else None
        decision = decide(table, found.facts, correction=correction)
        before = Colour(status.colour) if status is not None else None
        is_recent = status is not None and now - status.decided_at <= timedelta(
            hours=standard.last_known_hours
        )
        is_current = not (before is not None and is_recent and stays(before, decision))
        if status is None:
            status = Status(person_id=person.id, decided_at=now, golden=False, reminder=False, asked_at=now)
            session.add(status)
        held.append(Held(person, status, found, decision, is_current, change))
        if status.asked_at > now:
            continue
        _write(status, found, decision, table.id, standard.doses, is_current=is_current, now=now)
        if is_current and change is not None and change.colour == decision.colour:
            status.reasons = [*status.reasons, MANUAL]
        acts.extend(_acts(person, status, answers[person.id], before))
        if before is not None and before != status.colour:
            refs.append(person.ref)
    await session.flush()
    await audit.record_all(session, acts)
    if refs:
        # In this transaction: the colours and the deny-list change together or not at all.
        await withdraw(session, Kind.HEALTH, refs, now=now)
    return held


async def changes_on(
    session: AsyncSession, person_ids: Sequence[UUID], day: date
) -> dict[UUID, ManualChange]:
    """The corrections that hold on a day, by person: of each the one confirmed last."""
    rows = await session.scalars(
        select(ManualChange)
        .where(
            among(ManualChange.person_id, person_ids),
            ManualChange.state == "confirmed",
            ManualChange.until >= day,
        )
        .order_by(ManualChange.decided_at)
    )
    return {row.person_id: row for row in rows}


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
    status.facts = None if found.silent else {"under": basis(local_date(now)), "asked": found.asked}
    if is_current:
        status.colour, status.rules, status.decided_at = decision.colour, rules, now
        status.reasons = [rule.id for rule in decision.by]
    if "tests" not in found.silent:
        status.negative_at = found.negative_at
    if "vaccinations" not in found.silent:
        status.golden, status.reminder = edge(
            found.doses, required=doses, contraindicated=found.contraindicated
        )


async def _locked(session: AsyncSession, person_ids: Sequence[UUID]) -> list[Person]:
    """The people, of one transaction at a time. They are locked and not their statuses, for the first two at
    once have no row to lock; whoever only refers to a person is not kept waiting. In the order of ids, so
    that no two batches wait for each other."""
    people = await session.scalars(
        select(Person).where(Person.id.in_(person_ids)).order_by(Person.id).with_for_update(key_share=True)
    )
    return list(people)


async def declared_since(
    session: AsyncSession, person_ids: Sequence[UUID], *, since: datetime
) -> dict[UUID, list[Declared]]:
    """What people declared of themselves since then, by person."""
    rows = await session.scalars(
        select(Declaration).where(among(Declaration.person_id, person_ids), Declaration.at >= since)
    )
    found: dict[UUID, list[Declared]] = {}
    for row in rows:
        said = Declared(row.at, row.said["symptoms"], row.said["feverClinic"], row.said["riskTravel"])
        found.setdefault(row.person_id, []).append(said)
    return found


def _acts(person: Person, status: Status, answers: Answers, before: Colour | None) -> list[audit.Act]:
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
    return acts
