"""Journeys by taps: people with phones, desks and scanners before the platform that `haiyiban up` runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from playwright.async_api import Browser, Locator, Page

from haiyiban.runtime import ports
from tests.builders import Somebody
from tests.journeys.conftest import Platform, running
from tests.journeys.people import Official
from tests.web import desk_steps, verifier_steps
from tests.web.browsers import DESK, PHONE, SCREEN, launched, watched_page
from tests.web.camera import Lens
from tests.web.conftest import expected
from tests.web.phone_steps import Phone

__all__ = ["expected"]


class Days:
    """A platform whose days pass: it stops, and starts later at the same address."""

    def __init__(self, home: Path, *flags: str, **settings: str) -> None:
        self._home, self._flags = home, flags
        # A phone knows an address: what it keeps is kept for that one.
        self._address = {
            "HAIYIBAN_PORT": str(ports.any_free()),
            "HAIYIBAN_SANDBOX_PORT": str(ports.any_free()),
        } | settings
        self._ahead = timedelta()
        self._used: dict[str, str] = {}
        self._run = ExitStack()
        self.platform = self._start()

    def _start(self) -> Platform:
        offset = str(int(self._ahead.total_seconds()))
        started = running(self._home, *self._flags, **self._address, HAIYIBAN_CLOCK_OFFSET=offset)
        return self._run.enter_context(started)

    def now(self) -> datetime:
        """The instant at which the platform lives."""
        return datetime.now(UTC) + self._ahead

    def pass_until(self, instant: datetime) -> None:
        """Let time go by; journeys that come later begin there."""
        if instant > self.now():
            self.stop()
            self._ahead = instant - datetime.now(UTC)
            self.platform = self._start()

    async def fresh_otp(self, secret: str) -> str:
        """A code of the half minute that nobody signed in with; one is good once."""
        codes = pyotp.TOTP(secret)
        if codes.now() == self._used.get(secret):
            await asyncio.sleep(codes.interval - time.time() % codes.interval)
        self._used[secret] = codes.now()
        return self._used[secret]

    def stop(self) -> None:
        """Ctrl-C."""
        self._run.close()


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """`haiyiban up` in an empty folder, for all journeys of a module."""
    begun = Days(tmp_path_factory.mktemp("taps") / "state")
    yield begun
    begun.stop()


@pytest.fixture(scope="module")
def lens(tmp_path_factory: pytest.TempPathFactory) -> Lens:
    """The camera of the browser."""
    return Lens(tmp_path_factory.mktemp("lens") / "seen.y4m")


@pytest.fixture(scope="module")
async def browser(lens: Lens) -> AsyncIterator[Browser]:
    """One Chromium for everybody, with a camera."""
    async with launched(*lens.flags) as started:
        yield started


class Devices:
    """What people hold in their hands."""

    def __init__(self, browser: Browser, days: Days, expected: list[str]) -> None:
        self._browser, self._days, self._expected = browser, days, expected
        self._open = AsyncExitStack()

    async def phone(self) -> Phone:
        """A new phone, on which nobody is signed in."""
        page = await self._page(PHONE)
        demo = self._days.platform.demo
        sandbox = await self._open.enter_async_context(httpx.AsyncClient(base_url=demo["sandbox"]))
        return Phone(page, demo["web"], sandbox)

    async def desk(self, role: str, place: str = "/", *, of: dict[str, Any] | None = None) -> Page:
        """A desk at which the demo's account of a role signs in as people do; `of` another province."""
        demo = of or self._days.platform.demo
        account = demo["accounts"][role]
        page = await self._page(DESK)
        otp = await self._days.fresh_otp(account["otpSecret"]) if "otpSecret" in account else ""
        await page.goto(f"{demo['web']}/desk{place}")
        await desk_steps.sign_in(page, account["username"], account["password"], otp)
        return page

    async def verifier(self, account: str, purpose: str) -> Page:
        """The page of an accredited verifier with its camera on."""
        demo = self._days.platform.demo
        secret = demo["accounts"][account]
        page = await self._page(PHONE)
        await verifier_steps.enter(page, demo["web"], secret["clientId"], secret["clientSecret"], purpose)
        return page

    async def terminal(self, place: str, purpose: str) -> Page:
        """The same page as a terminal of a verifier that may do so, by a code that the operator reads out."""
        platform = self._days.platform
        operator = Official(platform, "operator")
        owners = operator.get("/desk/verifiers")["items"]
        owner = next(each["id"] for each in owners if purpose in each["purposes"])
        body = {"verifierId": owner, "name": f"{place}一号机", "place": place, "purpose": purpose}
        code = operator.post("/desk/terminals", body, expect=201)["oneTimeCode"]
        page = await self._page(PHONE)
        await verifier_steps.enrol(page, platform.demo["web"], code, purpose)
        return page

    async def hall(self) -> Page:
        """The big screen in a service hall."""
        page = await self._page(SCREEN)
        await page.goto(f"{self._days.platform.demo['web']}/hall/")
        return page

    async def _page(self, viewport: dict[str, int]) -> Page:
        return await self._open.enter_async_context(
            watched_page(self._browser, self._expected, viewport=viewport, service_workers="allow")
        )

    async def put_away(self) -> None:
        """Close them all; raises what their pages complained of."""
        await self._open.aclose()


@pytest.fixture
async def devices(browser: Browser, days: Days, expected: list[str]) -> AsyncIterator[Devices]:
    """Phones, desks and scanners as they are needed."""
    held = Devices(browser, days, expected)
    yield held
    await held.put_away()


def resident(platform: Platform, about: str) -> Somebody:
    """The demo's resident of whom demo.json says `about`."""
    known = next(each for each in platform.demo["residents"] if about in each["about"])
    return known_as(known)


def known_as(document: dict[str, Any]) -> Somebody:
    """Whom a document of the sandbox's world describes, as a phone needs them."""
    return Somebody(name=document["name"], id_number=document["idNumber"], phone=document["phone"])


async def seen_after_reloading(
    page: Page,
    awaited: Locator,
    then: Callable[[], Awaitable[None]] | None = None,
    *,
    within: float = 90,
) -> None:
    """Look again and again, as one does who waits for others; `then` leads to the place after each look.

    `within`: seconds; the demo's periodic tasks come every ten.
    """
    deadline = time.monotonic() + within
    while True:
        if then is not None:
            await then()
        await page.wait_for_load_state("networkidle")
        if await awaited.count():
            return
        assert time.monotonic() < deadline, "it did not come about"
        await page.wait_for_timeout(1000)
        await page.reload()
