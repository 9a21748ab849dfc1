"""A stream on a real server: it comes as it happens, and it keeps no server from stopping."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from haiyiban.runtime import ports


@pytest.fixture
def server(environ: dict[str, str], app: object) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`haiyiban serve` as a process of its own, on the data of the tests."""
    port = ports.any_free()
    command = [sys.executable, "-m", "haiyiban.cli", "serve"]
    settings = os.environ | environ | {"HAIYIBAN_PORT": str(port)}
    with subprocess.Popen(command, env=settings) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _await(f"{base}/health/live")
            yield process, f"{base}/api/v1"
        finally:
            process.kill()


async def test_a_scan_at_another_process_is_heard_and_stopping_takes_no_time(
    server, notice, show, scan
) -> None:
    process, base = server
    used, waiting = await show(notice), await show(notice)
    async with httpx.AsyncClient(timeout=30) as client:
        async with client.stream("GET", f"{base}/codes/{used['id']}/events", headers=notice.keeper) as line:
            lines = line.aiter_lines()
            assert await anext(lines) == "event: state"
            assert line.headers["content-type"] == "text/event-stream; charset=utf-8"
            await scan(used["text"])
            told = [text async for text in lines if text.startswith("event: ")]
            assert told == ["event: scanned"]
        async with client.stream(
            "GET", f"{base}/codes/{waiting['id']}/events", headers=notice.keeper
        ) as line:
            lines = line.aiter_lines()
            assert await anext(lines) == "event: state"
            started = time.monotonic()
            process.terminate()
            with suppress(httpx.RemoteProtocolError):  # cut off by the server, which is as good
                assert not [text async for text in lines if text.startswith("event: ")]
            process.wait(timeout=30)
            assert time.monotonic() - started < 6


def _await(url: str) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            httpx.get(url, timeout=1).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
