"""The desk in a real browser: a clerk with the keyboard, an officer at the draw, an operator in a hurry."""

from __future__ import annotations

import re
import secrets
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from haiyiban.db import Database
from haiyiban.identity import staff
from tests import builders
from tests.builders import Somebody
from tests.web import looks
from tests.zones.school_places.conftest import Headers, MakeRound, accept, apply, family

MATTER = "public-security.driving-licence-replacement"
PASSWORD = "correct horse battery staple"


@pytest.fixture
async def desk(page: Page, site: str, database: Database, worker: None) -> Any:
    """Signs somebody in a role in, at a desk."""
    await page.set_viewport_size({"width": 1440, "height": 900})

    async def enter(role: str, *, agency: str, division: str, place: str = "/") -> Page:
        username = f"{role}-{secrets.token_hex(5)}"
        async with database.transaction() as session:
            await staff.create(
                session, username, password=PASSWORD, roles=[role], agency=agency, division=division
            )
        await page.goto(f"{site}/desk{place}")
        await page.fill("#username", username)
        await page.fill("#password", PASSWORD)
        await page.get_by_role("button", name="登录").click()
        await expect(page.get_by_role("navigation")).to_be_visible()
        return page

    return enter


async def handed_in(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> dict[str, Any]:
    """A case that waits for a clerk of 公安."""
    headers = await builders.resident(api, sandbox, Somebody())
    case = (await api.post("/cases", json={"matter": MATTER}, headers=headers)).json()
    form = {"reason": "lost", "mailTo": "海口市示例路 9 号"}
    at = f"/cases/{case['id']}"
    await api.patch(at, json={"form": form, "version": case["version"]}, headers=headers)
    answer = await api.post(f"{at}/submission", json={}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def state_of(api: httpx.AsyncClient, case: dict[str, Any]) -> str:
    clerk = await builders.staff(api, agency="public-security", division="460100")
    return str((await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()["state"])


async def test_a_clerk_decides_cases_with_the_keyboard_alone(
    desk: Any, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    """Next, accept, take it back, accept again, approve; the mouse lies where it lay."""
    case = await handed_in(api, sandbox)
    page = await desk("clerk", agency="public-security", division="460100")
    row = page.locator(f"[data-case='{case['id']}']")
    await expect(row).to_be_visible()
    while "here" not in (await row.get_attribute("class") or ""):
        before = page.url
        await page.keyboard.press("j")
        await page.wait_for_url(lambda url, before=before: url != before)
    await expect(page.locator("main h2").first).to_contain_text("驾驶证")
    await expect(page.get_by_text("省公安厅人口库").first).to_be_visible()
    await expect(page.locator(".case header")).to_contain_text(case["number"])
    await page.keyboard.press("a")
    await expect(page.get_by_text("已受理：")).to_be_visible()
    assert await state_of(api, case) == "accepted"
    await page.keyboard.press("u")
    await page.wait_for_url(f"**/{case['id']}")
    await expect(page.get_by_text("已受理：")).to_have_count(0)
    await expect(page.locator(".case header")).to_contain_text(case["number"])
    assert await state_of(api, case) == "submitted"
    await page.keyboard.press("a")
    await expect(page.get_by_text("已受理：")).to_be_visible()
    await page.goto(f"{page.url.split('/desk')[0]}/desk/cases/{case['id']}")
    await expect(page.get_by_role("button", name="通过 p")).to_be_visible()
    await page.keyboard.press("d")
    note = page.get_by_label("说明（申请人会看到）")
    await expect(note).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await expect(page.locator(".case .tag.big")).to_have_text("已通过")
    async with page.expect_download() as loaded:
        await page.get_by_role("button", name="下载决定书").press("Enter")
    assert (await (await loaded.value).path()).read_bytes().startswith(b"%PDF")


async def test_a_correction_names_everything_at_once(
    desk: Any, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", agency="public-security", division="460100", place=f"/cases/{case['id']}")
    await page.get_by_role("button", name=re.compile("请补正")).click()
    await page.get_by_role("dialog").get_by_label("邮寄地址").check()
    await page.get_by_role("button", name="填写内容与登记信息不一致").click()
    await page.get_by_role("button", name="确认").click()
    await expect(page.get_by_text("已请补正：")).to_be_visible()
    assert await state_of(api, case) == "correction_requested"


async def test_who_was_faster_is_shown_and_nothing_typed_is_lost(
    desk: Any, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    expected.append("409")
    case = await handed_in(api, sandbox)
    page = await desk("clerk", agency="public-security", division="460100", place=f"/cases/{case['id']}")
    await page.get_by_role("button", name=re.compile("不予受理")).click()
    await page.get_by_label("说明（申请人会看到）").fill("材料不全")
    faster = await builders.staff(api, agency="public-security", division="460100")
    await accept(api, faster, case)
    await page.get_by_role("button", name="确认").click()
    await expect(page.get_by_text("别人刚刚处理过这件办件")).to_be_visible()
    await expect(page.get_by_label("说明（申请人会看到）")).to_have_value("材料不全")
    await expect(page.locator(".case .tag.big")).to_have_text("已受理")


async def test_many_are_accepted_with_a_report(
    desk: Any, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    """One of them was taken meanwhile: the others go on, and it is named."""
    expected.append("409")
    cases = [await handed_in(api, sandbox) for _ in range(2)]
    page = await desk("clerk", agency="public-security", division="460100")
    for case in cases:
        await page.locator(f"[data-case='{case['id']}'] input").check()
    await accept(api, await builders.staff(api, agency="public-security", division="460100"), cases[0])
    await page.get_by_role("button", name="批量受理 2 件").click()
    await expect(page.get_by_text("受理成功 1 件，未受理 1 件")).to_be_visible()
    await expect(page.locator(".note", has_text=cases[0]["number"])).to_be_visible()
    assert await state_of(api, cases[1]) == "accepted"


async def test_an_officer_holds_a_draw(
    desk: Any, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound, clerk: Headers
) -> None:
    """Roll, lots, results; the beacon typed twice, and once wrongly."""
    place = f"丁{secrets.token_hex(3)}"
    made = await make_round({place: 3})
    headers = await builders.resident(api, sandbox, family(place))
    submitted = await apply(api, headers, [made.schools[place]])
    assert submitted.status_code == 200, submitted.text
    await accept(api, clerk, submitted.json())
    page = await desk("officer", agency="education", division="460105", place="/enrolments")
    commitment = (await api.get(f"/zones/school-places/enrolments/{made.id}")).json()["commitment"]
    card = page.locator("article", has_text=commitment)
    await card.get_by_role("button", name="固定名册").click()
    await page.get_by_role("button", name="确认").click()
    await card.get_by_role("button", name="抽签", exact=True).click()
    await page.fill("#beacon", "01 02 03")
    await page.fill("#again", "01 02 30")
    await expect(page.get_by_text("两次输入不一样")).to_be_visible()
    await expect(page.get_by_role("button", name="确认")).to_be_disabled()
    await page.fill("#again", "01 02 03")
    await page.get_by_role("button", name="确认").click()
    await card.get_by_role("button", name="公布结果").click()
    await page.get_by_role("button", name="确认").click()
    await expect(page.get_by_text("已公布：志愿录取 1")).to_be_visible()
    await expect(card.locator(".steps .done")).to_have_count(3)


async def test_a_verifier_is_suspended_at_once(desk: Any, api: httpx.AsyncClient, gate_secret: Any) -> None:
    page = await desk("operator", agency="education", division="460105", place="/verifiers")
    await expect(page).to_have_url(re.compile("/desk/verifiers"))
    row = page.locator("tr", has_text="测试门岗").last
    await row.get_by_role("button", name="暂停").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("终端失窃")
    await page.get_by_role("dialog").get_by_role("button", name="暂停").click()
    await expect(page.get_by_text("终端失窃")).to_be_visible()
    await row.get_by_role("button", name="恢复").click()
    await expect(row.get_by_role("button", name="暂停")).to_be_visible()


async def test_a_wrong_password_says_what_to_do(
    page: Page, site: str, expected: list[str], app: object
) -> None:
    expected.append("401")
    expected.append("422")
    await page.goto(f"{site}/desk/")
    await page.fill("#username", "nobody-here")
    await page.fill("#password", "wrong")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator("#username")).to_have_value("nobody-here")


async def test_the_desk_is_sound_in_every_look(
    desk: Any, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_round: MakeRound
) -> None:
    case = await handed_in(api, sandbox)
    page = await desk("clerk", agency="public-security", division="460100")
    await page.goto(f"{page.url.split('/desk')[0]}/desk/cases/{case['id']}")
    await expect(page.locator(".case h3").first).to_be_visible()
    found = await looks.at_desk(page)
    await page.keyboard.press("r")
    # A sheet that is still coming is faint.
    await expect(page.get_by_role("dialog")).to_have_css("opacity", "1")
    found += await looks.at_desk(page)
    assert not found, "\n".join(found)
