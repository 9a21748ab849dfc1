"""The embedded PostgreSQL: a real server from an installed wheel, for laptops, the demo and the tests.

with EmbeddedPostgres(home) as postgres:
    connect(postgres.url)
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from haiyiban.errors import Words
from haiyiban.runtime import ports, postgres_cluster, processes, state_folder
from haiyiban.runtime.postgres_seat import Seat, find_programs, take_seat
from haiyiban.runtime.refusal import CannotStart

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_START_SECONDS = 60.0
"""Long, because recovery after a crash is part of the start."""


class EmbeddedPostgres:
    """A PostgreSQL server under `home`, running while inside the `with` block.

    `settings` are server settings laid over ours, such as `{"fsync": "off"}` for tests that start from
    nothing; `programs` is a folder of PostgreSQL's programs to use instead of the wheel's.
    Raises CannotStart.
    """

    def __init__(
        self, home: Path, settings: Mapping[str, str] | None = None, *, programs: Path | None = None
    ) -> None:
        self._home = home
        self._settings = _SETTINGS | dict(settings or {})
        self._programs = programs
        self._stack = ExitStack()
        self.url = ""
        """postgresql://user:password@127.0.0.1:port/haiyiban, once started."""
        self.process: processes.Process
        """The server, once started."""

    def __enter__(self) -> EmbeddedPostgres:
        with ExitStack() as stack:
            home = state_folder.prepare(self._home)
            stack.enter_context(state_folder.held(home / "postgres.lock"))
            state_folder.require_room(home)
            seat = take_seat(self._programs or find_programs(), home / "postgres")
            log = home / "logs" / "postgres.log"
            password = postgres_cluster.known_password(seat)
            if password is None:
                password = postgres_cluster.initialise(seat)
                port = self._start(stack, seat, log)
                postgres_cluster.complete(seat, port, password)
            else:
                seat.own(seat.folder / "data")
                postgres_cluster.clear_predecessor(seat.folder / "data")
                port = self._start(stack, seat, log)
            user, database = postgres_cluster.USER, postgres_cluster.DATABASE
            self.url = f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack, seat: Seat, log: Path) -> int:
        """Start the server and return its port.

        Tried again when another program was faster to take the port, or while the memory of a killed
        predecessor is still held.
        """
        deadline = time.monotonic() + _START_SECONDS
        while True:
            port = ports.remembered(seat.folder / "port")
            settings = self._settings | {"port": str(port)}
            with ExitStack() as attempt:
                self.process = attempt.enter_context(
                    processes.start(
                        "PostgreSQL",
                        seat.command(
                            "postgres",
                            "-D",
                            str(seat.folder / "data"),
                            *(f"--{name}={value}" for name, value in settings.items()),
                        ),
                        log=log,
                        env=postgres_cluster.environment(),
                        user=seat.user,
                        stop_signals=(signal.SIGINT, signal.SIGQUIT),
                    )
                )
                if _becomes_ready(self.process, seat.folder / "data", deadline):
                    stack.push(attempt.pop_all())
                    return port
            lines = self.process.log_lines()
            postgres_cluster.refuse_if_hopeless(lines, seat.folder)
            if not _may_pass(lines) or time.monotonic() > deadline:
                raise CannotStart(
                    Words(f"PostgreSQL 没有启动成功。日志：{log}", f"PostgreSQL did not start. Log: {log}"),
                    log_lines=lines,
                )
            time.sleep(0.3)


def _becomes_ready(process: processes.Process, data: Path, deadline: float) -> bool:
    """Wait until the server takes connections; False when it ended instead, or the time is over."""
    pid_file = data / "postmaster.pid"
    while not process.has_ended and time.monotonic() < deadline:
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) > 7 and int(lines[0]) == process.popen.pid and lines[7].strip() == "ready":
            return True
        time.sleep(0.02)
    return False


def _may_pass(log_lines: str) -> bool:
    """Whether another try can succeed."""
    return "Address already in use" in log_lines or "pre-existing shared memory block" in log_lines
