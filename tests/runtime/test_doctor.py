"""`haiyiban doctor` on set-ups that are well and on set-ups that are not, as the operator runs it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from haiyiban import clock
from haiyiban.certificates import demo_authority
from haiyiban.crypto import FileKeys
from haiyiban.registers import REGISTERS
from haiyiban.registers import client as registers_client
from haiyiban.runtime import ceremony, migrate, ports, rights
from haiyiban.runtime.doctor import document_checks, report, servers
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.settings import Settings


class Visit(NamedTuple):
    """What the doctor said."""

    code: int
    findings: list[dict[str, Any]]

    def of(self, subject: str, state: str) -> dict[str, Any]:
        """The one finding about a subject, which must be of this state, with advice unless all is fine."""
        found = [each for each in self.findings if each["subject"]["en"] == subject]
        assert [each["state"] for each in found] == [state], (subject, self.findings)
        if state in {"warning", "fault"}:
            assert found[0]["advice"]["zh"]
            assert found[0]["advice"]["en"]
        return found[0]


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database with nothing turned off, where a worker ran a moment ago."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("careful")) as postgres:
        migrate.upgrade(postgres.url)
        sql(
            postgres.url,
            "INSERT INTO pgqueuer_schedules (expression, entrypoint, next_run)"
            " VALUES ('* * * * *', 'test.tick', now() + interval '1 minute')",
        )
        yield postgres.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder with all keys, as the ceremonies of the demo leave it."""
    settings = Settings(env="test", home=tmp_path)
    ceremony.play(settings, clock.now())
    demo_authority.prepare(settings, now=clock.now())
    return tmp_path


