"""A stream on a real server: it comes as it happens, and it keeps no server from stopping."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.serving import Serving, serving


@pytest.fixture
def server(environ: dict[str, str], app: object) -> Iterator[Serving]:
    """A second process of the platform."""
    with serving(environ) as started:
        yield started


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
