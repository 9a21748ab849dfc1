"""The main job by taps: from a parent's search to a notice that a camera reads at the school.

What happens to people on the way happens here too: a line that is gone, a sign-in that is over, a second
tab, a thumb that taps twice, the back button.
"""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.builders import Somebody
from tests.journeys.people import Resident, nothing_personal_in
from tests.journeys.taps.conftest import Days, Devices, resident
from tests.web.camera import Lens
from tests.web.phone_steps import Phone

TAPS, CHARACTERS = 13, 46
"""From the first page to the receipt, by a thumb that was never here before: name, number, SMS code and face
included. An ordinary family is to be done in two minutes."""


async def test_a_child_gets_a_school_place_by_taps(
    days: Days, devices: Devices, lens: Lens, expected: list[str]
) -> None:
    expected += ["ERR_INTERNET_DISCONNECTED", "401", "409"]
    parent = resident(days.platform, "class 1")
    phone = await devices.phone()
    await _find_and_identify(phone, parent)
    await _choose_schools(phone)
    await _go_on_after_the_session_is_over(phone, days, parent)
    number = await _hand_in(phone)
    await _accept(devices, number)
    await _draw(devices)
    await _read_the_result(phone)
    await _show_the_notice(phone, devices, lens)
    nothing_personal_in(days.platform)


async def _find_and_identify(phone: Phone, parent: Somebody) -> None:
    """Searched for in one's own words; who one is, is asked in place."""
    await phone.open()
    await phone.type("[type=search]", "小孩上学")
    await phone.tap("搜索")
    await phone.tap("小学一年级学位申请", role="link")
    await phone.tap("开始办理")
    await phone.sign_in(parent)
    await phone.confirm(parent)
    await phone.page.wait_for_url("**/form")


async def _choose_schools(phone: Phone) -> None:
    """The second one in a lift: kept on the phone until the line is back."""
    page = phone.page
    chosen = page.locator(".chosen li")
    await _choose(phone, "秀港")
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await page.context.set_offline(True)
    await _choose(phone, "椰风")
    await phone.tap("椰风示例小学上移")
    await expect(page.get_by_text("没有保存，稍后会再试")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await page.reload()
    await expect(chosen).to_have_text([re.compile("椰风"), re.compile("秀港")])


async def _choose(phone: Phone, name: str) -> None:
    await phone.type(".ranked [type=search]", name)
    await phone.press(phone.page.locator(".ranked .rows .row", has_text=name))


async def _go_on_after_the_session_is_over(phone: Phone, days: Days, parent: Somebody) -> None:
    """Signed out by the parent's other device: the next change asks for a sign-in, and is not lost."""
    page = phone.page
    other = Resident(days.platform, {"phone": parent.phone})
    other.sign_in()
    for each in other.get("/auth/sessions")["items"]:
        if not each["current"]:
            other.delete(f"/auth/sessions/{each['id']}")
    with phone.uncounted():
        sheet = page.get_by_role("dialog")
        await _choose(phone, "角梅")
        await expect(sheet).to_be_visible()
        await phone.sign_in(parent)
        await expect(sheet).to_have_count(0)
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await expect(page.locator(".chosen li")).to_have_count(3)


async def _hand_in(phone: Phone) -> str:
    """Reviewed, gone back, reviewed again, handed in by a double tap while another tab has it open too."""
    page = phone.page
    other = await page.context.new_page()
    await other.goto(f"{page.url}?review=1")
    await phone.tap("下一步")
    await expect(page.locator(".review")).to_contain_text("1. 椰风示例小学")
    await page.go_back()
    await expect(page.locator(".chosen li")).to_have_count(3)
    with phone.uncounted():
        await phone.tap("下一步")
    await page.get_by_role("button", name="确认提交").dblclick()
    phone.taps += 1
    receipt = page.locator("[role=status]", has_text="提交成功")
    await expect(receipt).to_be_visible()
    assert (phone.taps, phone.typed) == (TAPS, CHARACTERS)
    number = await receipt.locator(".num").inner_text()
    await _not_again(page, other, number)
    return number


async def _not_again(page: Page, other: Page, number: str) -> None:
    """Neither by the back button nor in the other tab; the list has one case."""
    await other.get_by_role("button", name="确认提交").click()
    await expect(other.get_by_text("已经提交")).to_be_visible()
    await other.close()
    await page.go_back()
    await expect(page.get_by_role("button", name="确认提交")).to_have_count(0)
    site = page.url.split("/m/")[0]
    await page.goto(f"{site}/m/cases")
    mine = page.locator("main a", has_text="小学一年级学位申请")
    await expect(mine).to_have_count(1)
    await mine.click()
    await expect(page.locator("main")).to_contain_text(number)


async def _accept(devices: Devices, number: str) -> None:
    """The clerk finds it among what is new, with what registers say beside it."""
    page = await devices.desk("clerk")
    await page.locator("[data-case]", has_text=number[-14:]).get_by_role("link").click()
    await expect(page.locator(".case header")).to_contain_text(number)
    await page.get_by_role("button", name=re.compile("^受理")).click()
    await expect(page.get_by_text("已受理：")).to_be_visible()


async def _draw(devices: Devices) -> None:
    """Roll, lots, results; the beacon as it was announced, typed twice."""
    page = await devices.desk("officer", "/enrolments")
    sheet = page.get_by_role("dialog")
    await page.get_by_role("button", name="固定名册").click()
    await sheet.get_by_role("button", name="确认").click()
    await page.get_by_role("button", name="抽签", exact=True).click()
    await page.fill("#beacon", "03 07 11 19 28 31 09")
    await page.fill("#again", "03 07 11 19 28 31 09")
    await sheet.get_by_role("button", name="确认").click()
    await page.get_by_role("button", name="公布结果").click()
    await sheet.get_by_role("button", name="确认").click()
    await expect(page.get_by_text("已公布：志愿录取 1")).to_be_visible()


async def _read_the_result(phone: Phone) -> None:
    """Which school, why, by which lot; and the draw is recomputed by the parent's own browser."""
    page = phone.page
    await phone.open()
    await phone.tap("学位申请", role="link")
    card = page.locator("article.card", has_text="自己核验这次摇号")
    await expect(card.locator(".school")).to_contain_text("椰风示例小学")
    await expect(card).to_contain_text("第一志愿")
    await expect(card).to_contain_text(re.compile(r"抽签号 ?\d+"))
    await card.get_by_role("link", name="自己核验这次摇号").click()
    await expect(page.locator("#verdict h2")).to_contain_text("核验通过")
    await page.go_back()
    await card.get_by_role("link", name="查看录取通知书").click()
    await expect(page.locator(".paper")).to_contain_text("林小椰")


async def _show_the_notice(phone: Phone, devices: Devices, lens: Lens) -> None:
    """One screen before another one's camera: once it is good, and both are told so."""
    page = phone.page
    school = await devices.verifier("verifier", "enrolment")
    verdict = school.get_by_role("dialog")
    await phone.tap("亮出此证", role="link")
    code = page.locator(".live")
    await expect(code.get_by_role("img")).to_be_visible()
    lens.see(await code.screenshot())
    await expect(verdict).to_contain_text("有效")
    await expect(verdict).to_contain_text("小学新生录取通知书")
    await expect(page.get_by_text("核验成功")).to_be_visible()
    await page.go_back()
    await expect(page.locator("section", has_text="谁看过这张证")).to_contain_text("秀英区招生报到处")
