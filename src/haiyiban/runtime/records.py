"""One lean access record a request.

A record names the route, never the path, query or body: no personal data can be in it. Records are
written many at a time, because a write for each costs more than the request.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

_FLUSH_SECONDS = 0.2
_FLUSH_AT = 256


class AccessRecord(msgspec.Struct):
    """What is written of a request."""

    at: str
    id: str
    method: str
    route: str
    status: int
    ms: float
    caller: str
    bytes: int


class AccessLog:
    """Buffers records and writes them as lines of JSON."""

    def __init__(self, write: Callable[[bytes], object] | None = None) -> None:
        self._write = write or _to_stdout
        self._records: list[AccessRecord] = []
        self._encoder = msgspec.json.Encoder()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, record: AccessRecord) -> None:
        """Keep a record; it is written within a fifth of a second."""
        self._records.append(record)
        if len(self._records) >= _FLUSH_AT:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what is kept."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        records, self._records = self._records, []
        if records:
            self._write(self._encoder.encode_lines(records))


def _to_stdout(lines: bytes) -> None:
    sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def stamp() -> str:
    """The wall clock of the machine: a log tells real time, whatever the demo's clock says."""
    now = time.time()
    second = int(now)
    return f"{_second(second)}.{int((now - second) * 1000):03d}+00:00"
