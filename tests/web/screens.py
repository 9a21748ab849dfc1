"""Pictures of the main screens, for the README: `make screens` writes them into docs/screens.

Not collected with the tests: it asserts nothing. Everybody in the pictures is made up.
"""

from __future__ import annotations

import secrets
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.async_api import Browser, Page, expect

from haiyiban.db import Database
from tests.builders import settle
from tests.kernel.hall.test_counting import count, step
from tests.web.phone_steps import Phone
from tests.web.test_desk import desk, handed_in
from tests.web.test_hall import busy
from tests.zones.school_places.conftest import MakeRound, family

__all__ = ["busy", "desk"]

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
QUALITY = 72


def strip(pictures: list[bytes], name: str, *, height: int) -> None:
    """Pictures side by side, as one small file."""
    opened = [Image.open(BytesIO(each)).convert("RGB") for each in pictures]
    scaled = [each.resize((each.width * height // each.height, height)) for each in opened]
    whole = Image.new("RGB", (sum(each.width + 16 for each in scaled) - 16, height), "white")
    x = 0
    for each in scaled:
        whole.paste(each, (x, 0))
        x += each.width + 16
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole.save(FOLDER / name, quality=QUALITY, method=6)


async def _prefer(page: Page, prefs: str) -> None:
    await page.evaluate(f"localStorage.setItem('haiyiban.prefs', JSON.stringify({prefs}))")


async def test_the_phone(
    browser: Browser, site: str, sandbox: httpx.AsyncClient, worker: object, make_round: MakeRound
) -> None:
    place = f"海风{secrets.token_hex(1)}"
    await make_round({place: 60, f"听涛{secrets.token_hex(1)}": 40})
    parent = await settle(sandbox, family(place))
    page = await browser.new_page(
        viewport={"width": 390, "height": 844}, locale="zh-CN", device_scale_factor=2
    )
    phone, taken = Phone(page, site, sandbox), []
    await phone.arrive(parent)
    await phone.open("/")
    await page.wait_for_timeout(400)
    taken.append(await page.screenshot())
    await phone.open("/matters/education.school-place")
    await phone.tap("开始办理")
    await page.get_by_placeholder("找学校").fill("海风")
    await page.locator(".ranked .rows .row").first.click()
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await page.locator("fieldset", has_text="志愿学校").first.scroll_into_view_if_needed()
    taken.append(await page.screenshot())
    for prefs in ("{theme: 'light'}", "{theme: 'dark'}", "{theme: 'light', elder: true}"):
        await _prefer(page, prefs)
        await phone.open("/codes")
        await expect(page.get_by_role("img", name="身份码二维码")).to_be_visible()
        await page.wait_for_timeout(300)
        taken.append(await page.screenshot())
    await page.close()
    strip(taken, "phone.webp", height=720)


async def test_the_desk(
    desk: object, page: Page, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    for _ in range(4):
        case = await handed_in(api, sandbox)
    await desk("clerk", agency="public-security", division="460100", place=f"/cases/{case['id']}")  # type: ignore[operator]
    await expect(page.locator(".case h3").first).to_be_visible()
    await page.wait_for_timeout(400)
    strip([await page.screenshot()], "desk.webp", height=760)


async def test_the_hall(busy: None, page: Page, site: str, database: Database) -> None:
    for matter in ("education.exam-score-proof", "employment.job-registration", "civil-affairs.senior-card"):
        for _ in range(10):
            await step(database, "submission", matter=matter)
        await count(database)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{site}/hall/")
    await expect(page.locator(".feed li").first).to_be_visible()
    await page.wait_for_timeout(400)
    strip([await page.screenshot()], "hall.webp", height=760)
