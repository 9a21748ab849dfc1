"""The page inside the WeChat shell, with the shell's side played as web/mp does it."""

from __future__ import annotations

import secrets

import httpx
import pytest
from playwright.async_api import Page, Request, expect

from haiyiban import verifiers
from tests import builders
from tests.builders import Somebody
from tests.kernel.identity.test_wechat_tickets import redeem, ticket_of

SHELL = """window.__wxjs_environment = 'miniprogram'
window.asked = []
window.WeixinJSBridge = { invoke: (name, told) => window.asked.push([name, told.name, told.arg.url]) }"""


@pytest.fixture
async def inside(page: Page) -> Page:
    """A page in the web-view of the mini program."""
    await page.add_init_script(SHELL)
    return page


async def test_the_shells_user_is_signed_in_and_nothing_stays_in_the_address(
    inside: Page, site: str, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    ticket = await ticket_of(api, sandbox, f"user-{secrets.token_hex(6)}")
    asked: list[str] = []
    inside.on("request", lambda request: asked.append(request.url))
    await inside.goto(f"{site}/m/me#ticket={ticket}")
    await expect(inside.get_by_role("button", name="退出登录")).to_be_visible()
    assert await inside.evaluate("location.hash") == ""
    assert not [url for url in asked if ticket in url], "no server and no log sees it"
    assert (await redeem(api, ticket)).status_code == 422, "used"
    await inside.reload()
    await expect(inside.get_by_role("button", name="退出登录")).to_be_visible()


async def test_an_old_ticket_leaves_the_way_by_sms(inside: Page, site: str, expected: list[str]) -> None:
    expected.append("422")
    await inside.goto(f"{site}/m/me#ticket={secrets.token_urlsafe(32)}")
    await expect(inside.get_by_role("button", name="登录", exact=True)).to_be_visible()


async def test_a_link_signs_nobody_in_to_somebody_elses_account(
    page: Page, site: str, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    """Outside the mini program whoever sent the link would be the one who is signed in."""
    ticket = await ticket_of(api, sandbox, f"user-{secrets.token_hex(6)}")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if "/auth/" in request.url else None)
    await page.goto(f"{site}/m/me#ticket={ticket}")
    await expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    assert sent == []
    assert (await redeem(api, ticket)).status_code == 201, "nobody used it"


async def test_the_native_scan_is_asked_for_and_heard(
    inside: Page,
    site: str,
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    gate_secret: verifiers.ClientSecret,
) -> None:
    headers = await builders.resident(api, sandbox, await builders.settle(sandbox, Somebody()))
    await inside.goto(f"{site}/m/verify")
    await inside.fill("#client", gate_secret.client_id)
    await inside.fill("#secret", gate_secret.client_secret)
    await inside.get_by_role("button", name="进入核验").click()
    await inside.select_option("#purpose", "gate")
    await inside.get_by_role("button", name="微信扫一扫").click()
    assert await inside.evaluate("window.asked") == [
        ["invokeMiniProgramAPI", "navigateTo", "/pages/scan/scan"]
    ]
    text = (await api.post("/codes", json={"kind": "identity"}, headers=headers)).json()["text"]
    await inside.evaluate("(text) => { location.hash = `scan=${encodeURIComponent(text)}&at=1` }", text)
    await expect(inside.get_by_role("dialog")).to_contain_text("有效")
    assert await inside.evaluate("location.hash") == ""
