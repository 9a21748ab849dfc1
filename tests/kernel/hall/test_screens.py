"""The hall over HTTP: the same figures at every process, told as they change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest
from litestar.types import ASGIApp

from haiyiban import divisions
from haiyiban.db import Database
from haiyiban.hall import watching
from tests.kernel.codes.listening import following
from tests.kernel.hall.test_counting import count
from tests.serving import serving


@pytest.fixture
async def counted(api: httpx.AsyncClient, database: Database) -> None:
    """There are figures."""
    await count(database)


@pytest.fixture
def another(environ: dict[str, str], app: ASGIApp) -> Iterator[str]:
    """A second process of the platform."""
    with serving(environ) as (process, base):
        yield base
        started = time.monotonic()
        process.terminate()
        process.wait(timeout=20)
        assert time.monotonic() - started < 8, "an open screen keeps no process from stopping"


async def test_everybody_reads_the_figures_and_asks_again_for_nothing(
    api: httpx.AsyncClient, counted: None
) -> None:
    answer = await api.get("/hall/figures")
    assert answer.status_code == 200
    said = answer.json()
    assert len(said["hours"]) == 24
    assert len(said["days"]) == 7
    assert {"460100", "460200", "469028"} <= {each["division"] for each in said["counties"]}
    assert set(said["today"]) == {
        "casesSubmitted", "casesDecided", "codesShown", "codesVerified", "vouchersClaimed", "vouchersRedeemed"
    }  # fmt: skip
    assert answer.headers["cache-control"] == "public, max-age=2"
    again = await api.get("/hall/figures", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code in {200, 304}
    if again.status_code == 200:  # counted meanwhile
        assert again.json()["number"] > said["number"]


async def test_a_screen_hears_of_each_count_and_of_none_twice(
    app: ASGIApp, counted: None, database: Database
) -> None:
    async with following(app, "/hall/events", {}) as line:
        assert await line.answered() == 200
        name, first = await line.event()
        assert name == "figures"
        assert line.last_id == str(first["number"])
        await count(database)
        _, second = await line.event()
        assert second["number"] > first["number"]
        assert second["at"] > first["at"]
    async with following(app, "/hall/events", {"Last-Event-ID": str(second["number"])}) as line:
        await count(database)
        _, third = await line.event()
        assert third["number"] > second["number"], "the known figures are not told again"


async def test_two_processes_show_the_same(api: httpx.AsyncClient, another: str, counted: None) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(20):
            here = await api.get("/hall/figures")
            there = await client.get(f"{another}/hall/figures")
            if here.json()["number"] == there.json()["number"]:
                break
            await asyncio.sleep(0.2)
        assert here.json() == there.json()
        async with client.stream("GET", f"{another}/hall/events") as stream:
            assert await anext(stream.aiter_lines()) == "event: figures"


async def test_who_comes_to_a_full_process_is_told_to_ask_instead(
    api: httpx.AsyncClient, counted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SCREENS_MOST", 0)
    answer = await api.get("/hall/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"
    assert (await api.get("/hall/figures")).status_code == 200


async def test_the_figures_come_in_the_readers_language(api: httpx.AsyncClient, counted: None) -> None:
    names = []
    for language in ("zh-CN", "en"):
        answer = await api.get("/hall/figures", headers={"Accept-Language": language})
        names += [each["name"] for each in answer.json()["counties"] if each["division"] == "460100"]
    assert names == [divisions.get("460100").name, divisions.get("460100").name_en]
