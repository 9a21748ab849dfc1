"""A Chromium for the tests, and its windows: nothing that a page complains of passes unseen."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from tests.web import chromium

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
SCREEN = {"width": 1920, "height": 1080}
OURS = ("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:", "about:")


@asynccontextmanager
async def launched(*flags: str) -> AsyncIterator[Browser]:
    """A Chromium that reaches this machine alone."""
    found = chromium.find()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program,
            args=[*chromium.FLAGS, *flags],
            env={**os.environ, **found.environ},
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def watched(browser: Browser, expected: list[str], **looks: Any) -> AsyncIterator[BrowserContext]:
    """Somebody's browser, with cookies and storage of its own.

    Without service workers, unless `looks` allow them: keeping a hundred files costs more than most tests do.
    Fails at its end on anything that one of its pages complained of or asked of another host, unless
    a part of it is among `expected`: a browser tells of every refused request.
    """
    complaints: list[str] = []

    def note(complaint: str) -> None:
        complaints.append(complaint)

    def foreign(sent: Request) -> None:
        if not sent.url.startswith(OURS):
            note(sent.url)

    context = await browser.new_context(**{"locale": "zh-CN", "service_workers": "block"} | looks)
    context.on("console", lambda said: note(f"{said.text} {_place(said)}") if said.type == "error" else None)
    context.on("weberror", lambda error: note(str(error.error)))
    context.on("request", foreign)
    yield context
    await context.close()
    unexpected = [each for each in complaints if not any(part in each for part in expected)]
    assert not unexpected, "\n".join(unexpected)


def _place(said: ConsoleMessage) -> str:
    """Where in which file; of a refused request, its address."""
    return str(said.location.get("url", ""))


@asynccontextmanager
async def watched_page(browser: Browser, expected: list[str], **looks: Any) -> AsyncIterator[Page]:
    """The first page of such a browser."""
    async with watched(browser, expected, **looks) as context:
        yield await context.new_page()
