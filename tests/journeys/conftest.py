"""The platform as people get it: started by `haiyiban up` in an empty folder, used over HTTP alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from haiyiban.runtime import ports

READY_WITHIN_SECONDS = 180


@dataclass
class Platform:
    """A running platform and what it says of itself in demo.json."""

    home: Path
    demo: dict[str, Any]
    process: subprocess.Popen[bytes]
    clients: list[httpx.Client] = field(default_factory=list)
    """Closed at the end."""

    def logs(self) -> str:
        """Everything that its processes wrote."""
        return "\n".join(file.read_text(errors="replace") for file in self.home.rglob("*.log"))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """`haiyiban up` in an empty folder, one for each journey."""
    with running(tmp_path_factory.mktemp("journey") / "state") as started:
        yield started


@contextmanager
def running(home: Path, *flags: str, ended_by: int = signal.SIGINT, **settings: str) -> Iterator[Platform]:
    """`haiyiban up` on a state folder; Ctrl-C at the end, or another signal, must stop it cleanly."""
    # Its own servers always: those of the other tests have their own keys and their own worker.
    theirs = ("HAIYIBAN_", "DATABASE_URL", "REDIS_URL")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(theirs)} | {
        "HAIYIBAN_HOME": str(home),
        "HAIYIBAN_PORT": str(ports.any_free()),
        "HAIYIBAN_SANDBOX_PORT": str(ports.any_free()),
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "haiyiban.cli", "up", *flags],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    clients: list[httpx.Client] = []
    try:
        yield Platform(home, _when_ready(home / "demo.json", process), process, clients)
    finally:
        for client in clients:
            client.close()
        process.send_signal(ended_by)
        output, _ = process.communicate(timeout=40)
    assert process.returncode == 0, output.decode()
    assert not _left_behind(process.pid), "it left processes behind"
    assert not (home / "demo.json").exists(), "it still says where it was"


def _when_ready(demo: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if demo.exists():
            described: dict[str, Any] = json.loads(demo.read_bytes())
            return described
        if process.poll() is not None:
            assert process.stdout is not None
            raise AssertionError(process.stdout.read().decode())
        time.sleep(0.1)
    raise AssertionError(f"not ready within {READY_WITHIN_SECONDS} s")


class Running(NamedTuple):
    """One process of this machine."""

    pid: int
    parent: int
    session: int
    command: str


def processes() -> list[Running]:
    """Every process, as /proc tells: a bare machine need not have ps."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[1:4]
            command = (folder / "cmdline").read_text().replace("\0", " ").strip()
            found.append(Running(int(folder.name), int(parent), int(session), command))
    return found


def _left_behind(session: int) -> list[str]:
    """Processes of the platform's session that still run."""
    return [process.command for process in processes() if process.session == session]