@pytest.fixture
def environment(folder: Path, careful: str, redis_url: str, sandbox_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HAIYIBAN_")}
    return kept | {
        "HAIYIBAN_ENV": "test",
        "HAIYIBAN_HOME": str(folder),
        "HAIYIBAN_PORT": str(ports.any_free()),
        "HAIYIBAN_REGISTERS_URL": sandbox_url,
        "DATABASE_URL": careful,
        "REDIS_URL": redis_url,
    }


def sql(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def command(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "haiyiban.cli", "doctor", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def visit(environment: dict[str, str]) -> Visit:
    """What the command does, without a new Python for each visit; in a thread, for it brings its own loop."""
    before = dict(os.environ)
    # The session's own lines to the registers are of another loop: kept, and not left to be collected.
    lines, loop = registers_client._client, registers_client._loop
    registers_client._client = registers_client._loop = None
    os.environ.clear()
    os.environ.update(environment)
    try:
        with ThreadPoolExecutor(1) as thread, StringIO() as written, redirect_stdout(written):
            code = thread.submit(report.run, as_json=True).result()
            return Visit(code, json.loads(written.getvalue()))
    finally:
        os.environ.clear()
        os.environ.update(before)
        clock.shift(0)
        registers_client._client, registers_client._loop = lines, loop


def test_a_set_up_that_is_well_is_told_so(environment: dict[str, str]) -> None:
    told = visit(environment)
    assert told.code == 0
    for subject in ("PostgreSQL", "Durability", "Schema", "Worker", "Outbox", "Redis", "Registers", "Keys"):
        told.of(subject, "fine")
    told.of("Trust list", "fine")
    told.of("Clock (against PostgreSQL)", "fine")
    told.of("Key files", "fine")
    told.of(f"Port {environment['HAIYIBAN_PORT']}", "warning")


def test_people_read_it_in_words(environment: dict[str, str]) -> None:
    answer = command(environment)
    assert answer.returncode == 0
    assert "✓ 数据库" in answer.stdout
    assert "→ 演示：haiyiban up" in answer.stdout
    assert "0 处须立即处理，1 处请留意" in answer.stdout


def test_servers_that_are_away_are_named_with_what_stops_without_them(environment: dict[str, str]) -> None:
    nowhere = ports.any_free()
    environment |= {
        "DATABASE_URL": f"postgresql://a:b@127.0.0.1:{nowhere}/c",
        "REDIS_URL": f"redis://127.0.0.1:{nowhere}/0",
        "HAIYIBAN_REGISTERS_URL": f"http://127.0.0.1:{nowhere}",
    }
    told = visit(environment)
    assert told.code == 1
    told.of("PostgreSQL", "fault")
    told.of("Redis", "warning")
    assert "公安人口库" in told.of("Registers", "warning")["found"]["zh"]


async def test_one_register_that_is_away_is_named(
    environment: dict[str, str], sandbox: httpx.AsyncClient
) -> None:
    await sandbox.post("/faults", json={"register": "birth", "mode": "error"})
    told = await asyncio.to_thread(visit, environment)
    named = [each["found"]["en"] for each in told.findings if each["subject"]["en"] == "Registers"]
    assert named == ["no answer from The birth register", f"{len(REGISTERS) - 1} answer"]


def test_a_database_that_may_forget_is_a_fault(environment: dict[str, str], database_url: str) -> None:
    """The tests' own database runs with fsync off."""
    told = visit(environment | {"DATABASE_URL": database_url})
    if "DATABASE_URL" not in os.environ:
        assert "fsync" in told.of("Durability", "fault")["found"]["en"]


def test_tables_that_are_missing_or_of_a_newer_program_are_a_fault(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with EmbeddedPostgres(tmp_path / "empty", {"fsync": "off"}) as postgres:
        environment["DATABASE_URL"] = postgres.url
        assert "haiyiban migrate" in visit(environment).of("Schema", "fault")["advice"]["en"]
        sql(postgres.url, "CREATE TABLE alembic_version (version_num text)")
        sql(postgres.url, "INSERT INTO alembic_version VALUES ('9999')")
        assert "newer" in visit(environment).of("Schema", "fault")["found"]["en"]


def test_jobs_that_wait_and_messages_that_are_stuck_show_the_worker_is_away(
    environment: dict[str, str],
) -> None:
    url = environment["DATABASE_URL"]
    sql(
        url,
        "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after)"
        " VALUES (0, 'queued', 'test.wait', now() - interval '5 minutes')",
    )
    sql(
        url,
        "INSERT INTO outbox_message (id, topic, payload_sealed, created_at, due_at, attempts)"
        " VALUES (gen_random_uuid(), 'notices.send', '', now(), now(), 7)",
    )
    try:
        told = visit(environment)
        assert "1 jobs are due" in told.of("Worker", "warning")["found"]["en"]
        told.of("Outbox", "warning")
        sql(url, "UPDATE pgqueuer SET execute_after = now() - interval '1 hour'")
        told = visit(environment)
        told.of("Worker", "fault")
        assert told.code == 1
    finally:
        sql(url, "DELETE FROM pgqueuer; DELETE FROM outbox_message")


def test_a_worker_that_never_ran_is_a_fault(environment: dict[str, str]) -> None:
    url = environment["DATABASE_URL"]
    sql(url, "UPDATE pgqueuer_schedules SET next_run = now() - interval '1 hour'")
    try:
        visit(environment).of("Worker", "fault")
    finally:
        sql(url, "UPDATE pgqueuer_schedules SET next_run = now() + interval '1 minute'")


def test_records_that_wait_too_long_for_their_seal_are_told(environment: dict[str, str]) -> None:
    url = environment["DATABASE_URL"]
    visit(environment).of("Sealing of the audit", "fine")
    for age, state in (("2 minutes", "warning"), ("1 hour", "fault")):
        sql(
            url,
            "INSERT INTO audit_record (id, at, action, outcome, actor_kind, fields, request_id)"
            f" VALUES (gen_random_uuid(), now() - interval '{age}', 'x', 'done', 'system', '{{}}', 'r')",
        )
        visit(environment).of("Sealing of the audit", state)
    sql(url, "DELETE FROM audit_record")


def test_a_process_that_may_change_the_audit_is_told(environment: dict[str, str]) -> None:
    url = environment["DATABASE_URL"]
    signing_in = asyncio.run(rights.logins(url))
    for address, state in ((signing_in[rights.API], "fine"), (url, "warning")):
        with serving(address):
            visit(environment).of("Database rights", state)


@contextmanager
def serving(url: str) -> Iterator[None]:
    """A connection as the processes of the platform have it."""
    loop = asyncio.new_event_loop()
    name = {"application_name": "haiyiban"}
    connection = loop.run_until_complete(asyncpg.connect(url, server_settings=name))
    try:
        yield
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


def test_another_program_on_our_port_is_named(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = visit(environment | {"HAIYIBAN_PORT": str(port)}).of(f"Port {port}", "fault")
        assert f"pid {os.getpid()}" in found["found"]["en"]
        assert "HAIYIBAN_PORT=" in found["advice"]["en"]


def test_keys_that_are_missing_or_that_others_can_read_are_faults(
    environment: dict[str, str], folder: Path
) -> None:
    (folder / "keys" / "field.json").unlink()
    (folder / "keys" / "cti.json").chmod(0o644)
    told = visit(environment)
    assert "field" in told.of("Keys", "fault")["found"]["en"]
    assert "cti.json" in told.of("Key files", "fault")["found"]["en"]
    shutil.rmtree(folder / "keys")
    visit(environment).of("Keys", "unknown")


def test_a_key_of_last_year_is_to_be_rotated(environment: dict[str, str], folder: Path) -> None:
    file = folder / "keys" / "access-token.json"
    entries = json.loads(file.read_text())
    assert entries[0]["madeAt"], "the file's own name of the field"
    entries[0]["madeAt"] = "2020-01-01T00:00:00+00:00"
    file.write_text(json.dumps(entries))
    found = visit(environment).of("Keys", "warning")
    assert "keys rotate access-token" in found["advice"]["en"]


def test_a_certificate_and_a_revocation_list_about_to_end_are_told_in_time(tmp_path: Path) -> None:
    settings = Settings(env="test", home=tmp_path)
    demo_authority.prepare(settings, now=clock.now() - timedelta(days=1060))
    told = [each.found.en for each in document_checks.signing(settings)]
    assert told[:2] == ["the certificate ends in 34 days", "the revocation list is out of date"]


def test_a_certificate_for_documents_that_is_missing_or_has_no_stamps_is_told(
    environment: dict[str, str], folder: Path
) -> None:
    subject = "Signed documents"
    told = visit(environment)
    assert told.of(subject, "fine")
    assert visit(environment | {"HAIYIBAN_TIMESTAMP_URL": ""}).of(subject, "warning")
    (folder / "keys" / "document-chain.pem").unlink()
    told = visit(environment)
    assert told.code == 1
    told.of(subject, "fault")


def test_a_trust_list_is_to_be_signed_before_it_ends_and_when_a_key_comes(
    environment: dict[str, str], folder: Path
) -> None:
    for days, state in ((70, "warning"), (100, "fault")):
        visit(environment | {"HAIYIBAN_CLOCK_OFFSET": str(days * 86400)}).of("Trust list", state)
    keys = FileKeys(folder / "keys")
    kid = keys.rotate("code", not_before=clock.now() + timedelta(days=1))
    assert kid in visit(environment).of("Trust list", "warning")["found"]["en"]
    keys.rotate("code", not_before=clock.now() - timedelta(days=1))
    visit(environment).of("Trust list", "fault")
    (folder / "keys" / "trust-list.jwt").unlink()
    assert "trust sign" in visit(environment).of("Trust list", "fault")["advice"]["en"]


def test_a_disk_that_fills_up_is_told_before_it_is_full(environment: dict[str, str]) -> None:
    for needed, state in ((10**9, "fault"), (1, "fine")):
        visit(environment | {"HAIYIBAN_DISK_NEEDED_MB": str(needed)}).of("Disk", state)


def test_a_moved_clock_and_a_setting_that_cannot_be_read_are_told(environment: dict[str, str]) -> None:
    visit(environment | {"HAIYIBAN_CLOCK_OFFSET": "3600"}).of("Clock", "warning")
    told = visit(environment | {"HAIYIBAN_CLOCK_OFFSET": "soon"})
    assert told.code == 1
    assert "HAIYIBAN_CLOCK_OFFSET" in told.of("Settings", "fault")["found"]["en"]


@pytest.mark.parametrize(("apart", "state"), [(0.0, "fine"), (2.0, "warning"), (-7.0, "fault")])
def test_clocks_apart_are_told_before_codes_fail(apart: float, state: str) -> None:
    import time

    assert servers.skew(servers.DATABASE, time.time() + apart).state == state
