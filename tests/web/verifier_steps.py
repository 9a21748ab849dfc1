"""What somebody at a gate or a till does on the verifier's page."""

from __future__ import annotations

from playwright.async_api import Page, expect


async def enter(page: Page, site: str, client_id: str, client_secret: str, purpose: str) -> None:
    """Sign the verifier in and say what for; its camera is on, where there is one."""
    await page.goto(f"{site}/m/verify")
    await page.fill("#client", client_id)
    await page.fill("#secret", client_secret)
    await page.get_by_role("button", name="进入核验").click()
    await page.select_option("#purpose", purpose)


async def enrol(page: Page, site: str, one_time_code: str, purpose: str) -> None:
    """Make the page a terminal by the code that its operator was told."""
    await page.goto(f"{site}/m/verify")
    await page.fill("#onetime", one_time_code)
    await page.get_by_role("button", name="设为终端").click()
    await expect(page.get_by_text("已联网")).to_be_visible()
    await page.select_option("#purpose", purpose)
