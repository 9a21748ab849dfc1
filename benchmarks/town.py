"""A platform without servers of its own, and people whom the registers know: what batches are measured on.

The registers are the sandbox, in a process of its own on core 1, filled before it starts.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import insert

from benchmarks.processes import pin
from haiyiban import clock
from haiyiban.audit.models import AuditSubject
from haiyiban.db import Base, Database
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.residents import resident_check_digit
from haiyiban.runtime import ceremony, logs, migrate, ports
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.readiness import wait_until_ready
from haiyiban.settings import Settings
from haiyiban_sandbox.app import create_app
from haiyiban_sandbox.people import Person as Registered
from haiyiban_sandbox.store import open_store

DIVISION = "460105"
_IN_ONE_STATEMENT = 1000


class Town(NamedTuple):
    """What is running."""

    home: Path
    postgres: int
    """The process of the database server."""


@contextmanager
def running_town(people: int, facts: Mapping[str, Any]) -> Iterator[Town]:
    """A migrated database with keys and nobody in it, and registers that know these facts of so many people,
    named as POST /residents names them.

    The environment of this process, and so of its children, says where all that is.
    """
    with tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        postgres = stack.enter_context(EmbeddedPostgres(home))
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": folder,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": "",
            "HAIYIBAN_REGISTERS_URL": stack.enter_context(_registers(home / "sandbox", people, facts)),
        }
        os.environ.update(environ)
        migrate.upgrade(postgres.url)
        # As the program's own processes do: else a line for each call of a register.
        logs.configure()
        ceremony.play(Settings.from_env(environ), clock.now())
        yield Town(home, postgres.process.popen.pid)


async def settle(database: Database, people: int, *, first: int = 0) -> list[UUID]:
    """So many of the same people, from the one of that number on, in the platform's own tables; their ids, in
    order."""
    persons = [_person(number) for number in range(first, first + people)]
    await write(database, persons)
    await write(database, [AuditSubject(person_id=one.id, pseudonym=new_id()) for one in persons])
    return [one.id for one in persons]


async def write(database: Database, rows: Sequence[Base]) -> None:
    """Insert rows of one table, many in one statement."""
    for start in range(0, len(rows), _IN_ONE_STATEMENT):
        part = [_columns(row) for row in rows[start : start + _IN_ONE_STATEMENT]]
        async with database.transaction() as session:
            await session.execute(insert(type(rows[0])), part)


def id_number(number: int) -> str:
    """Of the person of that number: a thousand are born on each day from 1960 on."""
    born = date(1960, 1, 1) + timedelta(days=number // 1000)
    first17 = f"{DIVISION}{born:%Y%m%d}{number % 1000:03}"
    return first17 + resident_check_digit(first17)


def name(number: int) -> str:
    """Of the person of that number."""
    return f"测试{chr(0x4E00 + number % 5000)}"


def _person(number: int) -> Person:
    person = Person(id=new_id(), id_type="111", created_at=clock.now())
    person.name, person.id_number = name(number), id_number(number)
    # Nobody is looked up by it here.
    person.id_number_index = secrets.token_bytes(32)
    return person


def _columns(row: Any) -> dict[str, Any]:
    return {
        column.key: getattr(row, column.key)
        for column in row.__mapper__.column_attrs
        if column.key in row.__dict__
    }


@contextmanager
def _registers(home: Path, people: int, facts: Mapping[str, Any]) -> Iterator[str]:
    _register(home, people, facts)
    port = ports.any_free()
    command = [sys.executable, "-m", "haiyiban_sandbox", "--port", str(port), "--home", str(home)]
    environ = os.environ | {"HAIYIBAN_ENV": "test"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until_ready(port, "/health", processes=[])
            pin(process.pid, 1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _register(home: Path, people: int, facts: Mapping[str, Any]) -> None:
    """By the sandbox's own code, in one transaction: a call for each person would take minutes."""
    create_app(home)
    store, _ = open_store(home / "sandbox.db", now=clock.now())
    hukou = {"address": "海南省海口市秀英区测速街道1号", "division": DIVISION, "since": "2010-01-01"}
    with store.transaction():
        for number in range(people):
            known = {
                "name": name(number),
                "idNumber": id_number(number),
                "phone": f"139{number:08}",
                "division": DIVISION,
                "hukou": hukou,
                **facts,
            }
            store.change(msgspec.convert(known, Registered))
    store.connection.close()
