"""The cross-province zone on a phone and at the desk: two whole deployments, and what people see of them."""

from __future__ import annotations

import asyncio
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import zxingcpp
from click.testing import CliRunner
from PIL import Image
from playwright.async_api import Page, expect

from haiyiban.codes.verify_command import verify
from tests.web import looks
from tests.web.phone_steps import signed_in as on_phone
from tests.zones.cross_province.pair import GUANGDONG, MATTER, Deployment, Pair, agreement
from tests.zones.cross_province.test_agent import delegated
from tests.zones.cross_province.test_medical import facts


def site(one: Deployment) -> str:
    return f"http://127.0.0.1:{one.line.target}"


async def signed_in(page: Page, pair: Pair, **facts: Any) -> tuple[str, ...]:
    """Somebody new on this phone, at L3; who they are."""
    await pair.resident(**facts)
    who = pair.people[-1][1]
    await again(page, pair, who)
    return who


async def again(page: Page, pair: Pair, who: tuple[str, ...]) -> None:
    await on_phone(page, site(pair.hainan), await pair.hainan.do("enter", *who))


async def open_(page: Page, pair: Pair, place: str) -> None:
    await page.goto(f"{site(pair.hainan)}/m{place}")
    await expect(page.locator("h1")).to_be_visible()
    await expect(page.locator(".bones")).to_have_count(0)


async def decide(pair: Pair, case_id: str, *verbs: str, **given: Any) -> None:
    """Guangdong's clerk at the ordinary desk, and the minute in which it could be undone."""
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case_id)
    for verb in verbs:
        await pair.act(clerk, there, verb, **given)
    await later(pair)


async def later(pair: Pair) -> None:
    await pair.pass_time(seconds=61)
    await pair.pump()


async def test_an_application_is_made_here_decided_there_and_its_code_shown_here(
    page: Page, pair: Pair, both_homes: Path, tmp_path: Path, expected: list[str]
) -> None:
    """From the list of matters to a terminal that trusts both provinces; then the certificate is revoked."""
    expected.append("422")
    await signed_in(page, pair)
    await open_(page, pair, "/")
    await page.get_by_role("link", name="跨省通办").click()
    await page.get_by_role("link", name="去申请").click()
    await expect(page.get_by_text("姓名、证件号和登记库里有的内容会自动带出")).to_be_visible()
    await page.get_by_role("button", name=re.compile("提交给")).click()
    await expect(page.locator("#errors")).to_be_focused()
    await page.locator(".choice", has_text="贷款").click()
    await page.get_by_role("button", name=re.compile("提交给")).click()
    await expect(page.get_by_text("已收件，正在转往")).to_be_visible()
    case_id = page.url.split("/cases/")[1].split("?")[0]
    await expect(page.locator(".way [aria-current=step]")).to_contain_text("已收件")
    await expect(page.locator(".way [aria-current=step]")).to_contain_text("下一步由本省")
    await pair.pump()
    await open_(page, pair, f"/cross-province/cases/{case_id}")
    await expect(page.locator(".way [aria-current=step]")).to_contain_text("对方已接收")

    wanted = [{"pointer": "/purpose", "message": "请改为实际用途"}]
    await decide(pair, case_id, "request-correction", items=wanted, note="用途不符")
    await open_(page, pair, "/")
    await expect(page.get_by_role("link", name="请补正：广东省社会保险参保证明")).to_be_visible()
    await open_(page, pair, "/cross-province")
    await expect(page.locator(".case", has_text="待补正")).to_be_visible()
    await page.locator(".case", has_text="待补正").click()
    await expect(page.get_by_text("请改为实际用途")).to_be_visible()
    await page.get_by_role("link", name="去补正").click()
    await page.locator(".choice", has_text="求职").click()
    await page.get_by_role("button", name="提交补正").click()
    await expect(page.locator(".head .tag")).to_have_text("已转递")
    await pair.pump()

    await decide(pair, case_id, "accept", "approve")
    await open_(page, pair, f"/cross-province/cases/{case_id}")
    code = page.locator(".issued .code")
    await expect(code).to_be_visible()
    [read] = zxingcpp.read_barcodes(Image.open(BytesIO(await code.screenshot())))
    said = await at_a_terminal(pair, both_homes, tmp_path, read.text)
    assert (said["outcome"], said["says"]["issuer"]) == ("valid", GUANGDONG)
    await pair.pump()
    await open_(page, pair, "/codes")
    await expect(page.get_by_role("heading", name="外省签发的证照")).to_be_visible()

    clerk = await pair.guangdong.clerk("human-resources", "440000")
    listed = await pair.guangdong.api.get("/desk/certificates", headers=clerk)
    revoked = await pair.guangdong.api.post(
        f"/desk/certificates/{listed.json()['items'][0]['id']}/revocation",
        json={"reason": "参保地认定有误"},
        headers=clerk,
    )
    assert revoked.status_code == 200, revoked.text
    await later(pair)
    await open_(page, pair, f"/cross-province/cases/{case_id}")
    await expect(page.locator(".issued")).to_contain_text("已撤销")
    await expect(page.locator(".issued")).to_contain_text("参保地认定有误")
    await expect(page.locator(".issued .code")).to_have_count(0)
    # A status list is read anew at most every half minute.
    for _ in range(20):
        said = await at_a_terminal(pair, both_homes, tmp_path, read.text)
        if said["outcome"] == "revoked":
            break
        await asyncio.sleep(2)
    assert said["outcome"] == "revoked"


