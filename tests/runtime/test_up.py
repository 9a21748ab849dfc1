"""`haiyiban up` as people run it: a process of its own, from a clean folder."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest
from rich.console import Console

from haiyiban.runtime import ports, processes, rights, up
from haiyiban.runtime.refusal import CannotStart
from tests.runtime.conftest import none_left, processes_of


def environ(home: Path, **more: str) -> dict[str, str]:
    ours = ("DATABASE_URL", "REDIS_URL", "HAIYIBAN_REGISTERS_URL", "HAIYIBAN_ENV", "HAIYIBAN_PASSWORD_KIB")
    return {
        **{name: value for name, value in os.environ.items() if name not in ours},
        "HAIYIBAN_HOME": str(home),
        "HAIYIBAN_PORT": str(ports.any_free()),
        "HAIYIBAN_SANDBOX_PORT": str(ports.any_free()),
        **more,
    }


def command(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "haiyiban.cli", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    """`haiyiban up`, once it has written demo.json; one that was killed could not remove its own."""
    (home / "demo.json").unlink(missing_ok=True)
    with command(environ(home)) as process:
        try:
            deadline = time.monotonic() + 120
            while not (home / "demo.json").exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise AssertionError(process.communicate()[0])
                time.sleep(0.05)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def refused(environment: dict[str, str]) -> str:
    """What it says when it does not start."""
    with command(environment) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    return said


def test_it_serves_keeps_others_out_restarts_what_dies_and_killed_leaves_no_process(tmp_path: Path) -> None:
    """One start for all of it, since a start takes seconds; Ctrl-C is what the journeys end with."""
    state = tmp_path / "up"
    with running(state) as process:
        demo = json.loads((state / "demo.json").read_text())
        assert httpx.get(f"{demo['api']}/health/ready").status_code == 200
        assert httpx.get(f"{demo['sandbox']}/health").status_code == 200
        assert len(processes_of(state)) >= 6
        assert asyncio.run(_signed_in(state)) == {rights.API, rights.WORKER}, "none is the tables' owner"
        assert f"pid {process.pid}" in refused(environ(state))
        assert (state / "demo.json").exists(), "the second one took nothing from the first"
        for word in ("worker", "serve"):
            _kill_and_await_another(process.pid, word)
        process.kill()
        said, _ = process.communicate(timeout=60)
    assert demo["api"] in said
    assert "worker ended by itself; starting it again" in said
    assert none_left(state), processes_of(state)


async def _signed_in(state: Path) -> set[str]:
    """As whom the platform's processes are connected to its database."""
    connection = await asyncpg.connect(json.loads((state / "servers.json").read_text())["databaseUrl"])
    try:
        for _ in range(100):
            rows = await connection.fetch(
                "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            # The worker connects a moment after the API is ready.
            if len(rows) > 1:
                break
            await asyncio.sleep(0.1)
        return {row["usename"] for row in rows}
    finally:
        await connection.close()


def test_a_child_that_keeps_dying_is_given_up_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "_RETURNS_MOST", 2)
    child = processes.start(
        "quitter", ["sh", "-c", "echo why; exit 3"], log=tmp_path / "logs" / "quitter.log"
    )
    told = io.StringIO()
    with pytest.raises(CannotStart, match="quitter") as given_up:
        up.watch([child], Console(file=told))
    assert given_up.value.log_lines == "why\nwhy\nwhy"
    assert told.getvalue().count("starting it again") == 2


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refused(environ(tmp_path, HAIYIBAN_PORT=port))
    assert f"Port {port} is in use" in said
    assert "HAIYIBAN_PORT=" in said
    assert none_left(tmp_path, seconds=1)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("HAIYIBAN_DISK_NEEDED_MB", "1000000000", "The disk is full"),
        ("HAIYIBAN_ENV", "production", "in production run haiyiban serve"),
        ("HAIYIBAN_ENV", "holiday", "use demo, test or production"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none", "does not answer"),
    ],
)
def test_what_cannot_work_is_refused_in_plain_words(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    said = refused(environ(tmp_path, **{setting: value}))
    assert words in " ".join(said.split())
    assert "Traceback" not in said
    assert none_left(tmp_path, seconds=1)


def _kill_and_await_another(parent: int, word: str) -> None:
    [killed] = _children(parent, word)
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while _children(parent, word) in ([], [killed]):
        assert time.monotonic() < deadline, f"{word} did not come back"
        time.sleep(0.05)


def _children(parent: int, word: str) -> list[int]:
    """The children of a process whose command line ends with the word."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(parent):
                command_line = (stat.parent / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                if command_line[-1] == word.encode():
                    found.append(int(stat.parent.name))
    return found
