"""Bad days: two tabs, a session that is over, a double tap, the back button, a wrong clock, no network.

Whatever happens, nothing that was typed is lost, nothing is handed in twice, and the page says what to do.
"""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Request, Route, expect

from tests import builders
from tests.builders import Somebody, settle
from tests.web.phone_steps import Phone

pytestmark = pytest.mark.long

LICENCE = "public-security.driving-licence-replacement"


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


class Applicant:
    """Somebody in the middle of an application, and what the office has of it."""

    def __init__(self, phone: Phone, api: httpx.AsyncClient, who: Somebody) -> None:
        self.phone, self.page, self.api, self.who = phone, phone.page, api, who

    async def begin(self) -> None:
        """The form of a lost driving licence is open."""
        await self.phone.arrive_by_taps(self.who)
        await self.phone.open(f"/matters/{LICENCE}")
        await self.phone.tap("开始办理")
        await self.page.wait_for_url("**/form")
        await expect(self.page.get_by_label("邮寄地址")).to_be_visible()

    async def fill(self, address: str) -> None:
        """All that the form asks for."""
        await self.page.get_by_role("radio", name=re.compile("遗失|丢失")).check()
        await self.page.get_by_label("邮寄地址").fill(address)

    async def cases(self) -> list[dict[str, Any]]:
        """In full, as the server has them."""
        grant = await builders.arrive(self.who.name, self.who.id_number, self.who.phone)
        mine = {"Authorization": f"Bearer {grant.access_token}"}
        listed = (await self.api.get("/cases", headers=mine)).json()["items"]
        return [(await self.api.get(f"/cases/{each['id']}", headers=mine)).json() for each in listed]

    async def handed_in_once(self, address: str) -> None:
        """One case, handed in once, with this address."""
        [case] = await self.cases()
        assert case["state"] == "submitted"
        assert case["form"]["mailTo"] == address
        assert [each["event"] for each in case["timeline"]].count("submission") == 1


@pytest.fixture
async def applicant(phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Applicant:
    who = await settle(sandbox, Somebody())
    applicant = Applicant(phone, api, who)
    await applicant.begin()
    return applicant


async def test_two_tabs_with_one_draft_keep_what_was_typed_in_both(
    applicant: Applicant, expected: list[str]
) -> None:
    expected += ["409", "412"]
    page = applicant.page
    async with page.expect_popup() as opened:
        await page.evaluate("window.open(location.href)")
    other = await opened.value
    await expect(other.get_by_label("邮寄地址")).to_be_visible()
    await page.get_by_label("邮寄地址").fill("海口市示例路 9 号")
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await other.get_by_role("radio", name=re.compile("遗失|丢失")).check()
    await expect(other.get_by_label("邮寄地址")).to_have_value("海口市示例路 9 号")
    await other.get_by_role("button", name="下一步").click()
    await other.get_by_role("button", name="确认提交").click()
    await expect(other.get_by_text("提交成功")).to_be_visible()
    # The first tab learns of it where it matters, and leads to the case.
    await page.get_by_label("邮寄地址").fill("海口市示例路 10 号")
    await expect(page.get_by_text("已经提交，您")).to_be_visible()
    await expect(page.get_by_role("link", name="查看进度")).to_be_visible()
    await applicant.handed_in_once("海口市示例路 9 号")
    await other.close()


async def test_a_session_that_is_over_in_the_middle_is_taken_up_and_nothing_typed_is_lost(
    applicant: Applicant, expected: list[str]
) -> None:
    """Signed out everywhere by another device: token and cookie are both worth nothing."""
    expected.append("401")
    page = applicant.page
    await applicant.fill("海口市示例路 9 号")
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await page.context.clear_cookies()

    async def over(route: Route) -> None:
        told = {"type": "/problems/kernel/not-signed-in", "title": "请登录", "status": 401}
        await route.fulfill(status=401, json=told)

    await page.route("**/api/v1/cases/*", over, times=1)
    await page.get_by_label("邮寄地址").fill("海口市示例路 11 号")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await applicant.phone.sign_in(applicant.who)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_label("邮寄地址")).to_have_value("海口市示例路 11 号")
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await applicant.phone.tap("下一步")
    await applicant.phone.tap("确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()
    await applicant.handed_in_once("海口市示例路 11 号")


async def test_a_double_tap_on_handing_in_is_one_application(applicant: Applicant) -> None:
    sent: list[str] = []
    applicant.page.on("request", lambda request: _note(sent, request))
    await applicant.fill("海口市示例路 9 号")
    await applicant.phone.tap("下一步")
    await applicant.page.get_by_role("button", name="确认提交").dblclick()
    await expect(applicant.page.get_by_text("提交成功")).to_be_visible()
    assert len(sent) == 1
    await applicant.handed_in_once("海口市示例路 9 号")


async def test_the_back_button_goes_through_an_application_step_by_step(applicant: Applicant) -> None:
    page = applicant.page
    await applicant.fill("海口市示例路 9 号")
    await applicant.phone.tap("下一步")
    await expect(page.locator(".review")).to_be_visible()
    await page.go_back()
    # From the review back to the form, not out of it.
    await expect(page.get_by_label("邮寄地址")).to_have_value("海口市示例路 9 号")
    await page.go_back()
    await expect(page.get_by_role("button", name="开始办理")).to_be_visible()
    await page.go_forward()
    await expect(page.get_by_label("邮寄地址")).to_have_value("海口市示例路 9 号")
    await applicant.phone.tap("下一步")
    await applicant.phone.tap("确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()
    await page.go_back()
    # What was handed in is not offered for handing in again.
    await expect(page.get_by_role("button", name="确认提交")).to_have_count(0)
    await applicant.handed_in_once("海口市示例路 9 号")


async def test_the_back_button_closes_an_identity_sheet_and_keeps_the_page(
    phone: Phone, sandbox: httpx.AsyncClient
) -> None:
    who = await settle(sandbox, Somebody())
    page = phone.page
    await phone.open("/search?q=驾照")
    await phone.page.locator("a", has_text="驾驶证").first.click()
    await phone.tap("开始办理")
    await page.fill("#phone", who.phone)
    await page.go_back()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="开始办理")).to_be_visible()
    await phone.tap("开始办理")
    await phone.sign_in(who)
    await phone.confirm(who)
    await page.wait_for_url("**/form")


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_phone_whose_clock_is_wrong_shows_a_code_that_lives_as_long_as_others(
    phone: Phone, sandbox: httpx.AsyncClient, hours: int
) -> None:
    page = phone.page
    await page.add_init_script(
        f"""{{const off = {hours} * 3600e3, D = Date, now = D.now.bind(D);
        globalThis.Date = class extends D {{
          constructor(...given) {{ given.length ? super(...given) : super(now() + off) }}
          static now() {{ return now() + off }}
        }}}}"""
    )
    await phone.arrive(await settle(sandbox, Somebody()))
    await phone.open("/codes")
    await expect(page.get_by_role("img", name="身份码二维码")).to_be_visible()
    left = int(await page.locator(".count b").inner_text())
    assert 40 <= left <= 61
    await expect(page.get_by_text("已过期")).to_have_count(0)


