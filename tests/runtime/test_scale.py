"""Filling a database with made-up people: what the platform then finds, and what a kill in between leaves."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from sqlalchemy import select

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban.identity import persons
from haiyiban.identity.models import Account
from haiyiban.ids import new_id
from haiyiban.loads import Load
from haiyiban.population import SIZES, Person, Sizes, World
from haiyiban.runtime import migrate
from haiyiban.runtime.refusal import CannotStart
from haiyiban.runtime.scale import bare, making, plan, space
from haiyiban.runtime.scale.filling import loads_of
from haiyiban.settings import Settings
from services.duty_free import scale as duty_free
from services.duty_free.vouchers import books
from services.duty_free.vouchers.models import Voucher
from services.health_code.models import Status
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.scale.ground import enrolment_key
from services.school_places.service import roll
from services.school_places.service.standings import Standing
from tests import builders

T = TypeVar("T")
BLOCK = Sizes(residents=60, holders=70, vouchers=24, applications=1, matters=5)
"""Little enough not to be in the way of the tests that share the database."""
KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


@pytest.fixture(scope="module")
def loads(settings: Settings) -> tuple[Load, ...]:
    return loads_of(settings)


@pytest.fixture(scope="module")
async def block(database: Database, database_url: str, loads: tuple[Load, ...]) -> World:
    """Twenty households and ten visitors, in the database that the application serves."""
    world = World(os.getpid(), BLOCK, at=clock.now())
    connection = await plan.connect(database_url)
    await plan.lay_out(connection)
    await making.make(connection, world, loads)
    await connection.close()
    return world


@pytest.fixture(scope="module")
def empty_url(database_url: str) -> Iterator[str]:
    """A migrated database in which nobody is."""
    name = f"scale_{os.getpid()}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name}"))
    url = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
    migrate.upgrade(url)
    yield url
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def connection(empty_url: str, database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    """To the empty database; rows are sealed by the keys of the application."""
    connection = await plan.connect(empty_url)
    yield connection
    await connection.close()


async def test_what_is_sealed_opens_as_the_person(block: World, database: Database) -> None:
    async with database.reading() as session:
        for expected in block.people(range(block.sizes.holders)):
            found = await persons.by_id_number(session, expected.id_number)
            assert found is not None, "found by the blind index"
            assert found.id == block.person_id(expected.number)
            assert (found.name, found.id_number) == (expected.name, expected.id_number)
            account = await session.scalar(select(Account).where(Account.person_id == found.id))
            assert (account.phone if account else None) == expected.phone


async def test_a_resident_signs_in_and_reads_the_health_code(
    block: World, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    who = await _somebody(block, database, colour="green")
    assert who.phone is not None
    assert who.home is not None
    known = builders.Somebody(
        name=who.name, id_number=who.id_number, phone=who.phone, address=who.home.address
    )
    await builders.settle(sandbox, known)
    headers = await builders.sign_in(api, sandbox, who.phone)
    await builders.prove(api, headers, known)
    shown = await api.get("/zones/health-code/code", headers=headers)
    assert shown.status_code == 200, shown.text
    assert shown.json()["name"] == who.name
    assert shown.json()["colour"] == "green"


async def test_vouchers_are_found_and_the_books_balance(block: World, database: Database) -> None:
    made = [duty_free.voucher(block, number) for number in range(block.sizes.vouchers)]
    assert {one.state for one in made} >= {"redeemed", "expired"}
    async with database.reading() as session:
        for number, expected in enumerate(made):
            id_ = UUID(bytes=duty_free.voucher_key(block, number, expected))
            found = await session.get_one(Voucher, id_)
            assert (found.person_id, found.state) == (block.person_id(expected.person), expected.state)
            assert found.claimed_at < found.valid_until
    assert await books.look() == []


async def test_an_application_stands_on_the_roll(block: World, database: Database) -> None:
    child = block.person(block.pupil(0))
    async with database.reading() as session:
        enrolment = await session.get_one(Enrolment, UUID(bytes=enrolment_key(block)))
        run = AllocationRun(id=new_id(), enrolment_id=enrolment.id, committed_at=clock.now())
        [columns] = await roll.fill(session, enrolment, run)
        entry = RollEntry(**columns)
        case = await session.get_one(Case, entry.case_id)
    assert entry.child_id == block.person_id(child.number) == case.subject_id
    assert case.form["child"] == {"name": child.name, "idNumber": child.id_number}
    choices = msgspec.convert(entry.standing, Standing).choices
    assert [choice.school for choice in choices] == case.form["choices"]
    first, *others = [choice.priority for choice in choices]
    assert (first.outside, first.rank) == (0, 1), "registered at the own home in the catchment"
    assert [other.outside for other in others] == [1] * 4


async def test_stopped_in_a_chunk_it_goes_on_from_there(
    connection: asyncpg.Connection[Any], loads: tuple[Load, ...]
) -> None:
    world = await plan.begin(connection, "hamlet", number=5, at=clock.now())
    before = sorted(map(tuple, await connection.fetch(KEYS)))
    tables = [load.table for load in loads]
    await bare.set_aside(connection, tables)
    await bare.set_aside(connection, tables)
    chunks = itertools.count(1)
    await making.make(connection, world, loads, items=500, may_go_on=lambda: next(chunks) < 5)
    assert sum((await plan.items_made(connection)).values()) == 4 * 500
    with pytest.raises(_Killed):
        await making.make(connection, world, [_dying(load) for load in loads], items=500)
    assert sum((await plan.items_made(connection)).values()) == 4 * 500, "half a chunk is none"

    for share in (1, 0):
        await making.make(connection, world, loads, items=500, share=share, of=2)
    await bare.build(connection, lambda _: None)
    after = sorted(map(tuple, await connection.fetch(KEYS)))
    assert after == before, "every key and index is back, and the rows obey them"
    made = await plan.items_made(connection)
    assert made == {load.table: load.items(world.sizes) for load in loads}
    counted = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    assert counted["identity_person"] == counted["health_code_status"] == world.sizes.holders
    assert counted["cases_case"] == world.sizes.applications
    assert counted["duty_free_voucher"] == world.sizes.vouchers

    await making.make(connection, world, loads, items=500)
    again = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
    assert again == counted


async def test_people_of_flesh_and_blood_are_not_mixed_with(
    block: World, database_url: str, connection: asyncpg.Connection[Any]
) -> None:
    lived_in = await plan.connect(database_url)
    with pytest.raises(CannotStart, match="People are in this database already"):
        await plan.begin(lived_in, "hamlet", number=1, at=clock.now())
    await lived_in.close()
    await plan.begin(connection, "hamlet", number=5, at=clock.now())
    with pytest.raises(CannotStart, match="--scale hamlet --number 5"):
        await plan.begin(connection, "city", number=5, at=clock.now())


def test_a_small_disk_is_refused_with_what_is_needed(loads: tuple[Load, ...]) -> None:
    needs = space.needed(loads, SIZES["province"], {})
    assert 20e9 < needs < 60e9
    assert space.needed(loads, SIZES["province"], {"identity_person": 33_000_000}) < needs - 8e9
    with pytest.raises(CannotStart) as refused:
        space.require(needs, 5_000_000_000)
    assert space.gigabytes(needs) in refused.value.words.zh
    assert "5.0 GB" in refused.value.words.en
    space.require(needs, needs)
    assert space.free("/nowhere/at/all") is None


@pytest.mark.long
def test_the_command_stopped_and_killed_goes_on_and_then_does_nothing(
    settings: Settings, environ: dict[str, str], database_url: str, empty_url: str
) -> None:
    environment = {**os.environ, **environ, "DATABASE_URL": empty_url}
    command = [sys.executable, "-m", "haiyiban.cli", "seed", "--scale", "hamlet", "--number", "5"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    def stopped_by(sign: signal.Signals) -> int:
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            asyncio.run(_until(database_url, empty_url, "COPY %", is_there=True))
            process.send_signal(sign)
        asyncio.run(_until(database_url, empty_url, "%", is_there=False))
        return process.returncode

    connected = asyncio.run(_while_connected(empty_url, run))
    assert connected.returncode == 1
    assert "1 other connections are open" in connected.stdout
    assert stopped_by(signal.SIGINT) == 130
    assert stopped_by(signal.SIGKILL) == -signal.SIGKILL
    first = run()
    assert first.returncode == 0, first.stdout + first.stderr
    second = run()
    assert second.returncode == 0
    assert "nothing to do" in second.stdout


class _Killed(Exception):
    """What a kill is to the rows of a chunk."""


def _dying(load: Load) -> Load:
    def rows(world: World, numbers: range) -> Iterator[bytes]:
        yield from itertools.islice(load.rows(world, numbers), len(numbers) // 2)
        raise _Killed

    return replace(load, rows=rows)


async def _somebody(block: World, database: Database, *, colour: str) -> Person:
    async with database.reading() as session:
        for number in range(block.sizes.residents):
            person = block.person(number)
            status = await session.get_one(Status, block.person_id(number))
            if person.phone and status.colour == colour:
                return person
    raise AssertionError(f"nobody is {colour}")


async def _while_connected(url: str, run: Callable[[], T]) -> T:
    """What somebody else's connection is to the command."""
    connection = await asyncpg.connect(url)
    done = await asyncio.to_thread(run)
    await connection.close()
    return done


async def _until(server: str, url: str, sign: str, *, is_there: bool) -> None:
    """Wait for a sign of the seed's connections, seen from another database: it wants its own to itself."""
    connection = await asyncpg.connect(server)
    name = urlsplit(url).path.removeprefix("/")
    for _ in range(1200):
        seen = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND query LIKE $2", name, sign
        )
        if bool(seen) == is_there:
            break
        await asyncio.sleep(0.05)
    await connection.close()
    assert bool(seen) == is_there
