"""The queue: filters that are kept, what is due, evidence beside the form, similar cases, words to use."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from playwright.async_api import expect

from haiyiban import clock
from tests import builders
from tests.kernel.cases.office import change_row
from tests.web import looks
from tests.web.desk_steps import Desk, desk
from tests.web.test_desk import handed_in, state_of
from tests.zones.school_places.conftest import accept

__all__ = ["desk"]
AT = {"agency": "public-security", "division": "460100"}


async def test_a_case_that_is_late_is_found_in_one_step_and_says_so_in_words(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    case = await handed_in(api, sandbox)
    await accept(api, await builders.staff(api, **AT), case)
    await change_row(case, promised_due_on=clock.today() - timedelta(days=8))
    page = await desk("clerk", **AT)
    overdue = page.get_by_role("button", name=re.compile("已超期"))
    await expect(overdue.locator("b")).to_have_text(re.compile("[1-9]"))
    await page.keyboard.press("4")
    await expect(overdue).to_have_attribute("aria-pressed", "true")
    row = page.locator(f"[data-case='{case['id']}']")
    await expect(row.locator(".tag.bad")).to_have_text(re.compile(r"超期 \d+ 个工作日"))
    await row.get_by_role("link").click()
    await expect(page.locator(".case header .tag.bad")).to_have_text(re.compile(r"超期 \d+ 个工作日"))


async def test_a_filter_is_kept_for_this_clerk_and_holds_nothing_personal(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", **AT)
    await page.get_by_label("事项").select_option("public-security.driving-licence-replacement")
    await page.get_by_role("button", name="保存当前筛选").click()
    chip = page.get_by_role("group", name="我保存的筛选").get_by_role("button", name=re.compile("驾驶证"))
    await expect(chip.first.locator("b")).to_have_text(re.compile("[1-9]"))
    await page.get_by_label("事项").select_option("")
    await page.reload()
    await chip.first.click()
    await expect(page.get_by_label("事项")).to_have_value("public-security.driving-licence-replacement")
    await expect(page.locator(f"[data-case='{case['id']}']")).to_be_visible()
    kept = await page.evaluate("() => JSON.stringify(localStorage)")
    assert case["number"] not in kept
    await page.get_by_role("button", name=re.compile("删除筛选")).click()
    await expect(chip).to_have_count(0)


async def test_form_and_evidence_stand_side_by_side(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", place=f"/cases/{case['id']}", **AT)
    name = page.get_by_role("row", name=re.compile("姓名"))
    await expect(name).to_contain_text("已核实")
    await expect(name).to_contain_text("省公安厅人口库")
    await expect(page.get_by_role("row", name=re.compile("邮寄地址"))).to_contain_text("申请人填写")


async def test_similar_cases_show_how_they_ended_and_no_names(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    decided = await handed_in(api, sandbox)
    clerk = await builders.staff(api, **AT)
    await accept(api, clerk, decided)
    answer = await api.post(f"/desk/cases/{decided['id']}/deny", json={"note": "照片不合格"}, headers=clerk)
    assert answer.status_code == 200, answer.text
    case = await handed_in(api, sandbox)
    page = await desk("clerk", place=f"/cases/{case['id']}", **AT)
    card = page.locator("section.card", has_text="同类办件")
    await expect(card.get_by_role("link", name=decided["number"][-14:])).to_be_visible()
    await expect(card).to_contain_text("未通过")


async def test_words_of_the_matter_begin_a_correction_and_are_edited(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", place=f"/cases/{case['id']}", **AT)
    await expect(page.get_by_role("button", name=re.compile("请补正"))).to_be_visible()
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="邮寄地址不完整，请补充到门牌号。").click()
    await expect(dialog.get_by_role("checkbox", name="邮寄地址")).to_be_checked()
    field = dialog.locator("input:not([type=checkbox])").first
    await expect(field).to_have_value("邮寄地址不完整，请补充到门牌号。")
    await field.fill("邮寄地址缺少楼号。")
    await dialog.get_by_role("button", name="The postal address is not complete").click()
    await expect(field).to_have_value(re.compile("缺少楼号。 The postal address"))
    await dialog.get_by_role("button", name="填写内容不清楚，无法审核，请补充说明。").click()
    await dialog.get_by_role("button", name="确认").click()
    await expect(page.get_by_text("已请补正：")).to_be_visible()
    assert await state_of(api, case) == "correction_requested"


@pytest.mark.parametrize("width", [1440, 1024])
async def test_a_case_is_sound_in_every_look(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, width: int
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", place=f"/cases/{case['id']}", **AT)
    await page.set_viewport_size({"width": width, "height": 900})
    assert await looks.at_desk(page) == []