SLOW = {
    "offline": False,
    "latency": 2000,
    "downloadThroughput": 6_000,
    "uploadThroughput": 3_000,
}


async def test_on_a_slow_network_a_tap_is_seen_at_once_and_counts_once(applicant: Applicant) -> None:
    page = applicant.page
    sent: list[str] = []
    page.on("request", lambda request: _note(sent, request))
    line = await page.context.new_cdp_session(page)
    await line.send("Network.enable")
    await line.send("Network.emulateNetworkConditions", SLOW)
    await applicant.fill("海口市示例路 9 号")
    await applicant.phone.tap("下一步")
    await expect(page.locator(".review")).to_be_visible()
    await page.get_by_role("button", name="确认提交").click()
    handing = page.get_by_role("button", name="正在提交")
    await expect(handing).to_be_disabled(timeout=1_500)
    await expect(page.get_by_text("提交成功")).to_be_visible(timeout=40_000)
    assert len(sent) == 1
    await applicant.handed_in_once("海口市示例路 9 号")


@pytest.mark.parametrize("step", ["form", "review", "answer"])
async def test_without_a_network_at_any_step_nothing_is_lost_and_nothing_is_handed_in_twice(
    applicant: Applicant, expected: list[str], step: str
) -> None:
    expected += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    page, context = applicant.page, applicant.page.context
    sent: list[str] = []
    page.on("request", lambda request: _note(sent, request))
    if step == "form":
        await context.set_offline(True)
        await applicant.fill("海口市示例路 9 号")
        await expect(page.get_by_text("没有保存，稍后会再试")).to_be_visible()
        await applicant.phone.tap("下一步")
    else:
        await applicant.fill("海口市示例路 9 号")
        await applicant.phone.tap("下一步")
        await expect(page.locator(".review")).to_be_visible()
        await expect(page.get_by_text("已自动保存")).to_be_visible()
    if step == "review":
        await context.set_offline(True)
    if step == "answer":
        # It was handed in, and the phone never hears of it.
        async def lost(route: Route) -> None:
            answered = await route.fetch()
            assert answered.status == 200
            await route.abort()

        await page.route("**/submission", lost, times=1)
    await expect(page.locator(".review")).to_contain_text("海口市示例路 9 号")
    await page.get_by_role("button", name="确认提交").click()
    await expect(page.get_by_role("alert")).to_contain_text("没有网络")
    await context.set_offline(False)
    await page.get_by_role("button", name="确认提交").click()
    await expect(page.get_by_text("提交成功")).to_be_visible()
    await applicant.handed_in_once("海口市示例路 9 号")
    assert len(set(sent)) == 1, "one wish has one key"


def _note(sent: list[str], request: Request) -> None:
    if request.url.endswith("/submission"):
        sent.append(request.headers["idempotency-key"])
