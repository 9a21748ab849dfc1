"""What the tests of the runtime share: processes seen from outside, folders that anybody may reach."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Holding = Callable[[str, Path], "subprocess.Popen[str]"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def holding() -> Iterator[Holding]:
    """Start a server in a process of its own, which prints the server's pid and waits to be killed."""
    started = []

    def start(server: str, home: Path) -> subprocess.Popen[str]:
        module, name = server.split(":")
        program = (
            "import sys, time, pathlib\n"
            f"from {module} import {name}\n"
            f"with {name}(pathlib.Path(sys.argv[1])) as server:\n"
            "    print(server.process.popen.pid, flush=True)\n"
            "    time.sleep(600)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def processes_of(home: Path) -> list[str]:
    """Every process that was started for this state folder, as its command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        told = f"HAIYIBAN_HOME={home}".encode() in environment.split(b"\0")
        if command and (told or os.fsencode(home) in command) and int(process.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode())
    return found


def none_left(home: Path, *, seconds: float = 15) -> bool:
    """Whether all processes of the state folder are gone soon."""
    deadline = time.monotonic() + seconds
    while processes_of(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes_of(home)
