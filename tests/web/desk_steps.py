"""What the tests of the desk share: somebody in a role at a desk, and a look at what is there."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from haiyiban.db import Database
from haiyiban.identity import staff
from tests.web.test_phone import AXE

PASSWORD = "correct horse battery staple"
Desk = Callable[..., Awaitable[Page]]
LOOKS = ({"theme": "light"}, {"theme": "dark"}, {"theme": "light", "language": "en"})


@pytest.fixture
async def desk(page: Page, site: str, database: Database, worker: None) -> Any:
    """Signs somebody in a role in, at a desk."""
    await page.set_viewport_size({"width": 1440, "height": 900})

    async def enter(*roles: str, agency: str, division: str, place: str = "/") -> Page:
        username = f"{roles[0]}-{secrets.token_hex(5)}"
        async with database.transaction() as session:
            await staff.create(
                session, username, password=PASSWORD, roles=roles, agency=agency, division=division
            )
        await page.goto(f"{site}/desk{place}")
        await page.fill("#username", username)
        await page.fill("#password", PASSWORD)
        await page.get_by_role("button", name="登录").click()
        await expect(page.get_by_role("navigation")).to_be_visible()
        return page

    return enter


async def faults(page: Page) -> list[str]:
    """What axe finds in each look, what is wider than the window, and what carries no name."""
    found: list[str] = []
    for prefs in LOOKS:
        await page.evaluate("prefs => localStorage.setItem('haiyiban.prefs', JSON.stringify(prefs))", prefs)
        await page.reload()
        await expect(page.locator("main h1, main h2, .queue h1").first).to_be_visible()
        await page.wait_for_load_state("networkidle")
        await page.evaluate(AXE.read_text())
        found += [f"{prefs}: {each}" for each in await page.evaluate(_LOOK)]
    await page.evaluate("() => localStorage.removeItem('haiyiban.prefs')")
    await page.reload()
    return found


_LOOK = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] })
  const isWide = document.documentElement.scrollWidth > innerWidth
  const named = violations.map((each) => `${each.id}: ${each.nodes.map((one) => one.target).join(' ')}`)
  return [...(isWide ? [`wider than the window: ${innerWidth}`] : []), ...named]
}"""
