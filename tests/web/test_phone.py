"""The people's side on a phone, in a real browser against the whole application and the sandbox."""

from __future__ import annotations

import re
import secrets
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import qrcode
import zxingcpp
from PIL import Image
from playwright.async_api import Page, Route, expect

from haiyiban import clock
from haiyiban.codes import trust_file
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.trust import public_key_of, read_trust_list
from haiyiban.runtime import web
from haiyiban.settings import Settings
from haiyiban.verifiers import ClientSecret
from tests import builders
from tests.builders import Somebody, settle
from tests.web import looks
from tests.web.phone_steps import Phone
from tests.zones.school_places.conftest import Headers, MakeRound, family

LICENCE = "public-security.driving-licence-replacement"
SCREENS = ("/", "/search?q=社保", "/matters/education.school-place", "/me", "/schools", "/verify")
OWN_SCREENS = (
    "/",
    "/codes",
    "/cases",
    "/health",
    "/unemployment",
    "/duty-free",
    "/duty-free/orders",
    "/me/access-log",
    "/me/devices",
    "/me/delegations",
    "/me/delegations/new",
    "/me/settings",
    "/enterprises",
    "/cases/track",
)


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


async def somebody(sandbox: httpx.AsyncClient, **more: Any) -> Somebody:
    return await settle(sandbox, Somebody(**more))


