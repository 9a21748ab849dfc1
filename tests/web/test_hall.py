"""The hall's screen in a real browser: looked at, cut off, left alone for a day."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect
from sqlalchemy import delete, update

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.hall import rules
from haiyiban.hall.models import Board, Count
from haiyiban.runtime import ports
from tests.kernel.hall.test_counting import MATTER, count, kind, kinds, step
from tests.web.looks import AXE

COUNTIES = ["460100", "460200", "460400", "469002", "469005", "469006", "469023", "469028"]
MATTERS = [
    "education.exam-score-proof",
    "employment.job-registration",
    "housing-fund.rent-withdrawal",
    "public-security.driving-licence-replacement",
    "market-regulation.food-business-licence",
    "civil-affairs.senior-card",
]


@pytest.fixture
async def busy(database: Database, api: httpx.AsyncClient) -> AsyncIterator[None]:
    """A week of a province, as the counts of it would stand there."""
    await count(database)  # a first count would look for these days itself
    today = rules.day_of(clock.now())
    rows = [
        row
        for hour in range(6 * 24)
        for row in _hour(today - timedelta(days=6) + timedelta(hours=hour), hour % 24)
    ]
    hours = range(clock.now().astimezone(clock.SHANGHAI).hour)
    rows += [row for hour in hours for row in _hour(today + timedelta(hours=hour), hour)]
    async with database.transaction() as session:
        await session.execute(delete(Count))
        await session.execute(update(Board).values(closed_until=rules.hour_of(clock.now())))
        session.add_all(rows)
    if not hours:  # before one in the morning nothing of today is counted by the hour yet
        for _ in range(5):
            await step(database, "submission")
    await count(database)
    yield
    async with database.transaction() as session:
        await session.execute(delete(Count))


def _hour(since: datetime, hour: int) -> list[Count]:
    """How busy an hour is: asleep at night, two humps by day."""
    by_day = [1, 1, 1, 1, 1, 1, 3, 9, 22, 31, 30, 21, 12, 16, 27, 29, 24, 14, 8, 6, 4, 3, 1, 1][hour]
    made = []
    for place, county in enumerate(COUNTIES):
        for number, matter in enumerate(MATTERS):
            submitted = by_day * (8 - place) // (1 + number)
            made += [
                ("cases.submitted", county, matter, submitted),
                ("cases.decided", county, matter, submitted * 9 // 10),
                ("cases.decided_late", county, matter, submitted // 60),
            ]
    made += [
        ("codes.shown", "", "", by_day * 190),
        ("codes.verified", "", "", by_day * 150),
        ("duty-free.claimed", "", "", by_day * 40),
        ("duty-free.redeemed", "", "", by_day * 17),
    ]
    return [
        Count(since=since, seconds=3600, name=name, division=division, matter=matter, count=number)
        for name, division, matter, number in made
        if number
    ]


@pytest.fixture
async def screen(page: Page, site: str) -> Page:
    """The screen, full size."""
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{site}/hall/")
    return page


async def test_figures_stand_on_the_screen_and_change_by_themselves(
    busy: None, screen: Page, database: Database, api: httpx.AsyncClient
) -> None:
    said = (await api.get("/hall/figures")).json()
    shown = screen.locator(".cards > div", has_text="今日申请").locator("b")
    await expect(screen.get_by_role("status")).to_have_text("实时")
    await expect(shown).to_have_text(f"{said['today']['casesSubmitted']:,}")
    full = (await kinds(database)).get(kind("submitted", MATTER), 0)
    for _ in range(5 - full % 5):
        await step(database, "submission")
    await count(database)
    await expect(shown).to_have_text(f"{said['today']['casesSubmitted'] + 5 - full % 5:,}")
    await expect(screen.locator(".feed li").first).to_contain_text("陵水")
    await expect(screen.locator(".feed li").first).to_contain_text("新增申请 5 件")


async def test_an_empty_morning_says_so_and_invents_nothing(
    page: Page, site: str, database: Database, api: httpx.AsyncClient, expected: list[str]
) -> None:
    """What other tests did today is counted, so the morning is made of the real answer."""
    expected.append("503")
    await count(database)
    empty = _empty((await api.get("/hall/figures")).json())
    cards = page.locator(".cards > div")
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.route("**/api/v1/hall/figures", lambda route: route.fulfill(json=empty))
    await page.route("**/api/v1/hall/events", lambda route: route.fulfill(status=503, json={}))
    await page.goto(f"{site}/hall/")
    await expect(cards.filter(has_text="今日申请").locator("b")).to_have_text("0")
    await expect(cards.filter(has_text="按时办结率").locator("b")).to_have_text("暂无")
    await expect(cards.filter(has_text="消费券领取").locator("b")).to_have_text("暂无")
    await expect(page.get_by_text("今日动态会在这里滚动显示")).to_be_visible()
    await expect(page.locator(".tiles li", has_text="三沙")).to_contain_text("少于 5")
    if os.environ.get("SHOTS"):
        await page.screenshot(path=f"{os.environ['SHOTS']}/hall-empty.png")


def _empty(document: dict[str, Any]) -> dict[str, Any]:
    """A day on which nothing was counted yet, and vouchers are not counted at all."""
    none = dict.fromkeys(document["today"], 0) | {"vouchersClaimed": None, "vouchersRedeemed": None}
    return document | {
        "today": none,
        "onTimeRate": None,
        "hours": [each | {"counts": none} for each in document["hours"]],
        "days": [each | {"counts": none} for each in document["days"]],
        "counties": [
            each | {"count": None if each["division"] == "460300" else 0} for each in document["counties"]
        ],
        "matters": [],
        "feed": [],
    }


async def test_a_screen_that_is_cut_off_says_so_and_comes_back(
    busy: None, screen: Page, expected: list[str]
) -> None:
    expected += ["Failed to load resource", "net::ERR"]
    await expect(screen.get_by_role("status")).to_have_text("实时")
    before = await screen.locator(".cards b").first.text_content()
    await screen.route("**/api/v1/hall/**", lambda route: route.abort())
    await screen.reload()
    await expect(screen.get_by_role("status")).to_have_text("正在连接…")
    await screen.unroute("**/api/v1/hall/**")
    await expect(screen.get_by_role("status")).to_have_text("实时")
    await expect(screen.locator(".cards b").first).to_have_text(before or "")


async def test_old_figures_are_not_called_live(
    busy: None, page: Page, site: str, api: httpx.AsyncClient, expected: list[str]
) -> None:
    """The worker stands still: the figures stay, and the screen says since when."""
    expected.append("503")
    document = (await api.get("/hall/figures")).json()
    document["at"] = (clock.now() - timedelta(minutes=7)).isoformat()

    async def old(route: Route) -> None:
        await route.fulfill(json=document)

    await page.route("**/api/v1/hall/figures", old)
    await page.route("**/api/v1/hall/events", lambda route: route.fulfill(status=503, json={}))
    await page.goto(f"{site}/hall/")
    await expect(page.get_by_role("status")).to_contain_text("数据停在")


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (390, 844)])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_screen_fits_and_axe_finds_nothing(
    busy: None, page: Page, site: str, width: int, height: int, language: str
) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await page.add_init_script(
        f"localStorage.setItem('haiyiban.prefs', JSON.stringify({{language: '{language}'}}))"
    )
    await page.goto(f"{site}/hall/")
    await expect(page.locator(".tiles li")).to_have_count(19)
    await expect(page.locator(".cards b").first).not_to_have_text("0")
    await page.evaluate(AXE.read_text())
    found = await page.evaluate(
        "async () => (await axe.run(document)).violations.map((each) => [each.id, each.nodes[0].html])"
    )
    assert found == []
    across, down = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert across <= width
    if width > 1000:
        assert down <= height, "a screen that nobody scrolls"
        cut = await page.evaluate(
            "[...document.querySelectorAll('.legend, .scale li, .under, .tiles li, .cards > div, h2')]"
            ".filter((each) => each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right"
            " > innerWidth).map((each) => each.outerHTML)"
        )
        assert cut == [], "nothing is cut off"
    if os.environ.get("SHOTS"):
        await page.screenshot(path=f"{os.environ['SHOTS']}/hall-{width}-{language}.png")


HOUR = 720
"""Events of an hour, one in five seconds; then the stream ends and the screen comes again."""


@pytest.fixture
async def day(busy: None, api: httpx.AsyncClient) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """A server that tells a day of events within two minutes, an hour a stream, and then nothing."""
    document = (await api.get("/hall/figures")).json()
    told = {"events": 0, "streams": 0}
    line = {"at": document["at"], "kind": "casesSubmitted", "county": "海口市", "matter": None, "count": 5}
    texts = [
        json.dumps(
            document
            | {"number": 777777, "today": dict.fromkeys(document["today"], 777777)}
            | {"feed": [{"id": f"777777-{place}", **line} for place in range(lines)]}
        )
        for lines in range(12)
    ]

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\naccess-control-allow-origin: *\r\n"
            b"connection: close\r\n\r\n"
        )
        told["streams"] += 1
        for _ in range(HOUR if told["streams"] <= 24 else 1):
            told["events"] += 1
            number = document["number"] + told["events"]
            data = texts[number % 12].replace("777777", str(number))
            writer.write(f"event: figures\nid: {number}\ndata: {data}\n\n".encode())
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.close()

    port = ports.any_free()
    server = await asyncio.start_server(tell, "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}/", told
    server.close()


@pytest.mark.long
async def test_a_day_unattended_leaves_memory_flat(
    page: Page, site: str, day: tuple[str, dict[str, int]]
) -> None:
    """17,280 events on 24 streams; heap and nodes after garbage was collected, early and at the end."""
    address, told = day
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.route("**/api/v1/hall/events", lambda route: route.continue_(url=address))
    devtools = await page.context.new_cdp_session(page)

    async def held() -> tuple[int, int]:
        for _ in range(3):
            await devtools.send("HeapProfiler.collectGarbage")
        heap = (await devtools.send("Runtime.getHeapUsage"))["usedSize"]
        counters = await devtools.send("Memory.getDOMCounters")
        return int(heap), int(counters["nodes"]) + int(counters["jsEventListeners"])

    await page.goto(f"{site}/hall/")
    await _until(lambda: told["streams"] > 2)
    early = await held()
    await _until(lambda: told["streams"] > 24)
    assert told["events"] >= 24 * HOUR
    late = await held()
    print(f"heap {early[0]} -> {late[0]}, nodes and listeners {early[1]} -> {late[1]}")  # noqa: T201
    assert late[0] - early[0] < 1_000_000, "bytes"
    assert late[1] - early[1] < 200
    await expect(page.get_by_role("status")).to_have_text("实时")
    await page.goto("about:blank")


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(240):
        while not is_so():  # noqa: ASYNC110 - the server of the test counts in a plain dict
            await asyncio.sleep(0.1)
