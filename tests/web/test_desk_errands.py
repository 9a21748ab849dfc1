"""A village agent at the desk: a consent on paper, a case under it, the ledger of the day."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from haiyiban import clock
from haiyiban.db import Database
from tests import builders
from tests.builders import Somebody
from tests.kernel.cases.office import Citizen
from tests.kernel.cases.test_given_certificates import PERMIT, Holder
from tests.web import looks
from tests.web.desk_steps import Desk, desk

__all__ = ["desk"]
AT = {"agency": "villages", "division": "460105001001"}


@pytest.fixture
async def villager(sandbox: httpx.AsyncClient) -> Somebody:
    known = Somebody(
        name="吴阿公",
        id_number=builders.id_number(date(1950, 2, 3)),
        more={"socialInsurance": {"months": 240, "division": "460105"}},
    )
    await builders.settle(sandbox, known)
    return known


async def record(page: Page, villager: Somebody, matter: str, folder: Path) -> Locator:
    """The agent writes a villager's paper down; its row in the list."""
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="委托书", exact=True).click()
    await page.keyboard.press("n")
    await dialog.get_by_label("姓名").fill(villager.name)
    await dialog.get_by_label("身份证号").fill(villager.id_number)
    await dialog.get_by_label("手机号").fill(villager.phone)
    await dialog.get_by_label(matter).check()
    await dialog.get_by_label("有效期至").fill((clock.today() + timedelta(days=30)).isoformat())
    await dialog.get_by_label("存放位置或编号").fill("秀华社区档案柜2-17")
    scan = folder / "scan.png"
    scan.write_bytes(b"scan")
    await dialog.get_by_label("扫描件").set_input_files(scan)
    await expect(dialog).to_contain_text("SHA-256")
    await dialog.get_by_label("见证人", exact=True).fill("王见证")
    await dialog.get_by_label("见证人电话").fill("13800138000")
    await dialog.get_by_role("button", name="登记").click()
    return page.locator("tr", has_text="秀华社区档案柜2-17")


async def begin(page: Page, matter: str) -> None:
    """The agent opens a case for the villager of the newest paper."""
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="代办的办件").click()
    await page.get_by_role("button", name="代办一件").click()
    await dialog.get_by_label("委托人").select_option(index=0)
    await dialog.get_by_label("事项").select_option(label=matter)
    await dialog.get_by_role("button", name="代办一件").click()


async def test_an_agent_records_a_paper_hands_a_case_in_and_finds_both_in_the_ledger(
    desk: Desk, villager: Somebody, tmp_path: Path
) -> None:
    page = await desk("village-agent", **AT, place="/errands")
    row = await record(page, villager, "社会保险参保证明", tmp_path)
    await expect(row).to_contain_text("有效")
    await begin(page, "社会保险参保证明")
    await expect(page.get_by_text("为 吴*公 代办")).to_be_visible()
    await page.get_by_label("子女入学").check()
    await page.get_by_role("button", name="确认提交").click()
    await expect(page.locator(".head .tag")).to_have_text("已提交")
    await page.get_by_role("button", name="撤回申请").click()
    await page.get_by_role("button", name="确认撤回").click()
    await expect(page.locator(".head .tag")).to_have_text("已撤回")

    await page.get_by_role("link", name="返回代办").click()
    await page.get_by_role("button", name="委托书", exact=True).click()
    await row.get_by_role("button", name="终止委托").click()
    await page.get_by_role("button", name="确认").click()
    await expect(row.get_by_role("button")).to_have_count(0)
    await page.get_by_role("button", name="台账").click()
    await expect(page.locator("tbody tr")).to_have_count(5)
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="下载 CSV").click()
    table = await (await waiting.value).path()
    assert Path(table).read_bytes().startswith(b"\xef\xbb\xbf")


async def test_an_agent_picks_the_villagers_certificate_for_the_form(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    theirs = await Citizen.signed_in(api, sandbox, Somebody(name="吴外来", more={"residencePermit": PERMIT}))
    proof = await Holder(theirs, {}, database).certificate()
    page = await desk("village-agent", **AT, place="/errands")
    await record(page, theirs.somebody, "居住证签注", tmp_path)
    await begin(page, "居住证签注")
    paper = page.locator(".paper", has_text="社会保险参保证明")
    await expect(paper).to_contain_text("吴*来")
    await page.locator("summary").click()
    await paper.get_by_role("radio").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("button", name="已自动保存")).to_be_disabled()
    [case] = (await api.get("/cases", headers=theirs.headers)).json()["items"]
    assert (await theirs.get(case))["form"]["groundProof"] == str(proof.id)
    assert await looks.at_desk(page) == []


async def test_the_agents_page_is_sound_in_every_look(desk: Desk) -> None:
    page = await desk("village-agent", **AT, place="/errands")
    assert await looks.at_desk(page) == []


async def test_double_uses_are_listed_for_operators(desk: Desk) -> None:
    page = await desk("operator", agency="education", division="460105", place="/double-uses")
    await expect(page.locator("main h1")).to_have_text("重复核验")
    await expect(page.get_by_text("没有重复核验").or_(page.locator("tbody tr").first)).to_be_visible()
    assert await looks.at_desk(page) == []
