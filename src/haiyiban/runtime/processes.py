"""Child processes that never outlive us: each with its log, its own group and a polite way to stop."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from haiyiban.errors import Words
from haiyiban.runtime.refusal import CannotStart

_PR_SET_PDEATHSIG = 1
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Process:
    """A running child. Leaving the `with` block stops it."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    stop_signals: Sequence[signal.Signals]
    patience_seconds: float
    spawn: Callable[[], subprocess.Popen[bytes]]

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def has_ended(self) -> bool:
        return self.popen.poll() is not None

    def stop(self) -> None:
        """Ask politely, then less so, then end the whole group: a dead parent's children go too."""
        for stop_signal in self.stop_signals:
            if self.has_ended:
                break
            self.popen.send_signal(stop_signal)
            try:
                self.popen.wait(self.patience_seconds)
            except subprocess.TimeoutExpired:
                continue
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def start_again(self) -> None:
        """Take the place of one that ended by itself; the log goes on. From the main thread (see start)."""
        self.stop()
        with undisturbed():
            self.popen = self.spawn()

    def log_lines(self, count: int = 15) -> str:
        """The end of the log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-count:])

    def require_running(self) -> None:
        """Raise CannotStart, with the end of its log, when it has ended by itself."""
        if self.has_ended:
            raise CannotStart(
                Words(
                    f"{self.name} 意外退出（{_how(self.popen.returncode)}）。日志：{self.log}",
                    f"{self.name} ended by itself ({_how(self.popen.returncode)}). Log: {self.log}",
                ),
                log_lines=self.log_lines(),
            )


def start(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
    stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,),
    patience_seconds: float = 20.0,
) -> Process:
    """Start a child in a session of its own, so that Ctrl-C reaches us alone and we decide the order.

    Call it from the main thread: Linux sends the death signal when the *thread* that started the child ends.
    `user` is the number of the operating-system user (and group) to run as; only root may set it.
    """
    log.parent.mkdir(mode=0o700, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    parent = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, int(stop_signals[0]), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    def spawn() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=env,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
                preexec_fn=prepare,
            )

    return Process(name, spawn(), log, stop_signals, patience_seconds, spawn)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits: a child that is started and not yet noted would be left behind."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for_end(pid: int, *, seconds: float) -> bool:
    """Wait for a process that is not our child; False when it is still there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        time.sleep(0.05)
    return False


def _how(returncode: int) -> str:
    return signal.Signals(-returncode).name if returncode < 0 else f"exit {returncode}"
