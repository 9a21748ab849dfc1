"""Money at the desk: benefit with its objections, files and books; campaigns of vouchers; what shops get."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.ids import new_id
from services.unemployment.payments import banking, batches, run
from tests import builders
from tests.web import looks
from tests.web.desk_steps import Desk, desk
from tests.zones.unemployment.test_payments import drawer, lines, works_again

__all__ = ["desk", "drawer", "lines"]
FUND = {"agency": "human-resources", "division": "460000"}


async def test_an_objection_is_decided_with_its_reason(
    desk: Desk, sandbox: httpx.AsyncClient, drawer: Any
) -> None:
    who = await drawer()
    await works_again(sandbox, who, clock.today())
    await run.run()
    words = f"单位登记错人了 {new_id()}"
    await who.post(f"/grants/{who.grant_id}/objection", {"words": words})
    page = await desk("clerk", agency="human-resources", division="460105", place="/benefit")
    await expect(page.locator("nav a", has_text="失业金发放").locator(".count")).to_be_visible()
    card = page.locator("article", has_text=words)
    await expect(card).to_contain_text("十个工作日异议期至")
    await card.get_by_role("button", name="恢复发放").click()
    await page.get_by_label("理由").fill("已向单位核实")
    await page.get_by_role("button", name="确认").click()
    await expect(card).to_have_count(0)
    assert (await who.payments())["suspension"] is None
    assert await page.get_by_role("button", name="发放批次").count() == 0, "the fund is the province's"


async def test_a_file_is_released_looked_into_and_held_against_the_bank(desk: Desk, drawer: Any) -> None:
    await drawer()
    await run.run()
    await batches.make()
    page = await desk("officer", **FUND, place="/benefit")
    await page.get_by_role("button", name=re.compile("发放批次")).click()
    row = page.locator("tbody tr").first
    await expect(row).to_contain_text("待复核")
    await row.get_by_role("button", name="明细").click()
    await expect(page.get_by_role("dialog")).to_contain_text("待银行答复")
    await page.keyboard.press("Escape")
    await row.get_by_role("button", name="复核报送").click()
    await page.get_by_role("dialog").get_by_role("button", name="复核报送").click()
    # The worker may have sent it by now.
    await expect(row).to_contain_text(re.compile("待报送|已报送"))
    await banking.send()
    await banking.read_back()
    await page.reload()
    await page.get_by_role("button", name=re.compile("发放批次")).click()
    await expect(row).to_contain_text("已答复")
    await row.get_by_role("button", name="明细").click()
    await expect(page.get_by_role("dialog")).to_contain_text("成功")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="对账").click()
    await expect(page.get_by_text(re.compile("账实一致|处不一致"))).to_be_visible()


@pytest.fixture
async def shop_name(database: Database) -> str:
    name = f"测试免税店 {new_id().hex[-6:]}"
    async with database.transaction() as session:
        await verifiers.accredit(
            session, Words(name, "A shop"), unit="shop", purposes=["shop"], now=clock.now()
        )
    return name


async def test_a_campaign_is_made_opened_by_two_paused_and_closed(
    desk: Desk, api: httpx.AsyncClient, shop_name: str, expected: list[str]
) -> None:
    expected.append("422")
    page = await desk("operator", agency="education", division="460105", place="/campaigns")
    code = f"c-{new_id().hex[-10:]}"
    await page.get_by_role("button", name="新建活动").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("代码").fill(code)
    await dialog.get_by_label("中文名称").fill("离岛免税券")
    await dialog.get_by_label("英文名称").fill("Vouchers")
    await dialog.get_by_label("开始").fill("2026-01-01T08:00")
    await dialog.get_by_label("结束").fill("2025-01-01T08:00")
    await dialog.get_by_label(shop_name).check()
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await expect(dialog.get_by_label("代码")).to_have_value(code)
    await dialog.get_by_label("结束").fill("2099-01-01T08:00")
    await dialog.get_by_role("button", name="保存").click()
    row = page.locator("tr", has_text=code)
    await expect(row).to_contain_text("草稿")
    await row.get_by_role("button", name="开放").click()
    await page.get_by_role("button", name="确认").click()
    await expect(row).to_contain_text("等待第二人确认")
    second = await builders.staff(api, role="operator")
    campaigns = (await api.get("/zones/duty-free/desk/campaigns", headers=second)).json()["items"]
    [campaign] = [each for each in campaigns if each["code"] == code]
    at = f"/zones/duty-free/desk/campaigns/{campaign['id']}"
    assert (await api.post(f"{at}/opening", headers=second)).json()["state"] == "open"
    await page.reload()
    await expect(row).to_contain_text("进行中")
    await row.get_by_role("button", name="数据").click()
    await expect(page.get_by_role("dialog")).to_contain_text("已核销")
    await page.keyboard.press("Escape")
    await row.get_by_role("button", name="暂停").click()
    await page.get_by_role("button", name="确认").click()
    await expect(row).to_contain_text("已暂停")
    await row.get_by_role("button", name="修改").click()
    await page.get_by_label("总量").fill("2000")
    await page.get_by_role("button", name="保存").click()
    await expect(row).to_contain_text("0 / 2000")
    await row.get_by_role("button", name="结束").click()
    await page.get_by_role("button", name="确认").click()
    await expect(row).to_contain_text("已结束")


async def test_settlements_are_read_by_day_and_taken_away_as_a_table(desk: Desk) -> None:
    page = await desk("operator", agency="education", division="460105", place="/settlements")
    await expect(page.get_by_text(re.compile("全部账目相符|处不符"))).to_be_visible()
    await page.get_by_label("日期").fill("2020-01-01")
    await expect(page.get_by_text("这一天没有核销")).to_be_visible()
    await expect(page.get_by_role("button", name="下载 CSV")).to_be_disabled()


@pytest.mark.parametrize("place", ["/benefit", "/campaigns", "/settlements"])
async def test_pages_of_money_are_sound_in_every_look(desk: Desk, place: str) -> None:
    page = await desk("officer", "operator", **FUND, place=place)
    assert await looks.at_desk(page) == []
