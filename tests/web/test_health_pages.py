"""The health code's pages: what a person does on the phone, and what clerks and operators do about it."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy import delete, select

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.ids import new_id
from haiyiban.verifiers.models import Terminal as Fleet
from services.health_code import recolouring
from services.health_code.models import Appeal, Recolouring, Slot
from tests import builders
from tests.builders import Somebody, settle
from tests.terminal import Terminal, accredited_for, enrolled_at
from tests.web import looks
from tests.web.desk_steps import Desk, desk
from tests.web.phone_steps import Phone
from tests.zones.health_code.test_appeals import APPEALS, SAID, positive
from tests.zones.health_code.test_code import ago, shown, well

__all__ = ["desk"]

PLACE = "460108"
"""美兰区, where no other test opens hours."""


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: object) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


async def hours(database: Database, *, capacity: int = 5, booked: int = 0) -> str:
    """Hours in two days at a site of its own; its name."""
    at = (clock.now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    site = f"示例接种点{uuid4().hex[:6]}"
    async with database.transaction() as session:
        session.add(
            Slot(
                id=new_id(),
                division=PLACE,
                site_zh=site,
                site_en="Sample site",
                starts_at=at,
                ends_at=at + timedelta(hours=2),
                capacity=capacity,
                booked=booked,
            )
        )
    return site


async def test_who_declares_symptoms_reads_why_and_appeals_with_evidence(
    phone: Phone, sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = await settle(
        sandbox,
        well(
            trips=[{"from": "440300", "to": "460100", "departedAt": ago(days=3), "arrivedAt": ago(days=2.9)}]
        ),
    )
    page = phone.page
    await phone.arrive(somebody)
    await phone.open("/health")
    await expect(page.get_by_text("绿码", exact=True)).to_be_visible()
    await expect(page.get_by_text("行程：最近 7 天到过")).to_be_visible()
    await expect(page.locator(".places li")).to_have_text(["广东省", "海口市"])
    await page.get_by_role("link", name=re.compile("健康申报")).click()
    await page.get_by_label("发热、气促").check()
    await phone.tap("提交申报")
    await expect(page.get_by_text("已申报，您现在是黄码")).to_be_visible()
    await phone.tap("看我的健康码", role="link")
    await expect(page.locator("[data-colour='yellow']")).to_be_visible()
    await page.get_by_role("link", name=re.compile("申诉")).click()
    await expect(page.get_by_role("button", name="提交申诉")).to_be_disabled()
    await page.fill("#reason", "只是过敏性鼻炎")
    await page.fill("#evidence", "门诊病历 2026-118")
    await page.select_option("#where", "460100")
    await phone.tap("提交申诉")
    await expect(page.get_by_text("待处理")).to_be_visible()
    await expect(page.get_by_text("门诊病历 2026-118")).to_be_visible()
    await expect(page.locator("#reason")).to_have_count(0)
    async with database.reading() as session:
        made = await session.scalar(select(Appeal).order_by(Appeal.id.desc()).limit(1))
        assert made is not None
        assert (made.division, made.colour) == ("460100", "yellow")


async def test_a_parent_shows_the_code_of_a_child(phone: Phone, sandbox: httpx.AsyncClient) -> None:
    parent = well()
    parent.children = [builders.child("符小椰"), builders.child("符小岛")]
    page = phone.page
    await phone.arrive(await settle(sandbox, parent))
    await phone.open("/health")
    await phone.tap("家人健康码", role="link")
    await phone.tap("符小椰", role="link")
    await expect(page.locator(".ticket .name")).to_have_text("符小椰")
    await expect(page.locator(".ticket[data-colour]")).to_be_visible()
    await phone.tap("返回")
    await phone.tap("符小岛", role="link")
    await expect(page.locator(".ticket .name")).to_have_text("符小岛")


async def test_who_has_no_children_is_told_so(phone: Phone, sandbox: httpx.AsyncClient) -> None:
    await phone.arrive(await settle(sandbox, well()))
    await phone.open("/health/children")
    await expect(phone.page.get_by_text("没有查到您的未成年子女")).to_be_visible()


async def test_what_cannot_be_appealed_is_said_and_nothing_typed_is_lost(
    phone: Phone, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    expected.append("422")
    page = phone.page
    await phone.arrive(await settle(sandbox, well()))
    await phone.open("/health/appeals")
    await page.fill("#reason", "颜色不对")
    await page.select_option("#where", "460100")
    await phone.tap("提交申诉")
    await expect(page.get_by_role("alert")).to_contain_text("只有红码或黄码可以申诉")
    await expect(page.locator("#reason")).to_have_value("颜色不对")


async def test_an_appointment_is_booked_once_and_given_back(
    phone: Phone, sandbox: httpx.AsyncClient, database: Database
) -> None:
    site = await hours(database)
    page = phone.page
    await phone.arrive(await settle(sandbox, well()))
    await phone.open("/health/vaccination")
    await expect(page.locator("#where")).to_have_value("460100")
    await page.select_option("#where-1", PLACE)
    row = page.locator(".row", has_text=site)
    await expect(row).to_contain_text("剩 5 个")
    await row.get_by_role("button").click()
    # The second tap of a hasty thumb.
    await page.get_by_role("button", name="确认预约").dblclick()
    await expect(page.get_by_text("您的接种预约")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    async with database.reading() as session:
        assert await session.scalar(select(Slot.booked).where(Slot.site_zh == site)) == 1
    await page.reload()
    await expect(page.get_by_text(site)).to_be_visible()
    await phone.tap("取消预约")
    await phone.tap("确认取消")
    await expect(page.get_by_text("已取消")).to_be_visible()
    async with database.reading() as session:
        assert await session.scalar(select(Slot.booked).where(Slot.site_zh == site)) == 0


async def test_a_place_that_went_meanwhile_is_said_and_the_list_is_read_again(
    phone: Phone, sandbox: httpx.AsyncClient, database: Database, expected: list[str]
) -> None:
    expected.append("409")
    site = await hours(database, capacity=1)
    page = phone.page
    await phone.arrive(await settle(sandbox, well()))
    await phone.open("/health/vaccination")
    await expect(page.locator("#where")).to_have_value("460100")
    await page.select_option("#where-1", PLACE)
    await page.locator(".row", has_text=site).get_by_role("button").click()
    async with database.transaction() as session:
        slot = await session.scalar(select(Slot).where(Slot.site_zh == site))
        assert slot is not None
        slot.booked = 1
    await phone.tap("确认预约")
    await expect(page.get_by_role("alert")).to_be_visible()
    await phone.tap("关闭")
    await expect(page.locator(".row", has_text=site)).to_have_count(0)


async def test_one_reads_where_ones_code_was_checked(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient, database: Database
) -> None:
    somebody = await settle(sandbox, well())
    page = phone.page
    await phone.arrive(somebody)
    await phone.open("/health/checks")
    await expect(page.get_by_text("还没有核验终端查过您的健康码")).to_be_visible()
    terminal = await enrolled_at(api, database, await accredited_for(database, "gate", "enrolment"))
    grant = await builders.arrive(somebody.name, somebody.id_number, somebody.phone)
    code = (await shown(api, {"Authorization": f"Bearer {grant.access_token}"}))["text"]
    seen = await api.post(
        "/verifications", json={"text": code, "purpose": "gate"}, headers=await terminal.headers()
    )
    assert seen.json()["outcome"] == "valid", seen.text
    await page.reload()
    row = page.locator(".row", has_text="滨海小学东门")
    await expect(row).to_contain_text("东门一号")
    await expect(row).to_contain_text("绿码")
    await expect(page.get_by_text("只保留最近 14 天")).to_be_visible()


async def test_the_pages_are_sound_in_every_state(
    phone: Phone, sandbox: httpx.AsyncClient, database: Database
) -> None:
    await hours(database)
    page = phone.page
    parent = well()
    parent.children = [builders.child("符小椰")]
    await phone.arrive(await settle(sandbox, parent))
    await page.set_viewport_size({"width": 320, "height": 700})
    found = []
    for place in ("", "/children", "/declare", "/appeals", "/vaccination", "/checks"):
        await phone.open(f"/health{place}")
        await expect(page.locator(".bones")).to_have_count(0)
        await page.wait_for_load_state("networkidle")
        found += await looks.on_phone(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("clerk", "/health-appeals"),
        ("clerk", "/vaccination"),
        ("operator", "/terminals"),
        ("operator", "/recolouring"),
    ],
)
async def test_the_desks_pages_are_sound(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, role: str, place: str
) -> None:
    headers = await builders.resident(api, sandbox, positive())
    assert (await api.post(APPEALS, json=SAID, headers=headers)).status_code == 201
    page = await desk(role, agency="health", division="460105", place=place)
    assert await looks.at_desk(page) == []


async def test_two_clerks_correct_a_colour_at_the_desk(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    # The first clerk leaves, and may not confirm.
    expected += ["401", "409"]
    somebody: Somebody = positive()
    headers = await builders.resident(api, sandbox, somebody)
    made = await api.post(APPEALS, json=SAID, headers=headers)
    assert made.status_code == 201, made.text
    page = await desk("clerk", agency="health", division="460105", place="/health-appeals")
    card = page.locator("article", has_text=SAID["reason"]).last
    await card.get_by_role("button", name="提出更正").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("理由").fill("复检阴性")
    await expect(dialog.get_by_role("button", name="提交提议")).to_be_disabled()
    await dialog.get_by_label("依据的证明").fill("报告 2026-7")
    await dialog.get_by_role("button", name="提交提议").click()
    await expect(page.get_by_text("等待第二人").first).to_be_visible()
    await card.get_by_role("button", name="确认更正").click()
    await dialog.get_by_role("button", name="确认").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    assert (await shown(api, headers))["colour"] == "red"
    await page.context.clear_cookies()
    second = await desk("clerk", agency="health", division="460105", place="/health-appeals")
    card = second.locator("article", has_text=SAID["reason"]).last
    await expect(card).to_contain_text("复检阴性")
    await card.get_by_role("button", name="确认更正").click()
    await second.get_by_role("dialog").get_by_role("button", name="确认").click()
    await expect(second.get_by_text("的颜色已更正")).to_be_visible()
    assert (await shown(api, headers))["colour"] == "green"


async def test_a_clerk_opens_hours_and_sees_who_is_told_no(desk: Desk, expected: list[str]) -> None:
    expected.append("422")
    page = await desk("clerk", agency="health", division="460105", place="/vaccination")
    site = f"示例接种点{uuid4().hex[:6]}"
    await page.fill("#zh", site)
    await page.fill("#to", "08:00")
    await page.get_by_role("button", name="开放", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("须在开始后一天内")
    await expect(page.locator("#zh")).to_have_value(site)
    await page.fill("#to", "11:30")
    await page.get_by_role("button", name="开放", exact=True).click()
    await expect(page.locator("tr", has_text=site)).to_contain_text("0 / 40")


async def test_an_operator_finds_the_silent_terminals(
    desk: Desk, api: httpx.AsyncClient, database: Database
) -> None:
    owner = await accredited_for(database, "gate", "enrolment")
    names = [f"{word}{uuid4().hex[:6]}" for word in ("失联机", "在线机")]
    terminals: list[Terminal] = [await enrolled_at(api, database, owner, name=name) for name in names]
    for terminal in terminals:
        body = {"listIssuedAt": None, "queueLength": 3, "softwareVersion": "2.4.0"}
        answer = await api.post("/terminals/me/heartbeat", json=body, headers=await terminal.headers())
        assert answer.status_code == 200, answer.text
    async with database.transaction() as session:
        quiet = await session.get_one(Fleet, terminals[0].id)
        quiet.last_seen_at = clock.now() - timedelta(minutes=16)
    page = await desk("operator", agency="health", division="460000", place="/terminals")
    await expect(page.locator("tr", has_text=names[1])).to_contain_text("2.4.0")
    await page.get_by_label(re.compile("只看失联的（15 分钟")).check()
    row = page.locator("tr", has_text=names[0])
    await expect(row).to_contain_text("失联")
    await expect(page.locator("tr", has_text=names[1])).to_have_count(0)
    await page.get_by_label(re.compile("只看失联的（15 分钟")).uncheck()
    await row.get_by_role("button", name="暂停").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("终端失窃")
    await page.get_by_role("dialog").get_by_role("button", name="暂停").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await row.get_by_role("button", name="恢复").click()
    await expect(row.get_by_role("button", name="暂停")).to_be_visible()


async def test_an_operator_recolours_everybody_and_sees_how_far_it_is(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    await shown(api, await builders.resident(api, sandbox, well()))
    async with database.transaction() as session:
        await session.execute(delete(Recolouring))
    page = await desk("operator", agency="health", division="460000", place="/recolouring")
    await expect(page.get_by_text("还没有做过")).to_be_visible()
    await page.get_by_role("button", name="开始重算").click()
    await page.get_by_role("dialog").get_by_role("button", name="开始重算").click()
    await expect(page.get_by_text("进行中")).to_be_visible()
    await page.get_by_role("button", name="停下").click()
    await expect(page.get_by_text("已停下")).to_be_visible()
    await page.get_by_role("button", name="接着做").click()
    await recolouring.work(b"")
    await expect(page.get_by_text("已完成", exact=True)).to_be_visible()
    await expect(page.get_by_text("100%")).to_be_visible()
