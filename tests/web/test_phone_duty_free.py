"""Duty-free on the phone: a voucher in a rush on a bad network, orders, the pick-up code, the parcel."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import httpx
import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Locator, Page, Request, Route, expect
from sqlalchemy import select

from haiyiban import clock
from haiyiban.db import Database
from services.duty_free.vouchers.models import Voucher
from tests import builders
from tests.builders import Somebody, settle
from tests.contracts.duty_free_flow import open_campaign
from tests.web.phone_steps import Phone
from tests.zones.duty_free.conftest import CHECKS, Headers, backdate, line, make_shop, sell, shop
from tests.zones.duty_free.test_parcels import mailed, send, waybill
from tests.zones.duty_free.test_pickup import there_and_back
from tests.zones.duty_free.wallet import Buyer

__all__ = ["make_shop", "shop"]


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


class Rush:
    """A campaign that one guest claims of, and what their phone sends."""

    def __init__(self, phone: Phone, database: Database, campaign: UUID, name: str) -> None:
        self.page, self.database, self.campaign, self.name = phone.page, database, campaign, name
        self.keys: list[str] = []
        self.address = f"**/campaigns/{campaign}/claims"
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.endswith(f"{self.campaign}/claims"):
            self.keys.append(request.headers["idempotency-key"])

    @property
    def button(self) -> Locator:
        return self.page.locator(".voucher", has_text=self.name).get_by_role("button")

    async def given(self) -> list[str]:
        """The numbers of the vouchers that were given out."""
        async with self.database.reading() as look:
            found = await look.scalars(select(Voucher.number).where(Voucher.campaign_id == self.campaign))
            return list(found)


@pytest.fixture
async def rush(phone: Phone, sandbox: httpx.AsyncClient, database: Database) -> Rush:
    """A guest who looks at a campaign that is open."""
    name = f"抢券{secrets.token_hex(3)}"
    campaign = await open_campaign(name=name)
    await phone.arrive(await settle(sandbox, Somebody()))
    await phone.open("/duty-free")
    return Rush(phone, database, UUID(str(campaign)), name)


async def crowded(route: Route) -> None:
    """What the gate of a rush answers to whom it cannot take yet."""
    told = {"type": "/problems/duty-free/busy", "title": "人太多", "status": 429}
    await route.fulfill(status=429, json=told, headers={"Retry-After": "2"})


async def test_in_a_crowd_one_waits_in_an_honest_queue_and_is_taken_once(
    rush: Rush, expected: list[str]
) -> None:
    expected.append("429")
    await rush.page.route(rush.address, crowded, times=2)
    await rush.button.click()
    await expect(rush.page.get_by_text("人多，您已在排队")).to_be_visible()
    await expect(rush.page.get_by_text(re.compile("[12] 秒后自动再试"))).to_be_visible()
    await expect(rush.button).to_be_disabled()
    await expect(rush.page.get_by_text(re.compile("领取成功，券号"))).to_be_visible()
    assert len(rush.keys) == 3
    assert len(set(rush.keys)) == 1
    assert len(await rush.given()) == 1


async def test_a_lost_answer_is_made_certain_with_the_same_wish(rush: Rush, expected: list[str]) -> None:
    """The voucher was committed, the phone never heard of it."""
    expected.append("ERR_FAILED")

    async def lost(route: Route) -> None:
        answered = await route.fetch()
        assert answered.status == 201
        await route.abort()

    await rush.page.route(rush.address, lost, times=1)
    await rush.button.click()
    await expect(rush.page.get_by_text("同一张券不会领两次")).to_be_visible()
    said = rush.page.get_by_text(re.compile("领取成功，券号"))
    await expect(said).to_be_visible()
    [number] = await rush.given()
    await expect(said).to_contain_text(number)
    assert len(set(rush.keys)) == 1


async def test_a_page_that_was_loaded_anew_goes_on_with_the_same_wish(
    rush: Rush, expected: list[str]
) -> None:
    expected.append("429")
    await rush.page.route(rush.address, crowded, times=1)
    await rush.button.click()
    await expect(rush.page.get_by_text("人多，您已在排队")).to_be_visible()
    await rush.page.reload()
    await expect(rush.page.get_by_text(re.compile("领取成功，券号"))).to_be_visible()
    assert len(rush.keys) == 2
    assert len(set(rush.keys)) == 1
    assert len(await rush.given()) == 1


async def test_two_taps_are_one_claim_and_the_limit_is_said(rush: Rush, expected: list[str]) -> None:
    expected.append("409")
    await rush.button.dblclick()
    await expect(rush.page.get_by_text(re.compile("领取成功，券号"))).to_be_visible()
    assert len(rush.keys) == 1
    await rush.button.click()
    await expect(rush.page.get_by_role("alert")).to_be_visible()
    assert len(await rush.given()) == 1
    await rush.page.reload()
    await expect(rush.button).to_be_enabled()
    assert len(rush.keys) == 2, "a refused wish is not asked for again"


async def test_who_stops_waiting_goes_on_later_with_the_same_wish(rush: Rush, expected: list[str]) -> None:
    expected.append("429")
    await rush.page.route(rush.address, crowded, times=1)
    await rush.button.click()
    await rush.page.get_by_role("button", name="不等了").click()
    await expect(rush.page.get_by_text("不会多领")).to_be_visible()
    await rush.button.click()
    await expect(rush.page.get_by_text(re.compile("领取成功，券号"))).to_be_visible()
    assert len(set(rush.keys)) == 1
    assert len(await rush.given()) == 1


async def buyer(phone: Phone, sandbox: httpx.AsyncClient, **facts: object) -> Buyer:
    """Somebody on the phone, and the same person's code in a shop."""
    who = await settle(sandbox, Somebody(more=dict(facts)))
    await phone.arrive(who)
    grant = await builders.arrive(who.name, who.id_number, who.phone)
    return Buyer(who, {"Authorization": f"Bearer {grant.access_token}"}, UUID(int=0), "")


