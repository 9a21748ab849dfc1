"""The operator's pages: users and roles by two persons, matters and their data files."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.async_api import Browser, expect

from haiyiban import resources
from tests import builders
from tests.web import looks
from tests.web.desk_steps import Desk, desk

__all__ = ["desk"]
AT = {"agency": "education", "division": "460100"}


async def test_an_account_is_made_and_a_second_operator_gives_its_rights(
    desk: Desk, api: httpx.AsyncClient, browser: Browser, site: str
) -> None:
    page = await desk("operator", **AT, place="/people")
    name = f"new-{secrets.token_hex(4)}"
    await page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("用户名").fill(name)
    await dialog.get_by_label("区划代码").fill("460105")
    await expect(dialog).to_contain_text("秀英区")
    await dialog.get_by_role("button", name="确认").click()
    await expect(dialog).to_contain_text("只显示这一次")
    await expect(dialog.get_by_role("img")).to_be_visible()
    first, uri = await dialog.locator(".hash").all_inner_texts()
    await page.keyboard.press("Escape")
    row = page.locator("tr", has_text=name)
    await expect(row).to_contain_text("待授权")
    await expect(row.get_by_role("button", name="确认权限")).to_have_count(0)
    second = await builders.staff(api, role="operator", **AT)
    [made] = (await api.get("/desk/staff", params={"username": name}, headers=second)).json()["items"]
    wanted = {"roles": ["clerk"], "agency": "education", "division": "460105"}
    given = await api.post(f"/desk/staff/{made['id']}/rights", json=wanted, headers=second)
    assert given.status_code == 200, given.text
    await page.reload()
    await expect(row).to_contain_text("正常")
    await _choose_a_password(browser, site, name, first, uri)
    await row.get_by_role("button", name="暂停").click()
    await page.get_by_role("dialog").get_by_label("理由").fill("离职")
    await page.get_by_role("dialog").get_by_role("button", name="暂停").click()
    await expect(row).to_contain_text("已暂停")
    mine = page.locator("tr", has_text="（我）")
    await expect(mine.get_by_role("button")).to_have_count(0)


async def _choose_a_password(browser: Browser, site: str, name: str, first: str, uri: str) -> None:
    """The new clerk signs in with what was handed over, and then with what they chose."""
    page = await browser.new_page(locale="zh-CN")
    await page.goto(f"{site}/desk/")
    await page.get_by_label("用户名").fill(name)
    await page.get_by_label("密码", exact=True).fill(first)
    await page.get_by_label("动态口令").fill(pyotp.parse_uri(uri).now())  # type: ignore[attr-defined]
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert")).to_contain_text("请设置自己的密码")
    await page.get_by_label("新密码", exact=True).fill("salt lantern quiet harbour")
    await page.get_by_label("再输入一次").fill("salt lantern")
    await expect(page.get_by_text("两次输入的不一样")).to_be_visible()
    await expect(page.get_by_role("button", name="设置新密码并登录")).to_be_disabled()
    await page.get_by_label("再输入一次").fill("salt lantern quiet harbour")
    assert await looks.as_it_is(page) == []
    await page.get_by_role("button", name="设置新密码并登录").click()
    await expect(page.get_by_role("link", name="办件")).to_be_visible()
    await page.context.close()


async def test_a_data_file_is_checked_and_each_fault_leads_to_its_line(desk: Desk, tmp_path: Path) -> None:
    name = "public-security.driving-licence-replacement.v1.json"
    document = json.loads((resources.schemas() / "matters" / name).read_bytes())
    document["item"]["promise_day"] = 0
    file = tmp_path / name
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2))
    page = await desk("operator", **AT, place="/matters")
    await expect(page.locator("tbody tr").first).to_be_visible()
    await page.get_by_role("button", name="发布前核验").click()
    await page.get_by_label("选择文件").set_input_files(file)
    await expect(page.get_by_label("文件名")).to_have_value(name)
    await page.get_by_role("button", name="核验", exact=True).click()
    await expect(page.get_by_text("/item/project_type")).to_be_visible()
    await page.locator(".fault button").first.click()
    marked = await page.evaluate(
        "() => { const a = document.querySelector('textarea'); "
        "return a.value.slice(a.selectionStart, a.selectionEnd) }"
    )
    assert '"project_type"' in marked
    good = (resources.schemas() / "matters" / name).read_text()
    await page.get_by_label("内容").fill(good)
    await page.get_by_role("button", name="核验", exact=True).click()
    await expect(page.get_by_text("没有问题，可以发布")).to_be_visible()


async def test_an_operator_reads_how_long_data_is_kept(desk: Desk) -> None:
    page = await desk("operator", **AT, place="/retention")
    drafts = page.locator("tr", has_text="从未提交的草稿")
    await expect(drafts).to_contain_text("最后修改后 180 天")
    await expect(page.locator("tr", has_text="审计日志及其封存")).to_contain_text("不自动删除")
    await page.get_by_label("只看到期自动删除的").check()
    await expect(page.locator("tr", has_text="审计日志及其封存")).to_have_count(0)
    await expect(drafts).to_have_count(1)


@pytest.mark.parametrize("place", ["/people", "/matters", "/retention"])
async def test_pages_of_operators_are_sound_in_every_look(desk: Desk, place: str) -> None:
    page = await desk("operator", **AT, place=place)
    assert await looks.at_desk(page) == []
