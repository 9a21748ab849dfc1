"""What the platform stands on, started as a province starts it, with everything that can be done to it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from haiyiban import clock
from haiyiban.certificates import demo_authority
from haiyiban.runtime import ceremony, migrate, ports, processes
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.processes import Process
from haiyiban.runtime.readiness import wait_until_ready
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings
from tests.chaos.lines import Line

DISK = "48m"
"""What people's files have room for, where this machine lets us say so."""


@dataclass
class Parts:
    """PostgreSQL with fsync and Valkey behind their lines, the sandbox, the API and the worker."""

    home: Path
    settings: Settings
    """With the database's own address, which the checker uses: nothing is done to that."""
    sandbox_url: str
    postgres: Process | None
    """None where the database is kept by others."""
    valkey: Process
    api: Process
    worker: Process
    lines: dict[str, Line]
    disk: Path | None
    """The folder of people's files, if it is a small disk of its own."""
    environ: dict[str, str]
    """Of the API and the worker; a start again reads it anew."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def kill(self, name: str) -> None:
        """kill -9 of one that is a field here."""
        part: Process = getattr(self, name)
        part.popen.kill()

    def kill_one_that_serves(self) -> None:
        """The process under `haiyiban serve`, which starts another."""
        for child in _children(self.api.popen.pid):
            if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)

    def skew(self, seconds: float) -> None:
        """The API with a clock that is wrong, until it is set right."""
        self.environ["HAIYIBAN_CLOCK_OFFSET"] = str(seconds)
        self.kill("api")

    def fill_disk(self) -> None:
        """No byte more for people's files."""
        assert self.disk is not None
        with (self.disk / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"\0" * 65536)
            except OSError:
                pass

    def empty_disk(self) -> None:
        assert self.disk is not None
        (self.disk / "filler").unlink(missing_ok=True)

    async def keep(self) -> None:
        """Start again what ended, as whoever keeps a machine does; for ever."""
        while True:
            for part in (self.postgres, self.valkey, self.api, self.worker):
                if part is not None and part.has_ended:
                    part.start_again()
            await asyncio.sleep(0.2)


def _children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


@asynccontextmanager
async def started(home: Path, database_url: str = "") -> AsyncIterator[Parts]:
    """All of it, from an empty folder; on a database that others keep, if one is given."""
    with ExitStack() as stack:
        lines, postgres = {}, None
        if not database_url:
            embedded = stack.enter_context(EmbeddedPostgres(home))
            database_url, postgres = embedded.url, embedded.process
            lines["postgres"] = Line(_port(database_url))
        valkey = stack.enter_context(EmbeddedValkey(home))
        lines["valkey"] = Line(_port(valkey.url))
        for line in lines.values():
            await line.start()
        sandbox_port = ports.any_free()
        environ = {
            **os.environ,
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": str(home),
            "HAIYIBAN_PORT": str(ports.any_free()),
            "HAIYIBAN_REGISTERS_URL": f"http://127.0.0.1:{sandbox_port}",
            "HAIYIBAN_PASSWORD_KIB": "64",
            "DATABASE_URL": through(database_url, lines["postgres"]) if postgres else database_url,
            "REDIS_URL": through(valkey.url, lines["valkey"]),
        }
        os.environ.update(environ)
        settings = Settings.from_env(environ | {"DATABASE_URL": database_url})
        await asyncio.to_thread(migrate.upgrade, database_url)  # has a loop of its own
        ceremony.play(settings, clock.now())
        demo_authority.prepare(settings, now=clock.now())
        disk = _small_disk(stack, home / "uploads")

        def start(name: str, *command: str) -> Process:
            log = home / "logs" / f"{name}.log"
            whole = [sys.executable, "-m", *command]
            return stack.enter_context(processes.start(name, whole, log=log, env=environ))

        sandbox = start(
            "sandbox", "haiyiban_sandbox", "--port", str(sandbox_port), "--home", str(home / "sandbox")
        )
        api = start("api", "haiyiban.cli", "serve")
        worker = start("worker", "haiyiban.cli", "worker")
        parts = Parts(
            home,
            settings,
            environ["HAIYIBAN_REGISTERS_URL"],
            postgres,
            valkey.process,
            api,
            worker,
            lines,
            disk,
            environ,
        )
        # Its line is served by this loop, which must not wait.
        await asyncio.to_thread(
            wait_until_ready, settings.port, "/health/ready", processes=[api, worker, sandbox]
        )
        try:
            yield parts
        finally:
            for line in lines.values():
                await line.stop()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def through(url: str, line: Line) -> str:
    """The same database by way of a line."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{line.port}")))


def _small_disk(stack: ExitStack, folder: Path) -> Path | None:
    """A file system of its own on the folder; None where this machine does not let us."""
    folder.mkdir(mode=0o700, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "haiyiban-chaos", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
    return folder
