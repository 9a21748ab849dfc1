"""Papers on the phone: a case with its receipt, its days and its number; a certificate and who saw it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.builders import Somebody, settle
from tests.kernel.cases.office import PROOF, Citizen, Office
from tests.kernel.enterprises.companies import Company
from tests.web.conftest import Headers
from tests.web.phone_steps import Phone
from tests.zones.school_places.conftest import MakeRound, family


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


@pytest.fixture
async def unknown(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Company:
    """A company in the register, whom nobody has signed in for yet, and two people."""
    owner = await Citizen.signed_in(api, sandbox, Somebody(name="林委托"))
    other = await Citizen.signed_in(api, sandbox, Somebody(name="周代办"))
    company = Company(api, sandbox, owner, other)
    await company.register()
    return company


@pytest.fixture
async def company(unknown: Company) -> Company:
    """A company whose representative is signed in."""
    return await unknown.signed_in()


async def insured(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Citizen:
    """Somebody who pays into social insurance."""
    more = {"socialInsurance": {"months": 70, "division": "460105"}}
    return await Citizen.signed_in(api, sandbox, Somebody(name="符有证", more=more))


async def certified(citizen: Citizen, api: httpx.AsyncClient) -> dict[str, Any]:
    """A proof that the office has approved; its certificate."""
    office = Office(api, agency="human-resources")
    case = await citizen.handed_in(PROOF)
    if case["outcome"] is None:
        case = await office.done(case, "accept", version=case["version"])
        await office.done(case, "approve", version=case["version"])
    listed = (await api.get("/certificates", headers=citizen.headers)).json()["items"]
    return dict(listed[0])


async def test_a_case_says_its_days_in_words_and_prints_its_receipt(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    case = await citizen.handed_in()
    await Office(api).done(case, "accept", version=case["version"])
    page = phone.page
    await phone.arrive(citizen.somebody)
    await page.add_init_script("window.print = () => { window.printed = (window.printed ?? 0) + 1 }")
    await phone.open(f"/cases/{case['id']}")
    await expect(page.get_by_text("还剩 10 个工作日")).to_be_visible()
    await phone.tap("打印回执")
    assert await page.evaluate("window.printed") == 1
    await page.emulate_media(media="print")
    receipt = page.get_by_label("收件回执")
    await expect(receipt).to_contain_text(case["number"])
    await expect(receipt).to_be_visible()
    await expect(page.get_by_role("heading", name="办理过程")).to_be_hidden()
    await expect(page.get_by_role("button", name="打印回执")).to_be_hidden()


async def test_a_case_is_withdrawn_after_a_second_question_and_once(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    case = await citizen.handed_in()
    await phone.arrive(citizen.somebody)
    await phone.open("/cases")
    await phone.page.locator("a.case").click()
    await phone.tap("撤回申请")
    await expect(phone.page.get_by_role("dialog")).to_be_visible()
    await phone.page.go_back()
    await expect(phone.page.get_by_role("dialog")).to_have_count(0)
    assert (await citizen.get(case))["state"] == "submitted"
    await phone.tap("撤回申请")
    await phone.page.get_by_role("button", name="确认撤回").dblclick()
    await expect(phone.page.locator(".head .tag").first).to_contain_text("撤回")
    assert (await citizen.get(case))["state"] == "withdrawn"


async def test_a_decided_case_has_its_decision_and_is_rated(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await insured(api, sandbox)
    await certified(citizen, api)
    [case] = (await api.get("/cases", headers=citizen.headers)).json()["items"]
    await phone.arrive(citizen.somebody)
    await phone.open(f"/cases/{case['id']}")
    async with phone.page.expect_download() as loaded:
        await phone.tap("下载决定书")
    assert (await (await loaded.value).path()).read_bytes().startswith(b"%PDF")
    await phone.tap("评价")
    await phone.page.get_by_role("radio").first.check()
    await phone.tap("提交评价")
    await expect(phone.page.get_by_role("dialog")).to_have_count(0)
    again = await citizen.rate(case, score=5)
    assert again.status_code == 409


async def test_whoever_holds_the_receipt_follows_the_case_without_signing_in(
    phone: Phone, expected: list[str], api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    expected.append("404")
    citizen = await Citizen.signed_in(api, sandbox)
    case = await citizen.handed_in()
    page = phone.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await phone.open(f"/cases/track#{case['number']}")
    await expect(page.locator("#number")).to_have_value(case["number"])
    wrong = f"{(int(citizen.somebody.phone[-4:]) + 1) % 10_000:04d}"
    await page.fill("#ending", wrong)
    await phone.tap("查进度")
    await expect(page.get_by_role("alert")).to_contain_text("请核对回执上的办件编号")
    await page.fill("#ending", citizen.somebody.phone[-4:])
    await phone.tap("查进度")
    await expect(page.get_by_role("status")).to_contain_text(case["matterName"])
    assert citizen.somebody.name not in await page.locator("main").inner_text()
    assert not [url for url in asked if case["number"] in url]


async def test_a_certificate_has_a_seal_a_reverse_and_a_log_of_its_own(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, gate: Headers
) -> None:
    citizen = await insured(api, sandbox)
    mine = await certified(citizen, api)
    # Somebody looks at the identity code, which is no look at this certificate.
    shown = (await api.post("/codes", json={"kind": "identity"}, headers=citizen.headers)).json()["text"]
    looked = await api.post("/verifications", json={"text": shown, "purpose": "gate"}, headers=gate)
    assert looked.json()["outcome"] == "valid"
    page = phone.page
    await phone.arrive(citizen.somebody)
    await phone.open(f"/certificates/{mine['id']}")
    face = page.get_by_label("证照正面")
    await expect(face).to_contain_text("符有证")
    await expect(face.locator(".seal")).to_contain_text(mine["issuer"])
    await expect(page.get_by_text("还没有人看过")).to_be_visible()
    await phone.tap("看背面")
    await expect(page.get_by_label("证照背面")).to_contain_text(mine["number"])
    async with page.expect_download() as loaded:
        await phone.tap("下载签章 PDF")
    file = await (await loaded.value).path()
    assert file.read_bytes().startswith(b"%PDF")
    code = {"kind": "certificate", "subjectId": mine["id"]}
    text = (await api.post("/codes", json=code, headers=citizen.headers)).json()["text"]
    scanned = await api.post("/verifications", json={"text": text, "purpose": "gate"}, headers=gate)
    assert scanned.status_code in {200, 201}, scanned.text
    await page.reload()
    await expect(page.locator("section[aria-labelledby=looks] .row")).to_have_count(1)
    await expect(page.locator("section[aria-labelledby=looks]")).to_contain_text("测试门岗")


async def test_schools_are_ranked_by_dragging_and_by_the_keyboard_alone(
    phone: Phone, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    await make_round({"拖甲": 5, "拖乙": 5, "拖丙": 5})
    parent = await settle(sandbox, family("拖甲"))
    page = phone.page
    await phone.arrive(parent)
    await phone.open("/matters/education.school-place")
    await phone.tap("开始办理")
    for name in ("拖甲", "拖乙", "拖丙"):
        await page.get_by_placeholder("找学校").fill(name)
        await page.locator(".ranked .rows .row", has_text=f"{name}小学").first.click()
    chosen = page.locator(".chosen li b")
    await expect(chosen).to_have_text(["1. 拖甲小学", "2. 拖乙小学", "3. 拖丙小学"])
    await page.get_by_role("button", name="拖丙小学上移").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="拖丙小学上移")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(chosen).to_have_text(["1. 拖丙小学", "2. 拖甲小学", "3. 拖乙小学"])
    await expect(page.get_by_role("button", name="拖丙小学下移")).to_be_focused()
    await expect(page.get_by_text("拖丙小学移到第 1 位")).to_be_attached()
    grip = await page.locator(".grip").first.bounding_box()
    last = await page.locator(".chosen li").last.bounding_box()
    assert grip is not None
    assert last is not None
    await page.mouse.move(grip["x"] + 10, grip["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(grip["x"] + 10, last["y"] + last["height"] - 6, steps=8)
    await page.mouse.up()
    await expect(chosen).to_have_text(["1. 拖甲小学", "2. 拖乙小学", "3. 拖丙小学"])


async def test_one_acts_for_an_enterprise_promises_and_shows_its_licence(
    phone: Phone, unknown: Company
) -> None:
    page, owner = phone.page, unknown.owner.somebody
    await phone.arrive(owner)
    await phone.open("/enterprises")
    await page.fill("#credit-code", unknown.code.lower())
    await page.check("#representative")
    await expect(page.locator("form details")).to_be_visible()
    await phone.tap("核对并进入")
    await expect(page.get_by_role("heading", name=unknown.name)).to_be_visible()
    licence = page.locator(".paper", has_text="营业执照")
    await licence.get_by_role("button", name="亮出此证").click()
    await expect(page.get_by_role("img", name=re.compile("营业执照二维码"))).to_be_visible()
    await phone.tap("关闭")
    async with page.expect_download() as loaded:
        await licence.get_by_role("button", name="下载签章 PDF").click()
    assert (await (await loaded.value).path()).read_bytes().startswith(b"%PDF")
    await phone.tap("食品经营许可延续", role="link")
    await expect(page.get_by_text(f"您正在替{unknown.name}办理")).to_be_visible()
    await phone.tap("开始办理")
    await page.wait_for_url("**/form")
    await page.get_by_role("checkbox").first.check()
    await phone.tap("下一步")
    hand_in = page.get_by_role("button", name="确认提交")
    await expect(hand_in).to_be_disabled()
    await page.check("#accepted")
    await hand_in.click()
    await expect(page.get_by_text("提交成功")).to_be_visible()
    await expect(page.get_by_text("法定代表人", exact=False).first).to_be_visible()


async def test_a_role_is_given_and_ended_by_the_representative(phone: Phone, company: Company) -> None:
    page = phone.page
    await phone.arrive(company.owner.somebody)
    await phone.open(f"/enterprises/{company.id}")
    await phone.tap("授权一个人")
    await page.fill("#taker-name", company.other.somebody.name)
    await page.fill("#taker-number", company.other.somebody.id_number)
    await page.get_by_role("searchbox", name="找要办的事").fill("食品经营许可延续")
    await page.locator("dialog .rows .row", has_text="食品经营许可延续").click()
    await page.check("#agreed")
    await phone.tap("提交")
    people = page.locator("section[aria-labelledby=people]")
    await expect(people).to_contain_text("等代办人接受")
    await people.get_by_role("button", name=re.compile("解除.*的授权")).click()
    await phone.tap("立即解除")
    await expect(people).to_contain_text("已解除")
    roles = (await company.get("/roles")).json()["items"]
    assert [each["state"] for each in roles if each["role"] == "clerk"] == ["ended"]
