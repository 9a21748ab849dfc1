"""Children and ports: stopped for good, and said plainly when something is in the way."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from haiyiban.runtime import ports, processes
from haiyiban.runtime.refusal import CannotStart

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(600)
"""


def test_a_child_that_will_not_stop_is_ended_with_its_own_children(tmp_path: Path) -> None:
    log = tmp_path / "stubborn.log"
    with processes.start(
        "stubborn", [sys.executable, "-c", STUBBORN], log=log, patience_seconds=0.2
    ) as process:
        while not log.read_text().strip():
            time.sleep(0.01)
        grandchild = int(log.read_text())
    assert process.popen.returncode == -signal.SIGKILL
    assert _is_gone(grandchild)


def test_a_child_that_ends_by_itself_is_named_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no keys here')"]
    with processes.start("worker", command, log=tmp_path / "logs" / "worker.log") as process:
        process.popen.wait()
        with pytest.raises(CannotStart, match="worker ended by itself") as refusal:
            process.require_running()
    assert refusal.value.log_lines == "no keys here"


def test_the_log_of_the_run_before_is_kept_once(tmp_path: Path) -> None:
    for word in ("first", "second", "third"):
        with processes.start("echo", ["echo", word], log=tmp_path / "echo.log") as process:
            process.popen.wait()
    assert (tmp_path / "echo.log").read_text() == "third\n"
    assert (tmp_path / "echo.previous.log").read_text() == "second\n"


def test_a_port_in_use_is_refused_with_its_holder_and_another_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as refusal:
            ports.require(port, "HAIYIBAN_PORT")
    assert f"Port {port} is in use by" in refusal.value.words.en
    assert f"pid {os.getpid()}" in refusal.value.words.en
    assert "HAIYIBAN_PORT=" in refusal.value.words.zh
    ports.require(port, "HAIYIBAN_PORT")


def test_a_remembered_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    memory = tmp_path / "port"
    first = ports.remembered(memory)
    assert ports.remembered(memory) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert ports.remembered(memory) != first


def _is_gone(pid: int) -> bool:
    """Ended; where nobody collects orphans a zombie stays, which runs no more."""
    stat = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
