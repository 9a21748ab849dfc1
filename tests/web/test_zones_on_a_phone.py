"""What people do with the zones on a phone, and what a shop does with what they show."""

from __future__ import annotations

import re
import secrets
from io import BytesIO
from uuid import uuid4

import httpx
import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Locator, Page, expect
from sqlalchemy import select

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import persons
from haiyiban.verifiers import ClientSecret
from services.duty_free.vouchers.models import CampaignShop, Voucher
from services.unemployment.models import BankAccount, Declaration, Grant
from tests import builders
from tests.builders import Somebody, settle
from tests.contracts.duty_free_flow import open_campaign
from tests.kernel.cases.office import Citizen, Office
from tests.web.phone_steps import Phone
from tests.zones.unemployment.test_applying import accepted, handed_in, out_of_work
from tests.zones.unemployment.test_payments import card


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: object) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


@pytest.fixture
async def till(database: Database) -> tuple[ClientSecret, object]:
    """A shop's client and the shop's id."""
    secret = verifiers.new_secret()
    async with database.transaction() as session:
        verifier = await verifiers.accredit(
            session,
            Words(f"测试免税店 {uuid4().hex[:8]}", "A duty-free shop of the tests"),
            unit="commerce",
            purposes=["shop"],
            now=clock.now(),
        )
        await verifiers.add_client(session, verifier, secret, now=clock.now())
        return secret, verifier.id


async def test_a_voucher_is_claimed_shown_redeemed_and_taken_back(
    phone: Phone,
    sandbox: httpx.AsyncClient,
    api: httpx.AsyncClient,
    database: Database,
    till: tuple[ClientSecret, object],
    expected: list[str],
) -> None:
    """The guest on a phone, the shop at its till; the order below the threshold first."""
    expected += ["422", "409"]
    secret, shop_id = till
    name = f"测试券{secrets.token_hex(3)}"
    campaign_id = await open_campaign(name=name)
    async with database.transaction() as session:
        session.add(CampaignShop(campaign_id=campaign_id, merchant_id=shop_id))
    page = phone.page
    guest = await settle(sandbox, Somebody())
    await phone.arrive(guest)
    await phone.open("/duty-free")
    card_of_it = page.locator(".voucher", has_text=name)
    await card_of_it.get_by_role("button", name="立即领取").click()
    await expect(page.get_by_text(re.compile("领取成功，券号"))).to_be_visible()
    await card_of_it.get_by_role("link", name="出示使用").click()
    await expect(page.get_by_text("断网也能亮")).to_have_count(0)
    async with database.reading() as look:
        voucher = await look.scalar(select(Voucher).where(Voucher.campaign_id == campaign_id))
    assert voucher is not None
    shown = page.get_by_role("img", name=re.compile("免税券"))
    await expect(shown).to_be_visible()
    text = await _read(shown)
    await page.goto(f"{phone.site}/m/verify")
    await page.fill("#client", secret.client_id)
    await page.fill("#secret", secret.client_secret)
    await phone.tap("进入核验")
    await page.select_option("#purpose", "shop")
    await page.get_by_label("核销消费券").check()
    await phone.tap("输入码号")
    await page.fill("#text", text)
    await page.get_by_role("dialog").get_by_role("button", name="核验", exact=True).click()
    await page.fill("#order", "D-1")
    await page.fill("#amount", "1999.99")
    await page.get_by_role("dialog").get_by_role("button", name="核销", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#order")).to_have_value("D-1")
    # A code is good for one look, also where the order is too small: the guest shows another.
    await phone.tap("关闭")
    grant = await builders.arrive(guest.name, guest.id_number, guest.phone)
    wanted = {"kind": "voucher", "subjectId": str(voucher.id)}
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    again = (await api.post("/codes", json=wanted, headers=headers)).json()["text"]
    await phone.tap("输入码号")
    await page.fill("#text", again)
    await page.get_by_role("dialog").get_by_role("button", name="核验", exact=True).click()
    await page.fill("#order", "D-1")
    await page.fill("#amount", "2000")
    await page.get_by_role("dialog").get_by_role("button", name="核销", exact=True).click()
    await expect(page.get_by_text("应收 ¥1,800.00")).to_be_visible()
    await phone.tap("撤销这次核销（当日）")
    await expect(page.get_by_text("已撤销，券已退回")).to_be_visible()
    async with database.reading() as look:
        assert (await look.get_one(Voucher, voucher.id)).state == "claimed"


async def _read(picture: Locator) -> str:
    return str(zxingcpp.read_barcode(Image.open(BytesIO(await picture.screenshot()))).text)


async def test_who_draws_the_benefit_says_where_to_pay_and_that_nothing_changed(
    phone: Phone,
    sandbox: httpx.AsyncClient,
    api: httpx.AsyncClient,
    database: Database,
    expected: list[str],
) -> None:
    expected.append("404")  # no account yet
    somebody = out_of_work(12)
    citizen = await Citizen.signed_in(api, sandbox, somebody)
    office = Office(api, agency="human-resources", division="460105")
    case = await accepted(office, await handed_in(citizen))
    assert (await office.act(case, "approve", version=case["version"])).status_code == 200
    page = phone.page
    await phone.arrive(somebody)
    await phone.open("/unemployment")
    await expect(page.get_by_text("还没有收款银行卡")).to_be_visible()
    number = card()
    await page.fill("#number", number)
    await phone.tap("保存银行卡（需刷脸）")
    await expect(page.get_by_text("银行卡已保存")).to_be_visible()
    await expect(page.get_by_text(number[-4:])).to_be_visible()
    await phone.tap("我仍在失业并求职")
    await expect(page.get_by_text(re.compile("已确认 20[0-9]{2}年[0-9]{1,2}月"))).to_be_visible()
    async with database.reading() as look:
        person = await persons.by_id_number(look, somebody.id_number)
        assert person is not None
        assert (await look.get_one(BankAccount, person.id)).number == number
        grant = await look.scalar(select(Grant).where(Grant.person_id == person.id))
        assert grant is not None
        declared = await look.scalars(select(Declaration.month).where(Declaration.grant_id == grant.id))
        assert declared.all() == [clock.today().replace(day=1)]
