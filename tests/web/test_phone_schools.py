"""What a family does on the phone once the results are out, and how it finds a school near its home."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from services.school_places import tasks
from tests.web.phone_steps import Phone
from tests.zones.school_places.afterwards import Family, Results, results_of
from tests.zones.school_places.conftest import Headers, MakeRound


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


@pytest.fixture
async def two(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    """One seat at A, which one of two families has; the other is at B and waits for A."""
    return await results_of(
        api, sandbox, make_round, clerk, officer, seats={"A": 1, "B": 2}, wishes=["AB", "AB"]
    )


async def at(results: Results, school: str) -> Family:
    """The family whose child is there."""
    return (await results.by_school())[f"{school}小学"][0]


async def card(phone: Phone, family: Family) -> Locator:
    """The family's result on its phone."""
    await phone.arrive(family.who)
    await phone.open("/schools")
    found = phone.page.locator("article.card", has_text="自己核验这次摇号")
    await expect(found).to_be_visible()
    return found


async def test_a_family_gives_its_place_up_takes_that_back_and_confirms(phone: Phone, two: Results) -> None:
    family = await at(two, "A")
    result = await card(phone, family)
    place = await two.place(family)
    await expect(result).to_contain_text(place["explanation"])
    link = result.get_by_role("link", name="自己核验这次摇号")
    await expect(link).to_have_attribute("href", f"/draw-check?run={two.run}")
    await result.get_by_role("button", name="放弃学位").click()
    sheet = phone.page.get_by_role("dialog")
    await expect(sheet.get_by_role("button", name="不放弃")).to_be_focused()
    await phone.tap("确认放弃")
    await expect(result).to_contain_text("已放弃")
    await expect(result).to_contain_text(re.compile(r"还有 \d:\d\d 可以撤销"))
    assert (await two.place(family))["answer"] == "refused"
    await result.get_by_role("button", name="撤销放弃").click()
    await expect(result.get_by_role("button", name="确认就读")).to_be_visible()
    await result.get_by_role("button", name="确认就读").dblclick()
    await expect(result).to_contain_text("已确认就读")
    assert (await two.place(family))["answer"] == "confirmed"


async def test_a_seat_that_became_free_is_offered_and_taken(phone: Phone, two: Results) -> None:
    first, second = await at(two, "A"), await at(two, "B")
    await two.appeal_window_passes()
    await tasks.carry_on(b"")
    result = await card(phone, second)
    await expect(result).to_contain_text("第一志愿A小学：候补第 1 位")
    await two.refuse(first)
    await phone.page.reload()
    await expect(result).to_contain_text("前答复")
    await result.get_by_role("button", name="接受，转到A小学").click()
    await expect(phone.page.get_by_role("button", name="再想想")).to_be_focused()
    await phone.tap("确认接受")
    await expect(result.locator(".school")).to_contain_text("A小学")
    assert (await two.place(second))["school"] == "A小学"


async def test_a_waiting_list_is_left_after_a_second_question(phone: Phone, two: Results) -> None:
    family = await at(two, "B")
    await tasks.carry_on(b"")
    result = await card(phone, family)
    await result.get_by_role("button", name="退出候补 A小学").click()
    await phone.tap("继续候补")
    assert [row["state"] for row in (await two.place(family))["waitingLists"]] == ["waiting"]
    await result.get_by_role("button", name="退出候补 A小学").click()
    await phone.tap("确认退出")
    await expect(result.get_by_role("button", name="退出候补 A小学")).to_have_count(0)
    assert [row["state"] for row in (await two.place(family))["waitingLists"]] == ["left"]


async def test_an_appeal_is_filed_once_and_its_state_stays(phone: Phone, two: Results) -> None:
    family = await at(two, "B")
    result = await card(phone, family)
    await result.get_by_role("button", name="对结果有异议，申诉").click()
    await phone.page.fill("#appeal", "我家在A小学的片区里")
    await phone.tap("提交申诉")
    await expect(result).to_contain_text("正在处理")
    await expect(result.get_by_role("button", name="对结果有异议，申诉")).to_have_count(0)
    await phone.page.reload()
    await expect(result).to_contain_text("正在处理")
    appeal = (await two.place(family))["appeal"]
    assert appeal["state"] == "open"


async def test_without_a_network_an_appeal_is_kept_and_filed_once_it_is_back(
    phone: Phone, two: Results, expected: list[str]
) -> None:
    expected.append("ERR_INTERNET_DISCONNECTED")
    family = await at(two, "B")
    result = await card(phone, family)
    await result.get_by_role("button", name="对结果有异议，申诉").click()
    await phone.page.fill("#appeal", "我家在A小学的片区里")
    await phone.page.context.set_offline(True)
    await phone.tap("提交申诉")
    await expect(phone.page.get_by_role("alert")).to_contain_text("没有网络")
    await expect(phone.page.locator("#appeal")).to_have_value("我家在A小学的片区里")
    await phone.page.context.set_offline(False)
    await phone.tap("提交申诉")
    await expect(result).to_contain_text("正在处理")


async def test_schools_are_listed_nearest_first_and_the_position_stays_on_the_phone(
    phone: Phone, make_round: MakeRound
) -> None:
    """The schools of the tests stand a hundredth of a degree apart; somebody stands at the third."""
    await make_round({"近一": 1, "近二": 1, "近三": 1})
    page = phone.page
    await page.context.grant_permissions(["geolocation"], origin=phone.site)
    await page.context.set_geolocation({"latitude": 20.0213, "longitude": 110.29})
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url + (request.post_data or "")))
    await phone.open("/schools")
    await page.get_by_role("searchbox", name="找学校").fill("近")
    await phone.tap("按离我的远近排")
    rows = page.locator("section[aria-labelledby=all] .row")
    await expect(rows.first).to_contain_text("直线约 140 米")
    names = await rows.locator("b:first-child").all_inner_texts()
    assert [name for name in names if name in ("近一小学", "近二小学", "近三小学")][:3] == [
        "近三小学",
        "近二小学",
        "近一小学",
    ]
    assert not [each for each in sent if "20.02" in each]


async def test_without_a_position_the_list_says_what_else_to_do(phone: Phone, make_round: MakeRound) -> None:
    await make_round({"某处": 1})
    await phone.open("/schools")
    await phone.tap("按离我的远近排")
    await expect(phone.page.get_by_role("alert")).to_contain_text("可以直接找学校名")
    await phone.page.get_by_role("searchbox", name="找学校").fill("没有的")
    await expect(phone.page.get_by_text("没有这个名字的学校")).to_be_visible()
