"""Publishing a draw at size: every case decided, every family told, every placed child with its notice.

`python -m benchmarks.publication [CHILDREN …]`. Each size has a database of its own, filled as a drawn run
leaves it. Measured are the writing of each child's result (part of the draw), the officer's call, and one
worker's task until nobody is left. Two sizes tell the growth.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import tempfile
import time
from collections.abc import Awaitable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import event, func, insert, select

from benchmarks.processes import cpu_seconds
from benchmarks.report import Growth, Outcome
from haiyiban import clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.certificates.models import Certificate
from haiyiban.db import Base, Database
from haiyiban.identity.callers import StaffCaller
from haiyiban.identity.models import Account, Person
from haiyiban.ids import new_id
from haiyiban.matters import catalogue
from haiyiban.outbox import OutboxMessage
from haiyiban.residents import resident_check_digit
from haiyiban.runtime import ceremony, migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from services.school_places import draw, public_file, published_counts
from services.school_places.classification import Priority
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, RollEntry, School
from services.school_places.public_file import PublicFile
from services.school_places.rules import school_year
from services.school_places.service import allocation, enrolments, publication, runs, settling
from services.school_places.service.standings import RankedChoice, Standing

SIZES = (2_000, 20_000)
CHOICES = 5
PUPILS_A_SCHOOL = 150
CLASSES = 5
MATTER = "education.school-place"
OFFICER = StaffCaller(
    staff_id=new_id(),
    session_id=new_id(),
    roles=frozenset({"officer"}),
    agency="education",
    division="460105",
)


def measure(full: bool) -> Outcome:
    """Two sizes, each with a database of its own."""
    sizes = SIZES if full else (SIZES[0], SIZES[0] * 3)
    measured = {size: _alone(size) for size in sizes}
    costs = [_cpu(measured[size]) * size / 1000 for size in sizes]
    return Outcome(
        growths=(
            Growth(
                name="publish a draw: decide, tell, give notices",
                unit="s CPU, application and PostgreSQL",
                work="children",
                sizes=sizes,
                costs=tuple(round(cost, 2) for cost in costs),
                reach=1.1,
            ),
        )
    )


def _cpu(figure: dict[str, float]) -> float:
    return figure["appCpuMillis"] + figure["postgresCpuMillis"]


def _alone(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder, ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(Path(folder)))
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": folder,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": "",
        }
        os.environ.update(environ)
        migrate.upgrade(postgres.url)
        ceremony.play(Settings.from_env(environ), clock.now())
        return asyncio.run(_measure(size, postgres.process.popen.pid))


async def _measure(size: int, postgres: int) -> dict[str, float]:
    async with running(Settings.from_env()) as database:
        enrolment, run, settled = await _drawn(database, size)
        statements = 0

        def count(*_: object) -> None:
            nonlocal statements
            statements += 1

        event.listen(database.engine.sync_engine, "before_cursor_execute", count)
        before = time.process_time(), cpu_seconds(postgres)
        call = await _timed(_publish(database, enrolment, run))
        task = await _timed(publication.carry_out(run.bytes))
        after = time.process_time(), cpu_seconds(postgres)
        await _check(database, run, size)
    return {
        "settleSeconds": round(settled, 2),
        "callSeconds": round(call, 2),
        "taskSeconds": round(task, 2),
        "appCpuMillis": round((after[0] - before[0]) / size * 1000, 2),
        "postgresCpuMillis": round((after[1] - before[1]) / size * 1000, 2),
        "statements": round(statements / size, 2),
    }


async def _publish(database: Database, enrolment: UUID, run: UUID) -> None:
    async with database.transaction() as session:
        await publication.publish(session, enrolment, run, caller=OFFICER, now=clock.now())


async def _timed(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _check(database: Database, run_id: UUID, size: int) -> None:
    """Every child once: a case with its step, records, and for the placed a certificate and two messages."""
    async with database.reading() as session:
        run = await session.get_one(AllocationRun, run_id)
        placed = await session.scalar(select(func.count()).where(RollEntry.certificate_id.is_not(None)))
        counted = [
            await session.scalar(select(func.count()).select_from(table))
            for table in (CaseEvent, Certificate, OutboxMessage, AuditRecord)
        ]
        expected = [size, placed, size + (placed or 0), size + (placed or 0) + 1]
        if run.state != "published" or counted != expected:
            raise RuntimeError(f"{run.state}: {counted} and not {expected}")


async def _drawn(database: Database, size: int) -> tuple[UUID, UUID, float]:
    """An enrolment whose run is drawn, by what draws in the program, over made-up families."""
    chance = random.Random(size)
    now = clock.now()
    enrolment = Enrolment(
        id=new_id(),
        code=f"BENCH-{size}",
        name="测速招生",
        name_en="Benchmark",
        school_year=school_year(clock.today()),
        agency="education",
        division="460105",
        area={"divisions": ["460105"], "centres": {"460105": [20.0, 110.29]}},
        opens_at=now - timedelta(days=2),
        closes_at=now - timedelta(days=1),
        beacon_source="bench",
        draw_after=now - timedelta(hours=1),
        four_eyes=False,
        closes_by_roll=True,
        appeal_days=30,
    )
    runs.new_commitment(enrolment)
    schools = [_school(number) for number in range(max(CHOICES, size // PUPILS_A_SCHOOL))]
    seats = {str(school.id): round(PUPILS_A_SCHOOL * chance.uniform(0.6, 1.3)) for school in schools}
    run = AllocationRun(
        id=new_id(),
        enrolment_id=enrolment.id,
        state="drawn",
        committed_at=now,
        committed_by=OFFICER.staff_id,
        commitment=enrolment.commitment,
    )
    entries = [
        _entry(run.id, [str(one.id) for one in chance.sample(schools, CHOICES)], chance) for _ in range(size)
    ]
    roll, run.bands = public_file.make_roll(
        capacities=seats,
        applications={
            entry.pseudonym: [
                (choice.school, choice.priority.packed())
                for choice in msgspec.convert(entry.standing, Standing).choices
            ]
            for entry in entries
        },
        twins=[],
    )
    run.roll = public_file.canonical(roll)
    run.roll_hash = draw.roll_hash(run.roll)
    file = public_file.draw_and_match(roll, secret=enrolment.secret, beacon="1", campaign=enrolment.code)
    run.beacon, run.seed, run.public_file = file.beacon, file.seed, public_file.to_bytes(file)
    run.counts = msgspec.to_builtins(published_counts.of_draw(file, run.bands))
    async with database.transaction() as session:
        session.add_all([enrolment, *schools])
        await session.flush()
        session.add_all(
            EnrolmentSchool(
                enrolment_id=enrolment.id,
                school_id=school.id,
                capacity=seats[str(school.id)],
                catchment={"division": "460105", "streets": [], "communities": []},
            )
            for school in schools
        )
        session.add(run)
        await session.flush()
    for start in range(0, size, 1000):
        async with database.transaction() as session:
            for rows in _families(entries[start : start + 1000], start, chance):
                await session.execute(insert(type_of(rows)), [_columns(row) for row in rows])
    return enrolment.id, run.id, await _timed(_settle(database, enrolment, run, file))


async def _settle(database: Database, enrolment: Enrolment, run: AllocationRun, file: PublicFile) -> None:
    async with database.transaction() as session:
        ground = await enrolments.ground_of(session, enrolment)
        stored = await session.get_one(AllocationRun, run.id)
        await settling.settle(session, stored, allocation.drawn(file, ground, bands=run.bands))


def type_of(rows: list[Any]) -> type[Base]:
    """The table of rows of one kind."""
    kind: type[Base] = type(rows[0])
    return kind


def _columns(row: Any) -> dict[str, Any]:
    return {
        column.key: getattr(row, column.key)
        for column in row.__mapper__.column_attrs
        if column.key in row.__dict__
    }


def _school(number: int) -> School:
    return School(
        id=new_id(),
        code=secrets.token_hex(8),
        name=f"第{number}小学",
        name_en=f"School {number}",
        division="460105",
        kind="public",
        address="海口市秀英区",
        latitude=20.0 + number / 10_000,
        longitude=110.29,
    )


def _entry(run_id: UUID, schools: list[str], chance: random.Random) -> RollEntry:
    entry = RollEntry(id=new_id(), run_id=run_id, case_id=new_id(), child_id=new_id())
    entry.pseudonym = secrets.token_hex(10)
    choices = [RankedChoice(school, Priority(0, chance.randrange(CLASSES), 0)) for school in schools]
    entry.standing = Standing(choices, secrets.token_hex(16), secrets.token_hex(16), [], None)
    return entry


def _families(entries: list[RollEntry], start: int, chance: random.Random) -> list[list[Any]]:
    """Parent and child of each entry with the case that a clerk has accepted, in the order of their keys."""
    now = clock.now()
    version = catalogue().get(MATTER).version
    persons, accounts, cases = [], [], []
    for number, entry in enumerate(entries, start):
        parent = _person(new_id(), f"19900101{number:03}"[-11:], number, chance)
        child = _person(entry.child_id, "20200601", number, chance)
        persons += [parent, child]
        account = Account(id=new_id(), person_id=parent.id, level="L3", language="zh-CN", created_at=now)
        account.phone = f"139{number:08}"
        account.phone_index = secrets.token_bytes(32)
        accounts.append(account)
        case = Case(
            id=entry.case_id,
            number=f"BENCH{number:08}",
            matter=MATTER,
            matter_version=version,
            state="accepted",
            version=3,
            applicant_id=parent.id,
            subject_id=child.id,
            claim=str(entry.run_id),
            agency="education",
            division="460105",
            prefill={},
            locked=[],
            created_at=now,
            updated_at=now,
            submitted_at=now,
        )
        case.form = {"child": {"name": child.name, "idNumber": child.id_number}}
        cases.append(case)
    subjects = [AuditSubject(person_id=person.id, pseudonym=new_id()) for person in persons]
    return [persons, subjects, accounts, cases, entries]


def _person(person_id: UUID, born: str, number: int, chance: random.Random) -> Person:
    first17 = f"460105{born[:8]}{chance.randrange(1000):03}"
    person = Person(id=person_id, id_type="111", created_at=clock.now())
    person.name = f"测试{chr(0x4E00 + number % 5000)}"
    person.id_number = first17 + resident_check_digit(first17)
    person.id_number_index = secrets.token_bytes(32)
    return person
