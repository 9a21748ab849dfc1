"""Waiting for what was started until it answers."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence

from haiyiban.errors import Words
from haiyiban.runtime.processes import Process
from haiyiban.runtime.refusal import CannotStart

_PATIENCE_SECONDS = 60.0


def wait_until_ready(port: int, path: str, *, processes: Sequence[Process]) -> None:
    """Wait until the address on loopback answers 200.

    `processes`: the one asked comes first. Raises CannotStart when one of them ends, or after a minute.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_ready(port, path):
        for process in processes:
            process.require_running()
        if time.monotonic() > deadline:
            asked = processes[0]
            raise CannotStart(
                Words(
                    f"{asked.name} 一分钟内没有就绪（http://127.0.0.1:{port}{path}）。日志：{asked.log}",
                    f"{asked.name} is not ready after a minute (http://127.0.0.1:{port}{path}). "
                    f"Log: {asked.log}",
                ),
                log_lines=asked.log_lines(),
            )
        time.sleep(0.05)


def is_ready(port: int, path: str) -> bool:
    """Whether an address on loopback answers 200 within five seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
