"""make restore-drill: lose the machine of the database, and have everything back as it was at an instant.

    python -m tests.chaos.restoring --people 2000

A base backup, WAL archived as it is written, people who go on meanwhile, somebody's mistake, `kill -9`. Then
a new server from backup and archive, up to the instant before the mistake. Everybody who was told that they
are in has to be in, nothing of the mistake, and the audit has to hold. Says how long it took.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import func, select, text

from haiyiban import audit, clock, context
from haiyiban.audit import sealing
from haiyiban.certificates import demo_authority
from haiyiban.context import Context
from haiyiban.db import database
from haiyiban.identity import one_person, real_name
from haiyiban.identity.models import Person
from haiyiban.residents import IdType
from haiyiban.runtime import ceremony, migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.postgres_seat import Seat, find_programs, take_seat
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from tests import builders
from tests.chaos.checking import verify_audit


@click.command()
@click.option("--people", default=2000, help="Who come before the backup, and as many after it.")
def main(people: int) -> None:
    """Run the drill in a folder of its own, and say what came out."""
    with tempfile.TemporaryDirectory(prefix="haiyiban-restore-") as folder:
        told = drill(Path(folder), people)
    click.echo(json.dumps(told, indent=2))
    if told["missing"] or told["tooMany"] or told["audit"] != "holds":
        sys.exit(1)


def drill(folder: Path, people: int) -> dict[str, Any]:
    """What was there, what is there again, and seconds."""
    folder.chmod(0o755)  # the server's user has to reach its backup
    lost, found = folder / "lost", folder / "found"
    archive, backup = folder / "archive", folder / "backup"
    for each in (archive, backup):
        each.mkdir()
    with ExitStack() as stack:
        seat = _seat(lost)
        seat.own(archive)
        seat.own(backup)
        archiving = {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f"}
        postgres = stack.enter_context(EmbeddedPostgres(lost, archiving))
        settings = _settings(lost, postgres.url)
        migrate.upgrade(postgres.url)
        ceremony.play(settings, clock.now())
        demo_authority.prepare(settings, now=clock.now())
        before = asyncio.run(_come(settings, people))
        backup_seconds = _base_backup(seat, postgres.url, backup)
        after = asyncio.run(_come(settings, people))
        instant = asyncio.run(_mistake(settings))
        postgres.process.popen.kill()
        postgres.process.popen.wait()
    began = time.monotonic()
    restored = _restore(seat, backup, found, archive=archive, instant=instant)
    with restored as postgres:
        theirs = _settings(found, postgres.url, keys=lost)
        there = asyncio.run(_who_is_there(theirs))
        seconds = time.monotonic() - began
        complaint = verify_audit()
    told = before | after
    return {
        "people": len(told),
        "missing": len(told - there),
        "tooMany": len(there - told),
        "audit": complaint or "holds",
        "backupSeconds": round(backup_seconds, 1),
        "backSeconds": round(seconds, 1),
        "archivedMiB": round(sum(each.stat().st_size for each in archive.iterdir()) / 2**20),
    }


def _seat(home: Path) -> Seat:
    home.mkdir(mode=0o700)
    return take_seat(find_programs(), home / "postgres")


def _settings(home: Path, url: str, *, keys: Path | None = None) -> Settings:
    os.environ |= {"HAIYIBAN_ENV": "test", "HAIYIBAN_HOME": str(keys or home), "DATABASE_URL": url}
    return Settings.from_env()


async def _come(settings: Settings, people: int) -> set[UUID]:
    """So many people, each told once their transaction is committed."""
    told = set()
    context.enter(Context(request_id="drill", actor_kind="system"))
    async with running(settings):
        for _ in range(people):
            async with database().transaction() as session:
                document = real_name.check(IdType.RESIDENT_ID_CARD, builders.id_number(), today=clock.today())
                person = await one_person.of_documents(session, "王某", document, others=())
                await audit.record(session, "identity.real-name", subject=person.id)
            told.add(person.id)
        await sealing.seal(b"")
    return told


async def _mistake(settings: Settings) -> datetime:
    """Somebody deletes a table's rows; returned is the instant before."""
    async with running(settings):
        async with database().transaction() as session:
            instant: datetime = (await session.scalars(text("SELECT clock_timestamp()"))).one()
        async with database().transaction() as session:
            await session.execute(text("CREATE TABLE a_mistake ()"))
            await session.execute(text("TRUNCATE identity_person CASCADE"))
        async with database().reading() as session:
            assert not await session.scalar(select(func.count()).select_from(Person))
        await _archived()
    return instant


async def _archived() -> None:
    """Until all that is written by now is in the archive; a deployment says how old that may be
    (archive_timeout), or streams it."""
    async with database().transaction() as session:
        written = await session.scalar(text("SELECT pg_walfile_name(pg_switch_wal())"))
    while True:
        async with database().transaction() as session:
            done = await session.scalar(text("SELECT last_archived_wal FROM pg_stat_archiver"))
        if done is not None and written is not None and done >= written:
            return
        await asyncio.sleep(0.05)


def _base_backup(seat: Seat, url: str, backup: Path) -> float:
    """The whole cluster while it is used, checked against its manifest; seconds."""
    began = time.monotonic()
    _run(
        seat,
        "pg_basebackup",
        "--dbname",
        url,
        "--pgdata",
        str(backup),
        "--checkpoint=fast",
        "--wal-method=none",
    )
    _run(seat, "pg_verifybackup", "--no-parse-wal", str(backup))
    return time.monotonic() - began


def _restore(seat: Seat, backup: Path, home: Path, *, archive: Path, instant: datetime) -> EmbeddedPostgres:
    """A server on another machine's disk, to be started: it reads the archive up to the instant."""
    found = _seat(home)
    shutil.copytree(backup, found.folder / "data")
    (found.folder / "data").chmod(0o700)
    (found.folder / "data" / "recovery.signal").touch()
    shutil.copy(seat.folder / "cluster.json", found.folder)
    found.own(found.folder / "data")
    return EmbeddedPostgres(
        home,
        {
            "restore_command": f"cp {archive}/%f %p",
            "recovery_target_time": instant.isoformat(),
            "recovery_target_action": "promote",
        },
    )


async def _who_is_there(settings: Settings) -> set[UUID]:
    """Once the server takes writes again."""
    async with running(settings):
        while True:
            async with database().reading() as session:
                if not await session.scalar(text("SELECT pg_is_in_recovery()")):
                    break
            await asyncio.sleep(0.05)
        async with database().transaction() as session:
            assert await session.scalar(text("SELECT to_regclass('a_mistake')")) is None
            people = set(await session.scalars(select(Person.id)))
            await audit.record(session, "identity.real-name")  # it takes writes
    return people


def _run(seat: Seat, program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs, as its user. Raises AssertionError with what it said."""
    done = subprocess.run(
        seat.command(program, *arguments),
        cwd="/",
        capture_output=True,
        text=True,
        user=seat.user,
        group=seat.user,
        extra_groups=None if seat.user is None else [],
    )
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    main()
