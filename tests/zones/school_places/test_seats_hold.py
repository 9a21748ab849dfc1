"""After any sequence of refusals, offers, answers and expiries no seat is held twice, no school is over its
seats (but for a twin), no list is jumped, and whoever has a place has one notice in force."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.certificates import Certificate
from haiyiban.db import Database
from haiyiban.errors import Problem
from haiyiban.identity import persons
from haiyiban.ids import new_id
from services.school_places import public_file
from services.school_places.afterwards_models import Answer, Waiting
from services.school_places.classification import Priority
from services.school_places.matching import UNPLACED
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.service import enrolments, results
from services.school_places.service.afterwards import answers, offers
from services.school_places.service.standings import RankedChoice, Standing
from tests import builders
from tests.zones.school_places.conftest import MakeRound, Round

SEATS = {"A": 2, "B": 2, "C": 3}
CHILDREN = 9
STEPS = 40


@dataclass
class World:
    """A published enrolment whose families do as they like."""

    database: Database
    made: Round
    run_id: UUID
    entries: list[tuple[UUID, UUID]] = field(default_factory=list)
    """Entry and the person who applied."""


async def published(database: Database, made: Round, dice: random.Random) -> World:
    """A drawn and published run of made-up children, the last two of them twins."""
    wishes = []
    for _ in range(CHILDREN):
        schools = dice.sample(sorted(made.schools.values()), dice.randint(1, 3))
        wishes.append([(school, Priority(dice.randint(0, 1), dice.randint(1, 3), 0)) for school in schools])
    wishes[-1] = wishes[-2]
    names = [secrets.token_hex(10) for _ in wishes]
    roll, bands = public_file.make_roll(
        capacities={made.schools[name]: seats for name, seats in SEATS.items()},
        applications={
            name: [(school, priority.packed()) for school, priority in wish]
            for name, wish in zip(names, wishes, strict=True)
        },
        twins=[names[-2:]],
    )
    file = public_file.draw_and_match(roll, secret="s", beacon="b", campaign=str(made.id))
    at_of = {pupil.pseudonym: at for at, pupil in enumerate(file.roll.pupils)}
    world = World(database, made, new_id())
    now = clock.now()
    async with database.transaction() as session:
        enrolment = await session.get_one(Enrolment, made.id)
        enrolment.answer_workdays = 200
        run = AllocationRun(
            id=world.run_id,
            enrolment_id=made.id,
            state="published",
            committed_at=now,
            committed_by=new_id(),
            commitment=enrolment.commitment,
            roll_hash=file.roll_hash,
            roll=b"{}",
            published_at=now - timedelta(days=30),
        )
        run.bands, run.public_file = bands, public_file.to_bytes(file)
        session.add(run)
        await session.flush()
        for name, wish in zip(names, wishes, strict=True):
            number = builders.id_number(builders.school_age())
            child = await persons.find_or_create(session, "陈小海", id_number=number)
            parent = await persons.find_or_create(session, "陈海", id_number=builders.id_number())
            case = Case(
                id=new_id(),
                matter="education.school-place",
                matter_version=1,
                state="approved",
                version=1,
                applicant_id=parent.id,
                subject_id=child.id,
                agency="education",
                division="460105",
                prefill={},
                locked=[],
                findings=[],
                created_at=now,
                updated_at=now,
                submitted_at=now,
            )
            case.form = {"child": {"name": "陈小海", "idNumber": number}}
            placement = file.placements[at_of[name]]
            entry = RollEntry(id=new_id(), run_id=run.id, case_id=case.id, child_id=child.id)
            entry.pseudonym = name
            entry.standing = Standing(
                choices=[RankedChoice(school, priority) for school, priority in wish],
                home=None,
                child=secrets.token_hex(16),
                guardians=[],
                place=None,
            )
            entry.lottery = file.lottery[at_of[name]]
            entry.explanation = {"zh": "", "en": "", "steps": []}
            entry.outcome = "no_seat" if placement == UNPLACED else "choice"
            case.outcome = "denied" if placement == UNPLACED else "approved"
            if placement != UNPLACED:
                school = file.roll.schools[placement].id
                entry.school_id = UUID(school)
                entry.choice = [wished for wished, _ in wish].index(school)
            session.add(case)
            await session.flush()
            session.add(entry)
            await session.flush()
            await results.issue_notice(session, case, now=now)
            world.entries.append((entry.id, parent.id))
    return world


async def step(world: World, dice: random.Random) -> None:
    """Something happens, or is refused; either way nothing is half done."""
    entry, person = dice.choice(world.entries)
    act = dice.choice(["refuse", "refuse", "undo", "leave", "answer", "answer", "answer", "time", "expire"])
    now = clock.now()
    try:
        async with world.database.transaction() as session:
            if act == "refuse":
                await answers.refuse(
                    session, entry, reason=None, only_this_child=True, person_id=person, now=now
                )
            elif act == "undo":
                await answers.undo_refusal(session, entry, person_id=person, now=now)
            elif act == "leave":
                school = UUID(dice.choice(list(world.made.schools.values())))
                await answers.leave(session, entry, school, person_id=person, now=now)
            elif act == "answer":
                open_offers = await session.execute(
                    select(Waiting.id, Waiting.entry_id)
                    .where(Waiting.enrolment_id == world.made.id, Waiting.state == "offered")
                    .order_by(Waiting.id)
                )
                if found := open_offers.all():
                    offer, whose = dice.choice(found)
                    verb = dice.choice([offers.accept, offers.accept, offers.decline])
                    await verb(session, offer, person_id=dict(world.entries)[whose], now=now)
            elif act == "time":
                mine = select(RollEntry.id).where(RollEntry.run_id == world.run_id)
                await session.execute(
                    update(Answer)
                    .where(Answer.entry_id.in_(mine))
                    .values(at=Answer.at - timedelta(minutes=11))
                    .execution_options(synchronize_session=False)
                )
            else:
                await session.execute(
                    update(Waiting)
                    .where(Waiting.enrolment_id == world.made.id, Waiting.state == "offered")
                    .values(answer_by=now - timedelta(seconds=1))
                    .execution_options(synchronize_session=False)
                )
    except Problem:
        pass
    await go_round(world)


async def go_round(world: World) -> int:
    """The worker comes by."""
    async with world.database.transaction() as session:
        enrolment = await enrolments.lock(session, world.made.id)
        run = await session.get_one(AllocationRun, world.run_id)
        expired = await offers.expire(session, enrolment, now=clock.now())
        return expired + await offers.offer_free_seats(session, enrolment, run, now=clock.now())


async def require_order(world: World) -> None:
    """What must hold whatever happened."""
    async with world.database.reading() as session:
        entries = (await session.scalars(select(RollEntry).where(RollEntry.run_id == world.run_id))).all()
        waiting = (await session.scalars(select(Waiting).where(Waiting.enrolment_id == world.made.id))).all()
        in_force = (
            await session.execute(
                select(Certificate.id, Certificate.case_id).where(
                    Certificate.case_id.in_([entry.case_id for entry in entries]),
                    Certificate.status == "valid",
                )
            )
        ).all()
    held = Counter(entry.school_id for entry in entries if entry.school_id)
    offered = Counter(row.school_id for row in waiting if row.state == "offered")
    for name, seats in SEATS.items():
        school = UUID(world.made.schools[name])
        assert held[school] + offered[school] <= seats + 1, "one more only for a twin"
        asked = [row.position for row in waiting if row.school_id == school and row.offered_at]
        waits = [row.position for row in waiting if row.school_id == school and row.state == "waiting"]
        if asked and waits:
            assert max(asked) <= min(waits), "the list was jumped"
        if held[school] + offered[school] > seats:
            twins = {entry.id for entry in entries if entry.id in {one for one, _ in world.entries[-2:]}}
            here = {entry.id for entry in entries if entry.school_id == school}
            here |= {row.entry_id for row in waiting if row.school_id == school and row.state == "offered"}
            assert here & twins, "over its seats without a twin"
    notices = {case: certificate for certificate, case in in_force}
    assert len(notices) == len(in_force), "two notices of one child"
    placed = {entry.case_id: entry.certificate_id for entry in entries if entry.school_id}
    assert notices == placed


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_seats_and_order_hold_whatever_families_do(
    database: Database, make_round: MakeRound, seed: int
) -> None:
    dice = random.Random(seed)
    world = await published(database, await make_round(SEATS), dice)
    await go_round(world)
    await require_order(world)
    for _ in range(STEPS):
        await step(world, dice)
        await require_order(world)
    rounds = 0
    while rounds < 30:
        async with database.transaction() as session:
            await session.execute(
                update(Waiting)
                .where(Waiting.enrolment_id == world.made.id, Waiting.state == "offered")
                .values(answer_by=clock.now() - timedelta(seconds=1))
            )
        if not await go_round(world):
            break
        rounds += 1
    assert rounds < 30, "lists come to their end"
    await require_order(world)
