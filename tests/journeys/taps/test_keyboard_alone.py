"""A school place by the keyboard alone, in 长辈版; and the hall counts who applied, beside it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.builders import Somebody, school_age
from tests.journeys.people import Resident, family, newcomer
from tests.journeys.taps.conftest import Days, Devices, known_as
from tests.web.phone_steps import Phone

pytestmark = pytest.mark.long

LICENCE = "public-security.driving-licence-replacement"
MOST_TABS = 60
"""Far more than any page has to be walked through."""
NAME = """() => {
  const here = document.activeElement
  if (!here || here === document.body) return ''
  const label = here.labels?.[0]?.innerText ?? ''
  return here.getAttribute('aria-label') ?? (label || here.innerText || here.placeholder || '')
}"""


RING = """() => [document.activeElement, document.activeElement.parentElement]
  .some((each) => getComputedStyle(each).outlineStyle !== 'none')"""


async def walk_to(page: Page, name: str) -> None:
    """Tab by tab, to what is called so; what has the focus must be seen to have it."""
    for _ in range(MOST_TABS):
        if name in await page.evaluate(NAME):
            assert await page.evaluate(RING), f"nothing shows that {name} has the focus"
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"no tab leads to {name}")


async def enter(page: Page, name: str) -> None:
    """Walk there and press Enter."""
    await walk_to(page, name)
    await page.keyboard.press("Enter")


async def test_an_application_by_the_keyboard_stands_in_the_hall_with_others(
    days: Days, devices: Devices, expected: list[str]
) -> None:
    """The screen counts by itself; a line of its feed waits for five, so that it tells of nobody."""
    expected.append("hall/figures")  # nothing is counted in the first seconds of a first start
    hall = await devices.hall()
    applied = hall.locator(".cards > div", has_text="今日申请").locator("b")
    await expect(applied).to_have_text("0")
    await _by_keyboard(days, await devices.phone())
    for _ in range(5):
        _apply(family(days.platform))
    await expect(applied).to_have_text("6", timeout=60_000)
    await expect(hall.locator(".feed li").first).to_contain_text("新增申请 5 件")


async def _by_keyboard(days: Days, phone: Phone) -> None:
    """From the first page in 长辈版 to the receipt."""
    parent = newcomer(days.platform, born=(school_age(),))
    page = phone.page
    await phone.open()
    await enter(page, "长辈版")
    await expect(page.locator("html")).to_have_class("elder")
    await walk_to(page, "搜一搜要办的事")
    await page.keyboard.type("小孩上学")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="小学一年级学位申请")).to_be_visible()
    await enter(page, "小学一年级学位申请")
    await expect(page.get_by_role("button", name="开始办理")).to_be_visible()
    await enter(page, "开始办理")
    await _say_who(phone, known_as(parent.known))
    await page.wait_for_url("**/form")
    for school in ("秀港", "晴川"):
        await walk_to(page, "找学校")
        await page.keyboard.type(school)
        await enter(page, f"{school}示例小学")
    await expect(page.locator(".chosen li")).to_have_count(2)
    await enter(page, "晴川示例小学上移")
    await expect(page.locator(".chosen li").first).to_contain_text("晴川")
    await enter(page, "下一步")
    await expect(page.locator(".review")).to_contain_text("1. 晴川示例小学")
    await enter(page, "确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()


async def _say_who(phone: Phone, somebody: Somebody) -> None:
    """In the sheet, which has the focus as long as it is open."""
    page = phone.page
    await walk_to(page, "手机号")
    await page.keyboard.type(somebody.phone)
    before = len(await phone.codes(somebody.phone))
    await enter(page, "获取验证码")
    code = await phone.code(somebody.phone, before)
    await walk_to(page, "验证码")
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")
    await expect(page.locator("#real-name")).to_be_focused()
    await page.keyboard.type(somebody.name)
    await walk_to(page, "证件号码")
    await page.keyboard.type(somebody.id_number)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="开始刷脸")).to_be_focused()
    async with page.expect_popup() as opened:
        await page.keyboard.press("Enter")
    vendor = await opened.value
    await expect(vendor.locator("#pass")).to_be_visible()
    await walk_to(vendor, "是本人")
    await vendor.keyboard.down("Enter")  # the vendor's page is closed before the key is let go


def _apply(somebody: Resident) -> None:
    draft = somebody.post("/cases", {"matter": LICENCE}, expect=201)
    form = {"reason": "lost", "mailTo": "海口市示例路 9 号"}
    somebody.patch(f"/cases/{draft['id']}", {"form": form, "version": draft["version"]})
    somebody.post(f"/cases/{draft['id']}/submission")
