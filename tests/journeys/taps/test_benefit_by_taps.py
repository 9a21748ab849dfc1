"""Out of work, by taps: what one would get, the application, the money, and what the phone says once there is
work again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from haiyiban.clock import SHANGHAI
from tests.journeys.people import newcomer, works_again
from tests.journeys.taps.conftest import Days, Devices, known_as, resident, seen_after_reloading
from tests.web.phone_steps import Phone

pytestmark = pytest.mark.long

CARD = "6228480402564890018"
WORDS = "单位登记错人了，我没有入职"
FIRST_PAYDAY = 5
"""Of a month: what is due is found from then on."""
OBJECTION_DAYS = 25
"""Ten working days, and more holidays than lie in any fortnight; the phone stays signed in for 30."""


async def test_who_lost_work_is_paid_and_reads_why_it_ends(
    days: Days, devices: Devices, expected: list[str]
) -> None:
    expected.append("404")  # no bank account yet
    today = days.now().astimezone(SHANGHAI)
    if today.day < FIRST_PAYDAY:
        days.pass_until(today.replace(day=FIRST_PAYDAY, hour=9))
    luo = resident(days.platform, "unemployed person")
    phone = await devices.phone()
    await phone.arrive_by_taps(luo)
    await _apply(phone)
    await _decide(devices)
    await _give_a_card(phone)
    await _release(devices)
    await _read_the_payment(phone, devices)
    works_again(days.platform, luo.document(), since=(days.now() - timedelta(days=1)).date())
    await _object_by(phone)
    # The phone lies in a drawer, and the days to object go by.
    await phone.page.goto("about:blank")
    days.pass_until(days.now() + timedelta(days=OBJECTION_DAYS))
    await _read_that_it_ended(phone)


async def test_an_objection_goes_from_the_phone_to_the_desk_and_back(
    days: Days, devices: Devices, expected: list[str]
) -> None:
    """The register names the wrong one; it is said once, however hasty the thumb, and the benefit goes on."""
    expected.append("404")  # no bank account yet
    somebody = known_as(newcomer(days.platform, **_out_of_work(days)).known)
    phone = await devices.phone()
    await phone.arrive_by_taps(somebody)
    await _apply(phone)
    desk = await _decide(devices)
    await _give_a_card(phone)
    works_again(days.platform, somebody.document(), since=(days.now() - timedelta(days=1)).date())
    await _object_by(phone)
    page = phone.page
    await page.fill("#objection", WORDS)
    await page.get_by_role("button", name="提出异议").dblclick()
    await expect(page.locator("section", has_text="待遇暂停")).to_contain_text("决定前不会停发")
    await _resume(desk)
    await page.reload()
    await expect(page.get_by_role("button", name="我仍在失业并求职")).to_be_visible()
    await expect(page.get_by_role("heading", name="待遇暂停")).to_have_count(0)


def _out_of_work(days: Days) -> dict[str, Any]:
    """Insured for 70 months until forty days ago."""
    stopped = (days.now().astimezone(SHANGHAI).date() - timedelta(days=40)).isoformat()
    insurance = {"months": 70, "division": "460105", "stoppedOn": stopped, "stopReason": "contract_expired"}
    return {"socialInsurance": insurance}


async def _resume(desk: Page) -> None:
    """The clerk who granted it hears the other side."""
    await desk.locator("nav a", has_text="失业金发放").click()
    card = desk.locator("article", has_text=WORDS)
    await expect(card).to_have_count(1)
    await card.get_by_role("button", name="恢复发放").click()
    sheet = desk.get_by_role("dialog")
    await sheet.get_by_label("理由").fill("已向单位核实，登记有误")
    await sheet.get_by_role("button", name="确认").click()
    await expect(card).to_have_count(0)


async def _apply(phone: Phone) -> None:
    """From the estimate; registers know all that the form asks for."""
    page = phone.page
    await phone.open()
    await phone.tap("失业保险", role="link")
    await expect(page.get_by_role("heading", name="您符合条件")).to_be_visible()
    await expect(page.get_by_text("每月，共 18 个月")).to_be_visible()
    await phone.tap("申请（10 个工作日办结）", role="link")
    await phone.tap("开始办理")
    await page.wait_for_url("**/form")
    await phone.tap("下一步")
    await phone.tap("确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()


async def _decide(devices: Devices) -> Page:
    """Accepted out of what is new, approved out of what was accepted."""
    page = await devices.desk("benefit-clerk")
    row = page.locator("[data-case]", has_text="失业保险金")
    await row.get_by_role("link").click()
    await page.get_by_role("button", name=re.compile("^受理")).click()
    await expect(page.get_by_text("已受理：")).to_be_visible()
    await page.get_by_role("group", name="常用筛选").get_by_role("button", name="已受理").click()
    await row.get_by_role("link").click()
    await page.get_by_role("button", name=re.compile("^通过")).click()
    await expect(page.get_by_text("已通过：")).to_be_visible()
    return page


async def _give_a_card(phone: Phone) -> None:
    """By the address of the zone, as one comes back to it; while it is drawn it is not offered again."""
    page = phone.page
    await phone.open()
    await phone.tap("失业保险", role="link")
    await expect(page.get_by_text("已领 0 / 18 个月")).to_be_visible()
    # Months, and no days of them.
    await expect(
        page.get_by_text(re.compile("20[0-9]{2}年[0-9]{1,2}月 – 20[0-9]{2}年[0-9]{1,2}月$"))
    ).to_be_visible()
    await expect(page.get_by_role("link", name=re.compile("^申请"))).to_have_count(0)
    await expect(page.get_by_text("还没有收款银行卡")).to_be_visible()
    await phone.type("#number", CARD)
    await phone.tap("保存银行卡（需刷脸）")
    await expect(page.get_by_text("银行卡已保存")).to_be_visible()
    await expect(page.get_by_text(re.compile(rf"\*+ ?{CARD[-4:]}"))).to_be_visible()


async def _release(devices: Devices) -> None:
    """The file that the hourly run made, looked into and sent to the bank."""
    page = await devices.desk("fund-officer", "/benefit")
    row = page.locator("tbody tr", has_text="待复核")

    async def batches() -> None:
        await page.get_by_role("button", name=re.compile("发放批次")).click()

    await seen_after_reloading(page, row, batches)
    await row.get_by_role("button", name="明细").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_contain_text("待银行答复")
    await sheet.get_by_role("button", name="关闭").click()
    await row.get_by_role("button", name="复核报送").click()
    await sheet.get_by_role("button", name="复核报送").click()
    await expect(row).to_have_count(0)
    await seen_after_reloading(page, page.locator("tbody tr", has_text="已答复"), batches)
    await page.get_by_role("button", name="对账").click()
    await expect(page.get_by_text("账实一致")).to_be_visible()


async def _read_the_payment(phone: Phone, devices: Devices) -> None:
    page = phone.page
    payment = page.locator("section", has_text="发放记录").locator("li", has_text="已发放")
    await seen_after_reloading(page, payment)  # the bank's word comes a run later
    await expect(page.get_by_text("已领 1 / 18 个月")).to_be_visible()
    await phone.tap("我仍在失业并求职")
    await expect(page.get_by_text(re.compile("已确认 20[0-9]{2}年[0-9]{1,2}月"))).to_be_visible()


async def _object_by(phone: Phone) -> None:
    """The register of employment knows of new work: nothing is paid, and one may still object."""
    page = phone.page
    await seen_after_reloading(page, page.get_by_role("heading", name="待遇暂停"))
    await expect(page.get_by_label(re.compile("有不对的地方？"))).to_be_visible()
    await expect(page.get_by_role("button", name="我仍在失业并求职")).to_have_count(0)


async def _read_that_it_ended(phone: Phone) -> None:
    """It says so with the reason, and asks for nothing that would be refused."""
    page = phone.page
    await phone.open("/unemployment")
    await seen_after_reloading(page, page.get_by_role("heading", name="待遇已停止"))
    await expect(page.get_by_label(re.compile("有不对的地方？"))).to_have_count(0)
