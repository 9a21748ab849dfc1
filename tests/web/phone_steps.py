"""What a person does on the phone, tap by tap."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
from playwright.async_api import Error, Locator, Page, expect

from haiyiban.identity.auth_controller import COOKIE
from tests import builders
from tests.builders import Somebody


async def signed_in(page: Page, site: str, refresh_token: str) -> None:
    """Leave the page as a sign-in leaves it: the refresh token in a cookie that no script reads."""
    cookie = {"name": COOKIE, "value": refresh_token, "domain": "127.0.0.1", "path": "/api/v1/auth"}
    await page.context.add_cookies([cookie | {"httpOnly": True, "sameSite": "Strict"}])  # type: ignore[list-item]
    await page.goto(f"{site}/m/me")
    await page.evaluate("localStorage.setItem('haiyiban.here', '1')")
    await page.reload(wait_until="networkidle")


async def pass_face(vendor: Page) -> None:
    """Look into the vendor's camera, as whom it is asked for."""
    button = vendor.locator("#pass")
    await expect(button).to_be_visible()
    with suppress(Error):  # taken back by a tap that lands, the page may be closed before it is answered
        await button.click()
    if not vendor.is_closed():
        await vendor.wait_for_event("close")


class Phone:
    """A phone in somebody's hand; counts what the thumb does."""

    def __init__(self, page: Page, site: str, sandbox: httpx.AsyncClient) -> None:
        self.page, self.site, self.sandbox = page, site, sandbox
        self.taps = 0
        self.typed = 0

    async def open(self, place: str = "/") -> None:
        """Go to an address below /m."""
        await self.page.goto(f"{self.site}/m{place}")
        await expect(self.page.locator("h1")).to_be_visible()

    async def tap(self, name: str, *, role: str = "button", nth: int = 0) -> None:
        """Tap what is called so."""
        await self.press(self.page.get_by_role(role, name=name).nth(nth))  # type: ignore[arg-type]

    async def press(self, what: Locator) -> None:
        """Tap something."""
        await what.click()
        self.taps += 1

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """What the thumb does on a bad day, beside what is counted."""
        before = self.taps, self.typed
        yield
        self.taps, self.typed = before

    async def type(self, field: str, text: str) -> None:
        """Fill a field in."""
        await self.page.fill(field, text)
        self.typed += len(text)

    async def sign_in(self, somebody: Somebody) -> None:
        """By SMS, from the sheet that is open."""
        await self.type("#phone", somebody.phone)
        before = len(await self.codes(somebody.phone))
        await self.tap("获取验证码")
        await self.type("#sms-code", await self.code(somebody.phone, before))
        await self.press(self.page.locator("dialog form .primary"))

    async def confirm(self, somebody: Somebody) -> None:
        """Real name and face, from the sheet that is open."""
        await self.type("#real-name", somebody.name)
        await self.type("#id-number", somebody.id_number)
        await self.tap("核对")
        await self.look_in()

    async def look_in(self) -> None:
        """The face alone, from the sheet that is open."""
        async with self.page.expect_popup() as opened:
            await self.tap("开始刷脸")
        await pass_face(await opened.value)
        self.taps += 1
        await expect(self.page.locator("dialog")).to_have_count(0)

    async def arrive(self, somebody: Somebody) -> None:
        """Signed in at L3 here before; what signing in looks like is tested where it is the point."""
        grant = await builders.arrive(somebody.name, somebody.id_number, somebody.phone)
        await signed_in(self.page, self.site, grant.refresh_token)

    async def arrive_by_taps(self, somebody: Somebody) -> None:
        """The same as people do it, after which the phone is known here."""
        await self.open("/me")
        await self.tap("登录")
        await self.sign_in(somebody)
        await self.tap("去实名")
        await self.confirm(somebody)

    async def codes(self, phone: str) -> list[str]:
        """The codes that this phone was sent, the newest first."""
        sent = (await self.sandbox.get("/sms", params={"phone": phone})).json()
        return [str(message["code"]) for message in sent if "code" in message]

    async def code(self, phone: str, before: int) -> str:
        """The one that comes after those."""
        for _ in range(600):
            codes = await self.codes(phone)
            if len(codes) > before:
                return codes[0]
            await asyncio.sleep(0.05)
        raise AssertionError("no code came")