async def test_a_parent_hands_in_an_application_in_a_few_taps(
    phone: Phone, sandbox: httpx.AsyncClient, make_round: MakeRound, api: httpx.AsyncClient
) -> None:
    """From the first page to the receipt, by someone who was never here before."""
    first, second = (f"{place}{secrets.token_hex(3)}" for place in "甲乙")
    await make_round({first: 5, second: 5})
    parent = await settle(sandbox, family(first))
    page = phone.page
    await phone.open()
    await page.get_by_role("searchbox").fill("小孩上学")
    await phone.tap("搜索")
    await phone.tap("小学一年级学位申请", role="link")
    before = phone.taps
    await phone.tap("开始办理")
    await phone.sign_in(parent)
    await phone.confirm(parent)
    await page.wait_for_url("**/form")
    identified = phone.taps - before
    # What registers know stands there, masked, with where it comes from.
    await expect(page.get_by_text("来自省公安厅户籍库").first).to_be_visible()
    for school in (first, second):
        await page.get_by_placeholder("找学校").fill(school)
        phone.typed += 2  # two characters of a name are enough to find a school
        await page.locator(".ranked .rows .row").first.click()
        phone.taps += 1
    await phone.tap(f"{second}小学上移")
    await expect(page.locator(".chosen li").first).to_contain_text(second)
    await expect(page.get_by_text("已自动保存")).to_be_visible()
    await phone.tap("下一步")
    await expect(page.locator(".review")).to_contain_text(f"1. {second}小学")
    await phone.tap("确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()
    grant = await builders.arrive(parent.name, parent.id_number, parent.phone)
    cases = (await api.get("/cases", headers={"Authorization": f"Bearer {grant.access_token}"})).json()[
        "items"
    ]
    assert [case["state"] for case in cases] == ["submitted"]
    assert await page.get_by_text(cases[0]["number"]).count() > 0
    assert phone.taps - identified <= 9, "beyond saying who one is"
    assert phone.typed <= 60


async def test_what_is_missing_is_named_and_led_to(
    phone: Phone, expected: list[str], sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    await make_round({f"丙{secrets.token_hex(3)}": 5})
    parent = await settle(sandbox, family(None))
    expected.append("422")
    await phone.arrive(parent)
    await phone.open("/matters/education.school-place")
    await phone.tap("开始办理")
    await phone.page.wait_for_url("**/form")
    await phone.tap("下一步")
    await phone.tap("确认提交")
    await expect(phone.page.locator("#errors")).to_be_focused()
    await phone.tap("请选择志愿学校")
    await expect(phone.page.locator("#f-choices")).to_be_focused()


async def test_a_draft_survives_a_closed_tab_and_a_lost_network(
    phone: Phone, expected: list[str], sandbox: httpx.AsyncClient
) -> None:
    page = phone.page
    expected.append("ERR_INTERNET_DISCONNECTED")
    await phone.arrive(await somebody(sandbox))
    await phone.open("/matters/public-security.driving-licence-replacement")
    await phone.tap("开始办理")
    await page.wait_for_url("**/form")
    await expect(page.get_by_label("邮寄地址")).to_be_visible()
    await page.context.set_offline(True)
    await page.get_by_label("邮寄地址").fill("示例路 9 号")
    await expect(page.get_by_text("没有保存，稍后会再试")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_text("已自动保存")).to_be_visible(timeout=15_000)
    await page.reload()
    await expect(page.get_by_label("邮寄地址")).to_have_value("示例路 9 号")


async def test_what_a_clerk_wants_corrected_stands_at_its_field(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    who = await somebody(sandbox)
    grant = await builders.arrive(who.name, who.id_number, who.phone)
    mine = {"Authorization": f"Bearer {grant.access_token}"}
    case = (await api.post("/cases", json={"matter": LICENCE}, headers=mine)).json()
    form = {"reason": "lost", "mailTo": "海口市示例路 9 号"}
    at = f"/cases/{case['id']}"
    await api.patch(at, json={"form": form, "version": case["version"]}, headers=mine)
    case = (await api.post(f"{at}/submission", json={}, headers=mine)).json()
    clerk = await builders.staff(api, agency="public-security", division="460100")
    items = [{"pointer": "/mailTo", "message": "请写明门牌号"}]
    body = {"version": case["version"], "note": "地址不全", "items": items}
    asked = await api.post(f"/desk/cases/{case['id']}/request-correction", json=body, headers=clerk)
    assert asked.status_code == 200, asked.text
    page = phone.page
    await phone.arrive(who)
    await phone.open(f"/cases/{case['id']}")
    await expect(page.locator(".timeline")).to_contain_text("请写明门牌号")
    await phone.tap("去补正", role="link")
    await expect(page.get_by_label("邮寄地址")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("邮寄地址").fill("海口市示例路 9 号 3 栋 502")
    await expect(page.get_by_label("邮寄地址")).to_have_attribute("aria-invalid", "false")
    await phone.tap("下一步")
    await phone.tap("确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()


async def test_money_is_typed_in_yuan(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    who = await somebody(sandbox)
    await phone.arrive(who)
    await phone.open("/matters/housing-fund.rent-withdrawal")
    await phone.tap("开始办理")
    field = phone.page.get_by_label("每月租金")
    await field.fill("2000.5")
    await field.blur()
    await expect(phone.page.get_by_text("已自动保存")).to_be_visible()
    grant = await builders.arrive(who.name, who.id_number, who.phone)
    mine = {"Authorization": f"Bearer {grant.access_token}"}
    [case] = (await api.get("/cases", headers=mine)).json()["items"]
    read = (await api.get(f"/cases/{case['id']}", headers=mine)).json()
    assert read["form"]["monthlyRentFen"] == 200_050


async def test_a_second_tap_hands_nothing_in_twice(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    who = await somebody(sandbox)
    await phone.arrive(who)
    await phone.open("/matters/social-insurance.proof")
    begin = phone.page.get_by_role("button", name="开始办理")
    await begin.dblclick()
    await phone.page.wait_for_url("**/form")
    grant = await builders.arrive(who.name, who.id_number, who.phone)
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    assert len((await api.get("/cases", headers=headers)).json()["items"]) == 1


async def test_a_code_that_is_scanned_says_so_at_once(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient, gate: Headers
) -> None:
    await phone.arrive(await somebody(sandbox))
    async with phone.page.expect_response(re.compile("/api/v1/codes$")) as made:
        await phone.open("/codes")
    text = (await (await made.value).json())["text"]
    await expect(phone.page.get_by_role("img", name="身份码二维码")).to_be_visible()
    answer = await api.post("/verifications", json={"text": text, "purpose": "gate"}, headers=gate)
    assert answer.json()["outcome"] == "valid"
    await expect(phone.page.get_by_text("核验成功")).to_be_visible()
    await phone.tap("再亮一个码")
    await expect(phone.page.get_by_role("img", name="身份码二维码")).to_be_visible()


@pytest.mark.service_worker
async def test_a_bound_phone_shows_a_good_code_with_no_network(
    phone: Phone, expected: list[str], sandbox: httpx.AsyncClient, api: httpx.AsyncClient, settings: Settings
) -> None:
    """Opened anew with everything off: the page comes from the phone, the code holds against the lists."""
    page = phone.page
    expected += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    await phone.arrive(await somebody(sandbox))
    await phone.open("/codes")
    await phone.tap("绑定这部手机")
    await expect(page.get_by_text("已绑定这部手机")).to_be_visible()
    await page.evaluate("navigator.serviceWorker.ready")
    await page.context.set_offline(True)
    await page.goto("about:blank")
    await phone.open("/codes")
    picture = page.get_by_role("img", name="身份码二维码")
    await expect(picture).to_be_visible()
    text = zxingcpp.read_barcode(Image.open(BytesIO(await picture.screenshot()))).text
    root = public_key_of(trust_file.root_jwk(settings.keys_dir))
    trust = read_trust_list((await api.get("/trust-list")).text, root)
    checked = verify_offline(text, trust=trust, now=clock.now())
    assert checked.outcome == "valid"
    assert checked.code is not None
    assert checked.code.proof is not None
    await page.context.set_offline(False)
    await phone.open("/me")
    await phone.tap("退出登录")
    await expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    await phone.open("/codes")
    await expect(page.get_by_role("button", name="登录并继续")).to_be_visible()


async def test_a_gate_reads_a_code_from_a_picture_and_by_hand(
    phone: Phone,
    sandbox: httpx.AsyncClient,
    api: httpx.AsyncClient,
    gate_secret: ClientSecret,
    tmp_path: Path,
) -> None:
    headers = await builders.resident(api, sandbox, await somebody(sandbox))
    page = phone.page
    await phone.open("/verify")
    await page.fill("#client", gate_secret.client_id)
    await page.fill("#secret", gate_secret.client_secret)
    await phone.tap("进入核验")
    await page.select_option("#purpose", "gate")
    text = (await api.post("/codes", json={"kind": "identity"}, headers=headers)).json()["text"]
    picture = tmp_path / "code.png"
    qrcode.make(text).save(picture)
    await page.set_input_files("input[type=file]", picture)
    await expect(page.get_by_role("dialog")).to_contain_text("有效")
    await phone.tap("下一个")
    await phone.tap("输入码号")
    await page.fill("#text", text)
    await page.get_by_role("button", name="核验", exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text("已使用过")


async def test_an_expired_session_is_taken_up_in_place(
    phone: Phone, expected: list[str], sandbox: httpx.AsyncClient
) -> None:
    """The access token is over and the cookie is not: nobody notices."""
    page = phone.page
    expected.append("401")
    await phone.arrive(await somebody(sandbox))
    refused = 0

    async def over(route: Route) -> None:
        nonlocal refused
        refused += 1
        await route.fulfill(status=401, json={"type": "/problems/kernel/not-signed-in", "title": "请登录"})

    await page.route("**/api/v1/cases?*", over, times=1)
    await page.get_by_role("link", name="办件", exact=True).click()
    await expect(page.get_by_text("还没有办件")).to_be_visible()
    assert refused == 1


async def test_without_a_network_the_page_says_what_to_do(phone: Phone, expected: list[str]) -> None:
    expected.append("ERR_INTERNET_DISCONNECTED")
    await phone.open("/search")
    await expect(phone.page.locator(".found").first).to_be_visible()
    await phone.page.context.set_offline(True)
    await phone.page.get_by_role("searchbox").fill("驾照")
    await expect(phone.page.get_by_text("没有网络")).to_be_visible()
    await phone.page.context.set_offline(False)
    await phone.tap("重试")
    await expect(phone.page.get_by_text("驾驶证").first).to_be_visible()


async def test_every_screen_is_sound_in_every_state(phone: Phone, sandbox: httpx.AsyncClient) -> None:
    """axe finds nothing, nothing runs out of a narrow phone, and what one taps is large enough."""
    page = phone.page
    await phone.arrive(await somebody(sandbox))
    await page.set_viewport_size({"width": 320, "height": 700})
    found = []
    for screen in dict.fromkeys((*SCREENS, *OWN_SCREENS)):
        await phone.open(screen)
        await expect(page.locator(".bones")).to_have_count(0)
        found += await looks.on_phone(page)
    assert not found, "\n".join(found)


def test_the_first_screen_is_small() -> None:
    """80 KB of compressed script at most until the home page stands."""
    page = (web.folder() / "m" / "index.html").read_text()
    names = set(re.findall(r"/assets/([\w.-]+\.js)", page))
    assets = web.folder() / "assets"
    (home,) = assets.glob("Home-*.js")
    names |= {home.name}
    todo = list(names)
    while todo:
        text = (assets / todo.pop()).read_text()
        for name in re.findall(r'from"\./([\w.-]+\.js)"', text):
            if name not in names:
                names.add(name)
                todo.append(name)
    size = sum((assets / f"{name}.br").stat().st_size for name in names)
    assert 20_000 < size < 80_000
