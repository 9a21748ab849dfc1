"""A phone that asks a platform whose clock was moved learns the moved time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from haiyiban import clock
from haiyiban.runtime.moved_clock import dated

WEEK = timedelta(days=7)


@pytest.fixture
def in_a_week() -> Iterator[None]:
    clock.shift(WEEK.total_seconds())
    yield
    clock.shift(0)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": [(b"x-own", b"kept")]})
    await send({"type": "http.response.body", "body": b""})


async def test_an_answer_is_dated_by_the_moved_clock(in_a_week: None) -> None:
    transport = httpx.ASGITransport(app=dated(bare))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/")
    ahead = parsedate_to_datetime(answer.headers["date"]) - clock.wall()
    assert abs(ahead - WEEK) < timedelta(seconds=5)
    assert answer.headers["x-own"] == "kept"
