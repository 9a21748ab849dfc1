"""School places after the results: appeals, lists, late families, a second round, and what is public."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import Page, expect

from tests.web import looks
from tests.web.desk_steps import Desk, desk
from tests.zones.school_places.afterwards import Results
from tests.zones.school_places.test_appeals import appealed, wronged

__all__ = ["desk", "wronged"]
AT = {"agency": "education", "division": "460105"}


async def choose(page: Page, results: Results) -> None:
    await page.get_by_label("招生批次").select_option(str(results.made.id))


async def test_an_appeal_is_upheld_with_the_fact_that_was_wrong(desk: Desk, wronged: Results) -> None:
    one = wronged.families[1]
    await appealed(wronged, one)
    page = await desk("officer", **AT, place="/afterwards")
    await choose(page, wronged)
    card = page.locator("article", has_text="住房已登记，核验有误")
    await card.get_by_role("button", name="申诉成立").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("住房编号").fill("T-1")
    await dialog.get_by_label("地址").fill("海南省海口市秀英区A小区3栋101室")
    await dialog.get_by_label("区划代码").fill("460105")
    await dialog.get_by_label("居住方式").select_option("owned")
    await dialog.get_by_label("产权份额").fill("100")
    await dialog.get_by_label("理由").fill("经核查不动产登记")
    await dialog.get_by_role("button", name="确认").click()
    await expect(page.get_by_role("status").filter(has_text="申诉成立")).to_contain_text("改录取到")
    await expect(card).to_contain_text("经核查不动产登记")
    await page.get_by_role("button", name="变动统计").click()
    await expect(page.locator(".facts div", has_text="因申诉改录取")).to_contain_text("1")


async def test_a_clerk_reads_and_does_not_decide(desk: Desk, wronged: Results) -> None:
    await appealed(wronged, wronged.families[1])
    page = await desk("clerk", **AT, place="/afterwards")
    await choose(page, wronged)
    await expect(page.locator("article")).to_contain_text("住房已登记")
    await expect(page.get_by_role("button", name=re.compile("申诉成立|第二轮"))).to_have_count(0)
    await page.get_by_role("button", name="候补名单").click()
    await expect(page.get_by_text("名单是空的")).to_be_visible()
    await page.get_by_role("button", name="递补").click()
    await expect(page.get_by_text("名单是空的")).to_be_visible()


async def test_the_public_page_and_the_hashes_are_there(desk: Desk, wronged: Results) -> None:
    page = await desk("officer", **AT, place="/afterwards")
    await choose(page, wronged)
    await page.get_by_role("button", name="公开信息").click()
    run = (await wronged.api.get(wronged.at)).json()["runs"][-1]
    await expect(page.get_by_text(run["rollHash"])).to_be_visible()
    await expect(page.get_by_text(run["seed"])).to_be_visible()
    file = await page.get_by_role("link", name="公开文件").get_attribute("href")
    answer = await page.request.get(f"{page.url.split('/desk')[0]}{file}")
    assert answer.ok


async def test_a_second_round_that_cannot_be_says_why(
    desk: Desk, wronged: Results, expected: list[str]
) -> None:
    expected += ["409", "422"]
    page = await desk("officer", **AT, place="/afterwards")
    await choose(page, wronged)
    await page.get_by_role("button", name="第二轮").click()
    for field in ("报名开始", "报名截止", "此后抽签"):
        await page.get_by_label(field).fill("2099-01-01T08:00")
    await page.get_by_label("公开事件").fill("福彩双色球")
    await page.get_by_role("button", name="开第二轮").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("报名开始")).to_have_value("2099-01-01T08:00")


async def test_the_page_is_sound_in_every_look(desk: Desk, api: httpx.AsyncClient, wronged: Results) -> None:
    page = await desk("officer", **AT, place="/afterwards")
    await choose(page, wronged)
    assert await looks.at_desk(page) == []
