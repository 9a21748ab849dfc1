"""The wallet on the phone: the holder's face while somebody looks, and certificates given with a form."""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx
from playwright.async_api import Browser, expect

from haiyiban.audit import keys, proofs
from haiyiban.db import Database
from haiyiban.identity import staff
from haiyiban.settings import Settings
from tests.builders import Somebody
from tests.kernel.cases.office import Citizen
from tests.sealed_log import grow
from tests.web import looks
from tests.web.phone_steps import Phone
from tests.web.test_phone_papers import certified, insured, phone

__all__ = ["phone"]

NOT_REVOKED = """() => {
  window.dropped = []
  const drop = URL.revokeObjectURL
  URL.revokeObjectURL = (address) => { window.dropped.push(address); drop.call(URL, address) }
}"""
SHIFTS = """() => {
  window.shift = 0
  new PerformanceObserver((list) => list.getEntries().forEach((each) => { window.shift += each.value }))
    .observe({ type: 'layout-shift', buffered: true })
}"""


async def test_a_certificate_shows_its_holder_and_drops_the_picture_on_leaving(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await insured(api, sandbox)
    mine = await certified(citizen, api)
    page = phone.page
    await phone.arrive(citizen.somebody)
    await page.add_init_script(f"({NOT_REVOKED})()")
    await page.add_init_script(f"({SHIFTS})()")
    await phone.open(f"/certificates/{mine['id']}")
    face = page.get_by_role("img", name="符有证的证件照")
    await expect(face).to_be_visible()
    assert await face.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 96
    address = await face.get_attribute("src")
    assert address is not None
    assert address.startswith("blob:")
    assert await page.evaluate("window.shift") <= 0.02
    await page.get_by_role("link", name="谁看过我的全部信息").click()
    await page.wait_for_url("**/me/access-log")
    assert address in await page.evaluate("window.dropped")


async def test_a_certificate_is_as_good_without_its_portrait(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    expected.append("503")
    citizen = await insured(api, sandbox)
    mine = await certified(citizen, api)
    page = phone.page
    await phone.arrive(citizen.somebody)
    await sandbox.post("/faults", json={"register": "population", "mode": "error"})
    try:
        await phone.open(f"/certificates/{mine['id']}")
        await expect(page.get_by_label("证照正面")).to_contain_text("照片暂时取不到")
    finally:
        await sandbox.post("/faults", json={"register": "population", "mode": "off"})
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("link", name="亮出此证")).to_be_visible()


async def test_a_decision_is_proved_by_a_file_from_the_access_log(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    citizen = await insured(api, sandbox)
    await certified(citizen, api)
    await grow(database)
    listed = (await api.get("/me/access-log", headers=citizen.headers)).json()["items"]
    decision = next(each for each in listed if each["action"] == "cases.approve")
    page = phone.page
    await phone.arrive(citizen.somebody)
    await phone.open("/me/access-log")
    async with page.expect_download() as saving:
        await page.get_by_role("button", name=f"下载证明：审计第 {decision['number']} 号").click()
    saved = await saving.value
    assert saved.suggested_filename == f"audit-{decision['number']}.tlog-proof"
    proved = proofs.check(Path(await saved.path()).read_text("utf-8"), keys.public(Settings.from_env()))
    assert (proved.number, proved.entry["action"]) == (decision["number"], "cases.approve")
    assert await looks.on_phone(page) == []


async def endorsing(citizen: Citizen, phone: Phone) -> None:
    """A draft of the endorsement of a residence permit, open at what need not be filled in."""
    case = await citizen.draft("public-security.residence-permit-endorsement")
    form = {"residence": {"division": "460105", "address": "海口市示例路 9 号"}, "basis": "work"}
    assert (await citizen.patch(case, form)).status_code == 200
    await phone.arrive(citizen.somebody)
    await phone.open(f"/cases/{case['id']}/form")
    await phone.page.get_by_text("其他（选填）").click()


async def test_a_certificate_is_chosen_with_the_keyboard_and_the_desk_sees_that_it_holds(
    phone: Phone,
    browser: Browser,
    site: str,
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
) -> None:
    citizen = await worker_from_elsewhere(api, sandbox)
    mine = await certified(citizen, api)
    page = phone.page
    await endorsing(citizen, phone)
    card = page.get_by_role("radio", name="社会保险参保证明")
    await expect(card).to_be_visible()
    paper = page.locator(".pick .paper")
    await expect(paper).to_contain_text("吴*来")
    await expect(paper).to_contain_text("有效期至")
    assert mine["number"] not in await page.locator("main").inner_text()
    await page.get_by_role("radio", name="不提供").focus()
    await page.keyboard.press("ArrowUp")
    await expect(card).to_be_checked()
    assert await looks.as_it_is(page) == []
    await phone.tap("下一步")
    await expect(page.locator(".review")).to_contain_text("社会保险参保证明（尾号")
    await phone.tap("确认提交")
    await expect(page.get_by_text("提交成功")).to_be_visible()
    case = page.url.partition("/cases/")[2].partition("?")[0]
    desk = await browser.new_page(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    username, password = f"clerk-{secrets.token_hex(5)}", "correct horse battery staple"
    async with database.transaction() as session:
        await staff.create(
            session,
            username,
            password=password,
            roles=["clerk"],
            agency="public-security",
            division="460105",
        )
    await desk.goto(f"{site}/desk/cases/{case}")
    await desk.fill("#username", username)
    await desk.fill("#password", password)
    await desk.get_by_role("button", name="登录").click()
    row = desk.locator(".beside tr", has_text="就业或就读证明")
    await expect(row).to_contain_text("电子证照 · 有效")
    await expect(row).to_contain_text("70个月")
    await expect(row).to_contain_text(mine["number"])
    await desk.close()


async def test_who_has_no_such_certificate_is_told_where_to_get_one(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await worker_from_elsewhere(api, sandbox)
    page = phone.page
    await endorsing(citizen, phone)
    told = page.locator(".pick .note")
    await expect(told).to_contain_text("您名下没有有效的《社会保险参保证明》或《小学新生录取通知书》")
    await expect(told).to_contain_text("没有也可以提交")
    await told.get_by_role("link", name="去办《社会保险参保证明》").click()
    await page.wait_for_url("**/matters/social-insurance.proof")


async def test_the_wallet_is_sound_in_every_state(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await worker_from_elsewhere(api, sandbox)
    mine = await certified(citizen, api)
    case = await citizen.draft("public-security.residence-permit-endorsement")
    page = phone.page
    await phone.arrive(citizen.somebody)
    await page.set_viewport_size({"width": 320, "height": 700})
    await phone.open(f"/certificates/{mine['id']}")
    await expect(page.locator(".portrait img")).to_be_visible()
    assert await looks.on_phone(page) == []
    await phone.open(f"/cases/{case['id']}/form")
    await page.locator("summary").click()
    await expect(page.locator(".pick .paper")).to_be_visible()
    assert await looks.on_phone(page) == []


async def worker_from_elsewhere(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Citizen:
    """Somebody who works here on a residence permit."""
    more = {
        "socialInsurance": {"months": 70, "division": "460105"},
        "residencePermit": {"since": "2025-12-01", "until": "2026-12-20", "division": "460105"},
    }
    return await Citizen.signed_in(api, sandbox, Somebody(name="吴外来", more=more))
