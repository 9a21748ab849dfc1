"""跨省通办 by taps: two provinces as `haiyiban up --with-neighbour` runs them, a phone here, a desk there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Page, expect

from haiyiban.runtime import ports
from tests.journeys.people import nothing_personal_in
from tests.journeys.taps.conftest import Days, Devices, resident, seen_after_reloading
from tests.web.phone_steps import Phone

pytestmark = pytest.mark.long

TOLD_WITHIN = 180
"""Seconds: a step at the desk may be taken back for a minute, and then goes through two workers."""


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Ours and the province beside it."""
    beside = {"HAIYIBAN_NEIGHBOUR_PORT": str(ports.any_free())}
    begun = Days(tmp_path_factory.mktemp("two") / "state", "--with-neighbour", **beside)
    yield begun
    begun.stop()


async def test_a_proof_of_another_province_is_asked_for_here_corrected_decided_there_and_revoked(
    days: Days, devices: Devices, expected: list[str]
) -> None:
    expected.append("422")  # what is missing is named
    yun = resident(days.platform, "可跨省开广东参保证明")
    phone = await devices.phone()
    await phone.arrive_by_taps(yun)
    await _apply(phone)
    there = await devices.desk("insurance-clerk", of=days.platform.demo["neighbour"])
    await _ask_for_a_correction(there)
    await _correct(phone)
    await _approve(there)
    await _show(phone)
    await _revoke(there)
    await _read_that_it_is_over(phone)
    nothing_personal_in(days.platform)


async def _apply(phone: Phone) -> None:
    """Two taps from the first page, and what was left out is led to."""
    page = phone.page
    await phone.open()
    await phone.tap("跨省通办", role="link")
    offered = page.get_by_role("link", name="去申请")
    await seen_after_reloading(page, offered)
    await phone.press(offered)
    await page.get_by_role("button", name=re.compile("提交给")).click()
    await expect(page.locator("#errors")).to_be_focused()
    await page.locator(".choice", has_text="贷款").click()
    await page.get_by_role("button", name=re.compile("提交给")).dblclick()
    await expect(page.get_by_text("已收件，正在转往")).to_be_visible()
    await seen_after_reloading(page, page.locator(".way [aria-current=step]", has_text="对方已接收"))


async def _ask_for_a_correction(there: Page) -> None:
    """The other province's clerk finds it in the ordinary queue."""
    row = there.locator("[data-case]")
    await seen_after_reloading(there, row)
    await row.get_by_role("link").click()
    await there.get_by_role("button", name=re.compile("请补正")).click()
    sheet = there.get_by_role("dialog")
    await sheet.get_by_role("checkbox", name="用途").check()
    await sheet.get_by_role("textbox", name="用途").fill("请改为实际用途")
    await sheet.locator("textarea").fill("用途不符")
    await sheet.get_by_role("button", name="确认").click()
    await expect(there.get_by_text("已请补正：")).to_be_visible()


async def _correct(phone: Phone) -> None:
    """Told on the first page; corrected in place."""
    page = phone.page
    await phone.open()
    wanted = page.get_by_role("link", name="请补正：广东省社会保险参保证明")
    await seen_after_reloading(page, wanted, within=TOLD_WITHIN)
    await wanted.click()
    await expect(page.get_by_text("请改为实际用途")).to_be_visible()
    await phone.tap("去补正", role="link")
    await page.locator(".choice", has_text="求职").click()
    await phone.tap("提交补正")
    await expect(page.locator(".head .tag")).to_have_text("已转递")


async def _approve(there: Page) -> None:
    """Accepted when the correction is in, then approved."""
    row = there.locator("[data-case]")
    await seen_after_reloading(there, row)
    await row.get_by_role("link").click()
    await there.get_by_role("button", name=re.compile("^受理")).click()
    await expect(there.get_by_text("已受理：")).to_be_visible()
    await there.get_by_role("group", name="常用筛选").get_by_role("button", name="已受理").click()
    await row.get_by_role("link").click()
    await there.get_by_role("button", name=re.compile("^通过")).click()
    await expect(there.get_by_text("已通过：")).to_be_visible()


async def _show(phone: Phone) -> None:
    """The other province's code on this phone, among one's own."""
    page = phone.page
    await phone.open("/cross-province")
    await page.locator(".case").first.click()
    code = page.locator(".issued .code")
    await seen_after_reloading(page, code, within=TOLD_WITHIN)
    [read] = zxingcpp.read_barcodes(Image.open(BytesIO(await code.screenshot())))
    assert read.text.startswith("HYB1:")
    await phone.open("/codes")
    await expect(page.get_by_role("heading", name="外省签发的证照")).to_be_visible()


async def _revoke(there: Page) -> None:
    """With its reason, at the desk there."""
    await there.goto(f"{there.url.split('/desk')[0]}/desk/certificates")
    await there.locator("tbody button").first.click()
    await there.get_by_label("证照内容").get_by_role("button", name="撤销").click()
    sheet = there.get_by_role("dialog")
    await sheet.get_by_label("理由").fill("参保地认定有误")
    await sheet.get_by_role("button", name="确认").click()
    await expect(there.get_by_label("证照内容")).to_contain_text("已撤销")


async def _read_that_it_is_over(phone: Phone) -> None:
    """Why, and no code any more."""
    page = phone.page
    await phone.open("/cross-province")
    await page.locator(".case").first.click()
    await seen_after_reloading(page, page.locator(".issued", has_text="已撤销"), within=TOLD_WITHIN)
    await expect(page.locator(".issued")).to_contain_text("参保地认定有误")
    await expect(page.locator(".issued .code")).to_have_count(0)
