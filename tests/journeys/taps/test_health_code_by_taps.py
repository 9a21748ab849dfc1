"""A health code by taps: one's own and a child's before a gate's camera, and a colour that two correct."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.journeys.people import Resident, newcomer
from tests.journeys.taps.conftest import Days, Devices, known_as
from tests.web.camera import Lens
from tests.web.phone_steps import Phone

pytestmark = pytest.mark.long

PLACE = "秀英港码头"
REASON = "只是过敏性鼻炎"
PROOF = "门诊病历 2026-118"


async def test_a_family_passes_a_gate_and_a_wrong_colour_is_corrected(
    days: Days, devices: Devices, lens: Lens, expected: list[str]
) -> None:
    expected.append("409")
    parent = _well(days)
    child = parent.known["children"][0]["name"]
    phone = await devices.phone()
    await phone.arrive_by_taps(known_as(parent.known))
    gate = await devices.terminal(PLACE, "gate")
    await gate.get_by_label("连续核验").check()
    await _show(phone, "绿码")
    await _pass(phone, gate, lens, "48 小时核酸阴性")
    await _show_child(phone, child)
    await _pass(phone, gate, lens, "王*甲")
    await expect(gate.get_by_text("本班记录 2 条")).to_be_visible()
    await _declare(phone)
    await _stop(phone, gate, lens)
    await _appeal(phone)
    await _correct(devices, parent)
    await _read_the_answer(phone)
    await _pass(phone, gate, lens, "48 小时核酸阴性")
    await expect(gate.get_by_text("本班记录 4 条")).to_be_visible()
    await _checked_where(phone)


def _well(days: Days) -> Resident:
    """Tested the day before and vaccinated, with a child at school."""
    yesterday = (days.now() - timedelta(hours=30)).isoformat()
    return newcomer(
        days.platform,
        born=(date(days.now().year - 9, 3, 5),),
        tests=[{"result": "negative", "sampledAt": yesterday}],
        vaccinations=[{"product": "inactivated"}, {"product": "inactivated"}],
    )


async def _show(phone: Phone, colour: str) -> None:
    await phone.open()
    await phone.tap("健康码", role="link")
    await expect(phone.page.locator(".ticket .word b")).to_have_text(colour)


async def _show_child(phone: Phone, name: str) -> None:
    await phone.tap("家人健康码", role="link")
    await phone.tap(name, role="link")
    await expect(phone.page.locator(".ticket .name")).to_have_text(name)


async def _hold(phone: Phone, lens: Lens) -> None:
    """The phone's screen before the gate's camera."""
    code = phone.page.locator(".live")
    await expect(code.get_by_role("img")).to_be_visible()
    lens.see(await code.screenshot())


async def _pass(phone: Phone, gate: Page, lens: Lens, said: str) -> None:
    """The gate says the colour in words, and more of it, and goes on by itself."""
    await _hold(phone, lens)
    verdict = gate.get_by_role("dialog", name="绿码")
    await expect(verdict).to_contain_text(said)
    await expect(verdict.locator(".verdict")).to_have_attribute("data-tone", "ok")
    lens.see_nothing()
    await expect(verdict).to_have_count(0)


async def _stop(phone: Phone, gate: Page, lens: Lens) -> None:
    """That a code is genuine lets nobody through: it says what to do, and waits for the guard."""
    await _hold(phone, lens)
    verdict = gate.get_by_role("dialog", name="黄码")
    await expect(verdict).to_contain_text("码是真的，但不是绿码。")
    await expect(verdict).to_contain_text("有 48 小时内核酸阴性证明的放行")
    await expect(verdict.locator(".verdict")).to_have_attribute("data-tone", "warn")
    lens.see_nothing()
    await gate.wait_for_timeout(2000)
    await verdict.get_by_role("button", name="下一个").click()
    await expect(gate.locator(".rows .row").first).to_contain_text("黄码")


async def _declare(phone: Phone) -> None:
    """What one says of oneself shows at once."""
    page = phone.page
    await _show(phone, "绿码")
    await phone.tap("健康申报", role="link")
    await page.get_by_label("发热、气促").check()
    await phone.tap("提交申报")
    await expect(page.get_by_text("已申报，您现在是黄码")).to_be_visible()
    await phone.tap("看我的健康码", role="link")
    await expect(page.locator(".ticket .word b")).to_have_text("黄码")


async def _appeal(phone: Phone) -> None:
    """Gone back from by mistake, written anew, filed once by a double tap."""
    page = phone.page
    await phone.press(page.get_by_role("link", name=re.compile("^申诉")))
    await page.fill("#reason", REASON)
    await page.fill("#evidence", PROOF)
    await page.select_option("#where", "460100")
    await page.select_option("#where-1", "460105")
    await page.get_by_role("button", name="提交申诉").dblclick()
    await expect(page.get_by_text("待处理", exact=True)).to_have_count(1)


async def _correct(devices: Devices, parent: Resident) -> None:
    """One clerk proposes and may not confirm; another one does."""
    first = await devices.desk("health-clerk", "/health-appeals")
    sheet = first.get_by_role("dialog")
    card = first.locator("article", has_text=REASON)
    await expect(card).to_contain_text(PROOF)
    await expect(card).to_contain_text("您申报有发热、气促或呼吸道症状")
    await card.get_by_role("button", name="提出更正").click()
    await sheet.get_by_label("理由").fill("病历核实")
    await sheet.get_by_label("依据的证明").fill(PROOF)
    await sheet.get_by_role("button", name="提交提议").click()
    await expect(card).to_contain_text("待第二人确认")
    await card.get_by_role("button", name="确认更正").click()
    await sheet.get_by_role("button", name="确认").click()
    await expect(sheet.get_by_role("alert")).to_be_visible()
    second = await devices.desk("health-clerk-2", "/health-appeals")
    await second.locator("article", has_text=REASON).get_by_role("button", name="确认更正").click()
    await second.get_by_role("dialog").get_by_role("button", name="确认").click()
    await expect(second.get_by_text("的颜色已更正")).to_be_visible()


async def _read_the_answer(phone: Phone) -> None:
    page = phone.page
    await page.reload()
    await expect(page.get_by_text("已更正", exact=True)).to_be_visible()
    await _show(phone, "绿码")


async def _checked_where(phone: Phone) -> None:
    """The person reads where it was looked at; within a minute at one place it counts once."""
    await phone.tap("我的核验记录", role="link")
    row = phone.page.locator(".rows .row").first
    await expect(row).to_contain_text(f"{PLACE}一号机")
    await expect(row.locator(".tag")).to_have_text(re.compile("绿码|黄码"))
