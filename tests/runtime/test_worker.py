"""The worker outlives a restart of PostgreSQL, ends cleanly, and keeps people out of its log."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from haiyiban.db import Database
from haiyiban.notices import tell_phone
from haiyiban.runtime import logs, migrate, worker
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.zone import Task
from tests.people import Resident

VALUES = {"matter": "入学报名", "number": "460105-2026-000001-7"}


@pytest.fixture
async def own(
    environ: dict[str, str], tmp_path: Path, database: Database
) -> AsyncIterator[tuple[EmbeddedPostgres, subprocess.Popen[bytes], Path]]:
    """A worker on a server of its own; `database` is there so that this process has its keys."""
    log = tmp_path / "worker.log"
    with EmbeddedPostgres(tmp_path / "home") as postgres, log.open("wb") as out:
        await asyncio.to_thread(migrate.upgrade, postgres.url)
        process = subprocess.Popen(  # noqa: ASYNC220 - a process that outlives this call
            [sys.executable, "-m", "haiyiban.runtime.worker"],
            env={**os.environ, **environ, "DATABASE_URL": postgres.url},
            stderr=out,
        )
        try:
            yield postgres, process, log
        finally:
            process.kill()
            process.wait()


async def promise(url: str, phone: str) -> None:
    """Commit a notice on that server."""
    on = Database(url)
    async with on.transaction() as session:
        await tell_phone(session, phone, "cases.submitted", VALUES, language="zh-CN")
    await on.close()


async def arrived(sandbox: httpx.AsyncClient, phone: str) -> int:
    """How many messages a phone has, once it has one; the worker takes its time to start, and to find a
    server again when a task was in the middle of something."""
    for _ in range(900):
        messages = (await sandbox.get("/sms", params={"phone": phone})).json()
        if messages:
            return len(messages)
        await asyncio.sleep(0.1)
    return 0


async def test_a_worker_goes_on_after_a_restart_and_ends_when_asked(
    own: tuple[EmbeddedPostgres, subprocess.Popen[bytes], Path], sandbox: httpx.AsyncClient
) -> None:
    postgres, process, log = own
    before, after = Resident().phone, Resident().phone
    await promise(postgres.url, before)
    assert await arrived(sandbox, before) == 1
    await asyncio.to_thread(postgres.__exit__, None, None, None)
    await asyncio.sleep(1)
    await asyncio.to_thread(postgres.__enter__)
    await promise(postgres.url, after)
    assert await arrived(sandbox, after) == 1
    assert await arrived(sandbox, before) == 1
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 15) == 0
    told = log.read_text()
    assert "the queue is away" in told
    for secret in (before, after, VALUES["number"]):
        assert secret not in told


async def test_a_task_that_fails_is_told_without_what_it_stumbled_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def stumble(payload: bytes) -> None:
        int(payload)

    await worker._run(Task(name="things.stumble", run=stumble), b"13912345678X")
    (record,) = [record for record in caplog.records if record.name == "haiyiban.worker"]
    assert record.levelno == logging.ERROR
    assert "things.stumble" in record.getMessage()
    assert "ValueError" in record.getMessage()
    assert "13912345678" not in record.getMessage()
    assert record.exc_info is None


def test_the_log_prints_no_words_of_exceptions_whoever_logs(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure()
        try:
            int("13912345678X")
        except ValueError:
            logging.getLogger("some.library").exception("could not do it")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    told = capsys.readouterr().err
    assert "could not do it" in told
    assert "builtins.ValueError at runtime/test_worker.py" in told
    assert "13912345678" not in told
