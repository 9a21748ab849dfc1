"""On the island, by taps: a campaign that two people open, its voucher from the rush to the till, and goods
that are picked up on return or come home by post."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Locator, Page, expect

from haiyiban.clock import SHANGHAI
from tests.journeys.island import CARRIER, ZONE, scanned_by_carrier, sold, travels
from tests.journeys.people import Verifier, newcomer
from tests.journeys.taps.conftest import Days, Devices, known_as
from tests.web.camera import Lens
from tests.web.phone_steps import Phone

pytestmark = pytest.mark.long

CAMPAIGN = "返岛消费券"
CODE_SECONDS = 61
"""How long a code lives, and a second of rounding."""
WAYBILL = "SF1000000000025"


async def test_a_voucher_goes_from_the_desk_to_the_till_and_back(
    days: Days, devices: Devices, lens: Lens, expected: list[str]
) -> None:
    expected += ["409", "422"]
    await _open_campaign(days, devices)
    phone = await devices.phone()
    await phone.arrive_by_taps(known_as(newcomer(days.platform).known))
    till = await devices.verifier("merchant", "shop")
    await till.get_by_label("核销消费券").check()
    await _claim(phone)
    await _below_the_threshold(phone, till, lens)
    await _redeem(phone, till, lens)
    await till.get_by_role("button", name="撤销这次核销（当日）").click()
    await expect(till.get_by_text("已撤销，券已退回")).to_be_visible()
    await _voucher_is(phone, "可使用")
    await phone.tap("出示使用", role="link")
    await _redeem(phone, till, lens)
    await till.get_by_role("button", name="下一个").click()
    await _voucher_is(phone, "已使用")
    await _hand_over(till)


async def _open_campaign(days: Days, devices: Devices) -> None:
    """Made and opened by one operator, confirmed by another, for the demo's shop."""
    page = await devices.desk("operator", "/campaigns")
    sheet = page.get_by_role("dialog")
    await page.get_by_role("button", name="新建活动").click()
    await sheet.get_by_label("代码").fill("by-taps")
    await sheet.get_by_label("中文名称").fill(CAMPAIGN)
    await sheet.get_by_label("英文名称").fill("Voucher of the return")
    now = days.now().astimezone(SHANGHAI)
    await sheet.get_by_label("开始").fill(f"{now - timedelta(minutes=5):%Y-%m-%dT%H:%M}")
    await sheet.get_by_label("结束").fill(f"{now + timedelta(days=30):%Y-%m-%dT%H:%M}")
    await sheet.get_by_label("总量").fill("2")
    await sheet.get_by_label("海口日月广场免税店").check()
    await sheet.get_by_role("button", name="保存").click()
    row = page.locator("tr", has_text=CAMPAIGN)
    await row.get_by_role("button", name="开放").click()
    await sheet.get_by_role("button", name="确认").click()
    await expect(row).to_contain_text("等待第二人确认")
    second = await devices.desk("second-operator", "/campaigns")
    row = second.locator("tr", has_text=CAMPAIGN)
    await row.get_by_role("button", name="第二人确认开放").click()
    await second.get_by_role("dialog").get_by_role("button", name="确认").click()
    await expect(row).to_contain_text("进行中")
    here = second.locator("nav a", has_text="消费券活动")
    await expect(here.locator(".count")).to_have_count(0)  # nothing waits for a second person any more


async def _claim(phone: Phone) -> None:
    """With a hasty thumb: one voucher, and the second wish is told why not."""
    page = phone.page
    await phone.open()
    await phone.tap("离岛免税", role="link")
    offered = page.locator("section", has_text="消费券").locator(".voucher", has_text=CAMPAIGN).first
    await offered.get_by_role("button", name="立即领取").dblclick()
    await expect(page.get_by_text(re.compile("领取成功，券号"))).to_be_visible()
    await expect(_mine(page)).to_have_count(1)
    await phone.press(_mine(page).get_by_role("link", name="出示使用"))


async def _voucher_is(phone: Phone, state: str) -> None:
    await phone.open("/duty-free")
    await expect(_mine(phone.page).locator(".tag")).to_have_text(state)


def _mine(page: Page) -> Locator:
    return page.locator("section[aria-labelledby=vouchers] .voucher", has_text=CAMPAIGN)


async def _hold(phone: Phone, lens: Lens) -> None:
    """The phone's screen before the till's camera."""
    code = phone.page.locator(".live")
    await expect(code.get_by_role("img")).to_be_visible()
    await expect(phone.page.locator(".ticket")).to_contain_text("出示给免税店收银台")
    lens.see(await code.screenshot())


async def _below_the_threshold(phone: Phone, till: Page, lens: Lens) -> None:
    """The voucher is for orders of 2000 yuan and more; what was typed stays, and the code is used up."""
    await _hold(phone, lens)
    await _order(till, "1999.99")
    refusal = till.get_by_role("dialog").get_by_role("alert")
    await expect(refusal.get_by_text("订单须满 2,000.00 元才能使用")).to_have_count(1)
    await expect(till.locator("#order")).to_have_value("A-1")
    lens.see_nothing()
    await till.get_by_role("button", name="关闭").click()
    await phone.tap("再亮一个码")


