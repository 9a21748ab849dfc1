"""A copy of what is kept about me, and the end of my account, by the thumb."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.builders import Somebody, settle
from tests.kernel.cases.office import FORMS, PROOF
from tests.web.phone_steps import Phone


@pytest.fixture
def expected() -> list[str]:
    """The refusal while a case is open."""
    return ["409"]


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


async def test_a_copy_is_saved_and_read_and_the_account_is_closed(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    page = phone.page
    somebody = Somebody(name="司马导出", more={"socialInsurance": {"months": 70, "division": "460105"}})
    await phone.arrive(await settle(sandbox, somebody))
    case = await _hand_in(page)
    await phone.open("/me/settings")

    async with page.expect_download() as saving:
        await phone.tap("导出我的数据（文件）")
    saved = await saving.value
    assert saved.suggested_filename == "海易办-我的数据.json"
    told = json.loads(Path(await saved.path()).read_text())
    assert told["folders"]["identity"]["person"]["idNumber"] == somebody.id_number
    assert [each["id"] for each in told["folders"]["cases"]["cases"]] == [case]

    await phone.tap("导出我的数据（可以阅读的网页）")
    async with page.expect_popup() as opening:
        await phone.tap("打开网页", role="link")
    read = await opening.value
    await expect(read.get_by_role("heading", name="身份 Identity")).to_be_visible()
    await expect(read.get_by_text(somebody.id_number).first).to_be_visible()
    await read.close()

    await _ask_to_close(phone)
    await expect(page.get_by_role("heading", name="还不能注销")).to_be_visible()
    await page.get_by_role("dialog").get_by_role("link").first.click()
    await expect(page).to_have_url(f"{phone.site}/m/cases/{case}")
    assert await page.evaluate(_WITHDRAW, case) == 200

    await phone.open("/me/settings")
    await _ask_to_close(phone)
    await expect(page.get_by_role("heading", name="账号已注销")).to_be_visible()
    done = page.get_by_role("dialog")
    await expect(done.get_by_text("已提交过的办件及其材料、办理过程")).to_be_visible()
    await expect(done.get_by_text("档案法 第13条", exact=False)).to_be_visible()
    await phone.tap("知道了")
    await expect(page.get_by_role("heading", name="我的数据")).to_have_count(0)

    await phone.open("/me")
    await page.reload()
    await expect(page.get_by_role("button", name="退出登录")).to_have_count(0)


async def _ask_to_close(phone: Phone) -> None:
    """Both questions, answered with yes."""
    await phone.tap("注销账号")
    dialog = phone.page.get_by_role("dialog")
    await expect(dialog.get_by_text("马上删除")).to_be_visible()
    await expect(dialog.get_by_role("listitem")).to_have_count(5)
    await phone.tap("继续注销")
    await expect(phone.page.get_by_role("heading", name="确定注销吗？")).to_be_visible()
    await phone.tap("确定，现在注销")


async def _hand_in(page: Page) -> str:
    """A case, by the requests that the pages send; how it looks is tested where it is the point."""
    return str(await page.evaluate(_HAND_IN, [PROOF, FORMS[PROOF]]))


_REQUEST = """
const token = async () => {
  const answer = await fetch('/api/v1/auth/sessions/refresh', {method: 'POST', body: '{}',
    headers: {'Content-Type': 'application/json'}});
  return (await answer.json()).accessToken;
};
const bearer = await token();
const send = (method, path, body) => fetch('/api/v1' + path, {method, body: JSON.stringify(body),
  headers: {'Content-Type': 'application/json', Authorization: 'Bearer ' + bearer}});
"""
_HAND_IN = f"""async ([matter, form]) => {{ {_REQUEST}
  const made = await (await send('POST', '/cases', {{matter}})).json();
  await send('PATCH', '/cases/' + made.id, {{form}});
  const answer = await send('POST', '/cases/' + made.id + '/submission', {{}});
  if (!answer.ok) throw new Error(await answer.text());
  return made.id;
}}"""
_WITHDRAW = f"""async (id) => {{ {_REQUEST}
  return (await send('POST', '/cases/' + id + '/withdrawal', {{}})).status;
}}"""