async def test_an_order_says_what_it_costs_of_the_allowance_and_shows_its_pick_up_code(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient, database: Database, shop: Headers
) -> None:
    who = await buyer(phone, sandbox, trips=there_and_back())
    order = await sell(api, shop, who, line(price=150_000, quantity=2), pickUp="on_return")
    await backdate(database, order, purchased_at=clock.now() - timedelta(days=10))
    page = phone.page
    await phone.open("/duty-free")
    await phone.tap("我的免税订单和包裹", role="link")
    card = page.locator("article.card")
    await expect(card).to_contain_text("¥3,000.00")
    await expect(card).to_contain_text("已预占，提货后计入")
    await expect(card).to_contain_text("买了以后，您本人离过岛")
    await card.get_by_role("link", name="亮提货码").click()
    picture = page.get_by_role("img", name=re.compile("提货码"))
    await expect(picture).to_be_visible()
    text = zxingcpp.read_barcode(Image.open(BytesIO(await picture.screenshot()))).text
    checked = (await api.post(CHECKS, json={"text": text}, headers=shop)).json()
    assert checked["outcome"] == "valid", checked
    await expect(page.get_by_text("核验成功")).to_be_visible()
    await phone.open("/duty-free/orders")
    await expect(card).to_contain_text("已提货")
    await expect(card).to_contain_text("已计入今年额度")
    await expect(card.get_by_role("link", name="亮提货码")).to_have_count(0)


async def test_a_parcel_is_followed_and_a_refund_gives_the_allowance_back(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient, database: Database, shop: Headers
) -> None:
    who, number = await buyer(phone, sandbox), waybill()
    order = await mailed(api, database, shop, who)
    page = phone.page
    card = page.locator("article.card")
    await phone.open("/duty-free/orders")
    await expect(card).to_contain_text("您离岛后由店家寄出")
    assert (await send(api, shop, order, number)).status_code == 201
    scan = {"at": (clock.now() + timedelta(hours=1)).isoformat(), "state": "in_transit", "place": "海口"}
    posted = {"number": number, "phone": who.person.phone, "scans": [scan]}
    assert (await sandbox.post("/carrier/parcels", json=posted)).status_code == 201
    await page.reload()
    await phone.tap(f"查物流 {number}")
    await expect(card.get_by_label("包裹")).to_contain_text("运输中")
    await expect(card.get_by_label("包裹")).to_contain_text("离岛确认")
    refunded = await api.post(f"/zones/duty-free/orders/{order['id']}/refund", json={}, headers=shop)
    assert refunded.status_code == 200, refunded.text
    await page.reload()
    await expect(card).to_contain_text("已退货")
    await expect(card).to_contain_text("已退回额度")


async def test_another_guest_has_no_orders(phone: Phone, sandbox: httpx.AsyncClient) -> None:
    await buyer(phone, sandbox)
    await phone.open("/duty-free/orders")
    await expect(phone.page.get_by_text("还没有免税订单")).to_be_visible()