async def at_a_terminal(pair: Pair, homes: Path, folder: Path, code: str) -> dict[str, Any]:
    """What an offline terminal says that holds the lists of both places, fresh."""
    given: list[str] = []
    for one in (pair.hainan, pair.guangdong):
        given += ["--trust-root", str(homes / one.division / "keys" / "trust-root.jwk")]
        for option, path in (
            ("--trust-list", "/trust-list"),
            ("--deny-list", "/deny-list"),
            ("--status-list", "/status-lists/0"),
        ):
            answer = await one.api.get(path)
            if answer.status_code == 404 and option == "--status-list":
                continue  # Hainan has printed nothing
            file = folder / f"{one.division}{option}"
            file.write_text(answer.text)
            given += [option, str(file)]
        given += ["--issuer", one.division]
    now = await pair.guangdong.do("now")
    done = CliRunner().invoke(verify, [*given, "--at", now, "--json"], input=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_a_late_hop_is_told_to_the_applicant_and_first_at_the_desk(
    page: Page, pair: Pair, expected: list[str]
) -> None:
    expected.append("401")  # eleven days later no session is left
    who = await signed_in(page, pair)
    pair.guangdong.line.mode = "cut"
    case = await pair.apply(pair.people[-1][0])
    await pair.hainan.do("run", "cross-province.deliver-due")
    await pair.pass_time(days=11)
    await pair.hainan.do("run", "cross-province.watch")
    await again(page, pair, who)
    await open_(page, pair, f"/cross-province/cases/{case['id']}")
    await expect(page.get_by_text("已经超时")).to_be_visible()
    await expect(page.get_by_text("已提醒窗口工作人员跟进")).to_be_visible()
    await expect(page.get_by_text("还没有对方回执")).to_be_visible()

    await at_the_desk(page, pair)
    await expect(page.locator("nav .count").first).to_be_visible()
    await expect(page.locator(".late")).to_contain_text("no answer")
    await page.keyboard.press("j")
    await expect(page.locator("main .note.warn")).to_contain_text("已经超时")
    pair.guangdong.line.mode = "open"
    await pair.pump()
    await page.reload()
    await expect(page.locator(f".late [data-cross='{case['id']}']")).to_have_count(0)


async def at_the_desk(page: Page, pair: Pair, place: str = "/cross-province") -> None:
    await page.set_viewport_size({"width": 1440, "height": 900})
    username, password = await pair.hainan.do("clerk", "human-resources", "460000")
    await page.goto(f"{site(pair.hainan)}/desk{place}")
    await page.fill("#username", username)
    await page.fill("#password", password)
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("navigation")).to_be_visible()


async def test_a_counter_takes_in_sends_corrects_and_hands_over_by_keyboard(
    page: Page, pair: Pair, expected: list[str], tmp_path: Path
) -> None:
    expected.append("422")
    _, number = await pair.resident()
    await at_the_desk(page, pair)
    await page.keyboard.press("n")
    await page.fill("#who-name", "符南北")
    await page.fill("#who-number", number)
    await page.fill("#who-phone", "13900000000")
    await page.locator(".choice", has_text="贷款").click()
    scan = tmp_path / "户口簿.jpg"
    scan.write_bytes(b"scan")
    await page.set_input_files("#scan", scan)
    await expect(page.get_by_text("户口簿.jpg")).to_be_visible()
    await page.get_by_role("button", name=re.compile("提交给")).click()
    await expect(page.get_by_text("请先核对本人与身份证一致").first).to_be_visible()
    await expect(page.locator("#who-name")).to_have_value("符南北")
    await page.get_by_label("我已核对本人和身份证一致").check()
    await page.get_by_role("button", name=re.compile("提交给")).click()
    await expect(page.locator("main .head .tag").first).to_have_text("异地代收代办")
    case_id = page.url.rsplit("/", 1)[1]
    await page.keyboard.press("e")
    await page.fill("#express", "SF1234567")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("单号已告知办理地")).to_be_visible()
    await pair.pump()

    wanted = [{"pointer": "/purpose", "message": "请改为实际用途"}]
    await decide(pair, case_id, "request-correction", items=wanted, note="用途不符")
    await page.reload()
    await expect(page.get_by_text("请改为实际用途")).to_be_visible()
    await page.keyboard.press("c")
    await page.locator("dialog .choice", has_text="求职").click()
    await page.get_by_role("button", name="提交补正").last.click()
    await expect(page.get_by_text("补正已提交")).to_be_visible()
    await pair.pump()
    await decide(pair, case_id, "accept", "approve")
    expected.append("401")  # the cookie of the session before is gone
    await at_the_desk_again(page, pair, f"/cross-province/{case_id}")
    await expect(page.locator("main .head")).to_contain_text("结果已回传")
    await page.keyboard.press("v")
    await expect(page.get_by_text("结果已送达")).to_be_visible()
    await expect(page.locator("main .head")).to_contain_text("已送达")