async def _redeem(phone: Phone, till: Page, lens: Lens) -> None:
    await _hold(phone, lens)
    await _order(till, "2000")
    await expect(till.get_by_text("应收 ¥1,800.00")).to_be_visible()
    lens.see_nothing()
    await expect(phone.page.get_by_text("核验成功")).to_be_visible()


async def _order(till: Page, amount: str) -> None:
    """What the till types once the camera has read a code."""
    await till.fill("#order", "A-1")
    await till.fill("#amount", amount)
    await till.get_by_role("dialog").get_by_role("button", name="核销", exact=True).click()


async def _hand_over(till: Page) -> None:
    """The shift's sum is what guests paid: the one that was taken back counts for nothing."""
    await till.get_by_role("button", name="交班").click()
    sums = till.get_by_role("dialog").locator("dl > div")
    await expect(sums.filter(has_text="已核销")).to_contain_text("2 次")
    await expect(sums.filter(has_text="已撤销核销")).to_contain_text("1 次")
    await expect(sums.filter(has_text="核销应收合计")).to_contain_text("¥1,800.00")


async def test_goods_are_picked_up_on_return_and_a_parcel_is_followed(
    days: Days, devices: Devices, expected: list[str]
) -> None:
    expected.append("403")  # the pick-up code wants a fresh face
    buyer = newcomer(days.platform)
    shop = Verifier(days.platform, "merchant")
    phone = await devices.phone()
    await phone.arrive_by_taps(known_as(buyer.known))
    kept = sold(shop, await _identity(phone), "G-11", now=days.now(), pickUp="on_return")
    name = buyer.known["name"]
    to = {"division": "110105", "recipient": name, "payer": name}
    mailed = sold(shop, await _identity(phone), "G-12", now=days.now(), pickUp="mail", delivery=to)
    await _reserved(phone)
    travels(days.platform, buyer.known, now=days.now())
    await phone.page.goto("about:blank")
    days.pass_until(days.now() + timedelta(days=6))
    shop = Verifier(days.platform, "merchant")
    await _pick_up(phone, shop)
    shop.post(f"{ZONE}/orders/{mailed['id']}/parcel", {"carrier": CARRIER, "number": WAYBILL}, expect=201)
    scanned_by_carrier(days.platform, WAYBILL, now=days.now())
    await _follow(phone)
    shop.post(f"{ZONE}/orders/{kept['id']}/refund")
    await _given_back(phone)


async def _identity(phone: Phone) -> str:
    """What the till's scanner reads off the phone."""
    page = phone.page
    await phone.open("/codes")
    picture = page.get_by_role("img", name="身份码二维码")
    await expect(picture).to_be_visible()
    return _read(await picture.screenshot())


def _read(screen: bytes) -> str:
    found = zxingcpp.read_barcode(Image.open(BytesIO(screen)))
    assert found is not None, "no code is on the screen"
    return str(found.text)


def _card(phone: Phone, order: str) -> Locator:
    return phone.page.locator("article.card", has_text=order)


async def _reserved(phone: Phone) -> None:
    """Both cost of the allowance before anything was handed over."""
    await phone.open("/duty-free")
    await expect(phone.page.get_by_text("已用 ¥0.00")).to_be_visible()
    await phone.tap("我的免税订单和包裹", role="link")
    await expect(_card(phone, "G-11")).to_contain_text("已预占，提货后计入")
    await expect(_card(phone, "G-12")).to_contain_text("您离岛后由店家寄出")
    await expect(_card(phone, "G-12").locator(".head .tag").first).to_have_text("待寄出")


async def _pick_up(phone: Phone, shop: Verifier) -> None:
    """The code wants a face of the last ten minutes, asked for in place; the counter reads it once."""
    page = phone.page
    await phone.open("/duty-free/orders")
    await phone.press(_card(phone, "G-11").get_by_role("link", name="亮提货码"))
    await phone.look_in()
    picture = page.get_by_role("img", name=re.compile("提货码"))
    await expect(picture).to_be_visible()
    left = int(await page.locator(".count b").inner_text())
    assert left <= CODE_SECONDS, "the phone tells the time by the platform"
    checked = shop.post(f"{ZONE}/pickup-checks", {"text": _read(await picture.screenshot())})
    assert checked["outcome"] == "valid", checked
    await expect(page.get_by_text("核验成功")).to_be_visible()
    await phone.open("/duty-free/orders")
    await expect(_card(phone, "G-11")).to_contain_text("已提货")
    await expect(_card(phone, "G-11").get_by_role("link", name="亮提货码")).to_have_count(0)


async def _follow(phone: Phone) -> None:
    await phone.page.reload()
    await phone.tap(f"查物流 {WAYBILL}")
    await expect(_card(phone, "G-12").get_by_label("包裹")).to_contain_text("运输中")
    await expect(_card(phone, "G-12").locator(".head .tag").first).to_have_text("已寄出")


async def _given_back(phone: Phone) -> None:
    await phone.page.reload()
    await expect(_card(phone, "G-11")).to_contain_text("已退货")
    await expect(_card(phone, "G-11")).to_contain_text("已退回额度")
