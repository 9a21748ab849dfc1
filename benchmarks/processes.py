"""Servers under test on loopback, and the processor time that they take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(factory: str, port: int, *, environ: Mapping[str, str], log: Path, ready: str) -> Iterator[int]:
    """A granian server, set up as `haiyiban serve` sets it up, on core 0 where there are two; its pid."""
    command = [
        *(sys.executable, "-m", "granian", factory, "--factory", "--interface", "asgi", "--loop", "asyncio"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
    ]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, env={**os.environ, **environ}, stdout=output, stderr=output) as process,
    ):
        try:
            _await(f"http://127.0.0.1:{port}{ready}", process)
            for pid in tree(process.pid):
                pin(pid, 0)
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextmanager
def loading(*arguments: str, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A load generator on core 1: a line to its stdin starts a round, its stdout tells what came of it."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(
        command, env={**os.environ, **environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        pin(process.pid, 1)
        try:
            yield process
        finally:
            process.kill()


def pin(pid: int, core: int) -> None:
    """Keep a process, all its threads, on one core, where there are two."""
    if (os.cpu_count() or 1) < 2:
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its children have taken, to the nanosecond."""
    total = 0
    for each in tree(pid):
        # Some end meanwhile, as a vacuum of PostgreSQL does.
        for thread in Path("/proc").glob(f"{each}/task/*"):
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return total / 1e9


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not come up; see its log")