async def at_the_desk_again(page: Page, pair: Pair, place: str) -> None:
    """A clerk's session is short, and each case belongs to the agency."""
    await page.context.clear_cookies()
    await page.goto("about:blank")
    await at_the_desk(page, pair, place)


async def test_a_joint_step_is_decided_by_keyboard_and_what_came_from_others_leads_to_its_case(
    page: Page, pair: Pair, expected: list[str]
) -> None:
    expected.append("401")  # the cookie of the session before is gone
    usual = await agreement(pair)
    step = {"zh": "核对是否已转出", "en": "whether the record has moved"}
    together = await agreement(pair, joint=[{"matter": MATTER, "step": step}])
    for one in (pair.hainan, pair.guangdong):
        await one.do("accept", together)
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    await at_the_desk(page, pair, f"/cross-province/{case['id']}")
    await expect(page.locator("main")).to_contain_text("核对是否已转出")
    await page.keyboard.press("o")
    await expect(page.get_by_role("dialog")).to_contain_text("请写明理由")
    await page.keyboard.press("Escape")
    await page.keyboard.press("y")
    await expect(page.get_by_text("已同意，办理地可以批准")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("同意"))).to_have_count(0)
    for one in (pair.hainan, pair.guangdong):
        await one.do("accept", usual)
    await pair.pump()

    username, password = await pair.guangdong.do("clerk", "human-resources", "440000")
    await page.context.clear_cookies()
    await page.goto(f"{site(pair.guangdong)}/desk/cross-province/{case['id']}")
    await page.fill("#username", username)
    await page.fill("#password", password)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("main .head")).to_contain_text("对方已接收")
    await page.keyboard.press("l")
    await expect(page).to_have_url(re.compile("/desk/cases/"))
    await expect(page.locator("main")).to_contain_text("跨省通办")


async def test_somebody_applies_for_another_and_finds_it_again(page: Page, pair: Pair) -> None:
    """The case is the giver's: the agent sees where it stands, and no certificate."""
    giver, _ = await pair.resident()
    _, number, _ = await signed_in(page, pair)
    await delegated(pair, giver, number, pair.people[-1][0])
    await open_(page, pair, f"/cross-province/new/{GUANGDONG}/{MATTER}")
    await page.locator(".choice", has_text="符").last.click()
    await page.locator(".choice", has_text="贷款").click()
    await page.get_by_role("button", name=re.compile("提交给")).click()
    await expect(page.get_by_text("已收件，正在转往")).to_be_visible()
    await expect(page.get_by_text("您是代办人")).to_be_visible()
    await pair.pump()
    await decide(pair, page.url.split("/cases/")[1].split("?")[0], "accept", "approve")
    await open_(page, pair, "/cross-province")
    await page.locator("section", has_text="我替别人办的").locator(".case").click()
    await expect(page.locator(".head .tag")).to_have_text("结果已回传")
    await expect(page.locator(".issued")).to_have_count(0)


async def test_bills_of_other_provinces_are_reckoned_before_ones_eyes(page: Page, pair: Pair) -> None:
    await signed_in(page, pair, **facts())
    await open_(page, pair, "/cross-province/medical")
    await expect(page.locator("article")).to_contain_text("12,800.00")
    await expect(page.locator("article")).to_contain_text("7,200.00")
    await page.get_by_text("这是怎么算的").click()
    await expect(page.locator("article")).to_contain_text("16,000.00")


async def test_every_screen_is_sound_in_every_state(page: Page, pair: Pair) -> None:
    who = await signed_in(page, pair)
    headers = pair.people[-1][0]
    first = await pair.apply(headers)
    await pair.pump()
    await decide(pair, first["id"], "accept", "approve")
    second = await pair.apply(headers)
    await pair.pump()
    wanted = [{"pointer": "/purpose", "message": "请改为实际用途"}]
    await decide(pair, second["id"], "request-correction", items=wanted, note="用途不符")
    await again(page, pair, who)
    await page.set_viewport_size({"width": 320, "height": 700})
    found = []
    for screen in (
        "/cross-province",
        f"/cross-province/new/{GUANGDONG}/{MATTER}",
        f"/cross-province/cases/{first['id']}",
        f"/cross-province/cases/{second['id']}",
        f"/cross-province/cases/{second['id']}/form",
        "/cross-province/medical",
    ):
        await open_(page, pair, screen)
        found += await looks.on_phone(page)
    assert not found, "\n".join(found)


async def test_the_desk_is_sound_in_every_look(page: Page, pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    await at_the_desk(page, pair, f"/cross-province/{case['id']}")
    found: list[str] = []
    for place in ("/cross-province/new", f"/cross-province/{case['id']}"):
        await page.goto(f"{site(pair.hainan)}/desk{place}")
        await expect(page.locator("main h2")).to_be_visible()
        await page.wait_for_load_state("networkidle")
        found += await looks.at_desk(page)
    assert found == []
