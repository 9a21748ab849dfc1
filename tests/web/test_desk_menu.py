"""The desk's menu: what one may do and no more, what waits, the keys of the page one is on."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import expect

from tests.web import looks
from tests.web.desk_steps import Desk, desk
from tests.web.test_desk import handed_in

__all__ = ["desk"]


async def test_the_menu_holds_what_the_role_may_do_and_every_link_leads_somewhere(desk: Desk) -> None:
    page = await desk("clerk", "officer", "operator", agency="education", division="460105")
    links = page.get_by_role("navigation").get_by_role("link")
    assert await links.count() >= 3
    for place in [await each.get_attribute("href") for each in await links.all()]:
        await page.locator(f"nav a[href='{place}']").click()
        await expect(page).to_have_url(re.compile(re.escape(str(place))))
        await expect(page.locator("main h1, .queue h1").first).to_be_visible()
        await expect(page.locator(f"nav a[href='{place}']")).to_have_attribute("aria-current", "page")
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_clerk_sees_no_page_of_operators_even_by_its_address(desk: Desk) -> None:
    page = await desk("clerk", agency="education", division="460105", place="/verifiers")
    await expect(page).to_have_url(re.compile("/desk/cases"))
    await expect(page.get_by_role("navigation").get_by_text("核验方")).to_have_count(0)


async def test_the_menu_is_walked_with_the_keyboard(desk: Desk) -> None:
    page = await desk("officer", "operator", agency="education", division="460105")
    await page.keyboard.press("g")
    await expect(page.locator("nav a.here")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).not_to_have_url(re.compile("/desk/cases"))


async def test_the_map_of_keys_shows_those_of_the_page(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", "operator", agency="public-security", division="460100")
    await page.goto(f"{page.url.split('/desk')[0]}/desk/cases/{case['id']}")
    await expect(page.locator(".case h2")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog").get_by_text("请补正")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator("nav a", has_text="核验方").click()
    await expect(page.locator("main h1")).to_have_text("核验方")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog").get_by_text("下一行")).to_be_visible()
    await expect(page.get_by_role("dialog").get_by_text("请补正")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 1024])
async def test_the_menu_is_sound_in_every_look(desk: Desk, width: int) -> None:
    page = await desk("clerk", "officer", "operator", agency="education", division="460105")
    await page.set_viewport_size({"width": width, "height": 900})
    assert await looks.at_desk(page) == []
