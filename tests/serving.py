"""A process of the API on the data of the tests, for what must hold between two processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from haiyiban.runtime import ports


class Serving(NamedTuple):
    """`haiyiban serve`, and where its API is."""

    process: subprocess.Popen[bytes]
    base: str


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[Serving]:
    """Until it answers at first; killed at the end where it was not ended before."""
    port = ports.any_free()
    command = [sys.executable, "-m", "haiyiban.cli", "serve"]
    settings = os.environ | environ | {"HAIYIBAN_PORT": str(port)}
    with subprocess.Popen(command, env=settings) as process:
        try:
            await_answer(f"http://127.0.0.1:{port}/health/live")
            yield Serving(process, f"http://127.0.0.1:{port}/api/v1")
        finally:
            process.kill()


def await_answer(url: str) -> None:
    """Until it is good. Raises HTTPError when it is not after a minute and a half."""
    deadline = time.monotonic() + 90
    with httpx.Client(timeout=1, verify=False) as client:
        while True:
            try:
                client.get(url).raise_for_status()
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return
