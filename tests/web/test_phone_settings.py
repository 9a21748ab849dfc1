"""How the phone shows things: size of text, theme, language, and a page that is read aloud."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.builders import Somebody, settle
from tests.web.phone_steps import Phone


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


async def test_what_one_chose_outlives_a_visit(phone: Phone) -> None:
    page = phone.page
    await phone.open("/me/settings")
    await page.select_option("#size", "150")
    await page.select_option("#theme", "dark")
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert await page.evaluate(size) == 24
    await page.reload()
    assert await page.evaluate(size) == 24
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await page.get_by_role("checkbox").check()
    assert await page.evaluate(size) == 33
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await page.select_option("#language", "en")
    await expect(page.get_by_role("heading", name="Display")).to_be_visible()


async def test_in_the_version_for_elders_a_page_is_read_aloud_and_stopped(phone: Phone) -> None:
    """What is handed to the phone's voice is what stands there."""
    page = phone.page
    await page.add_init_script(
        "window.spoken = []; speechSynthesis.speak = (one) => window.spoken.push([one.text, one.lang]);"
        "speechSynthesis.cancel = () => window.spoken.push(['', ''])"
    )
    await phone.open("/matters/education.school-place")
    await expect(page.get_by_role("button", name="读出这一页")).to_have_count(0)
    await phone.tap("长辈版")
    await phone.tap("读出这一页")
    [_, (text, language)] = await page.evaluate("window.spoken")
    assert language == "zh-CN"
    assert text.startswith("小学一年级学位申请。")
    assert "需要跑几次" in text or "工作日" in text
    assert "开始办理" not in text
    await phone.tap("停止朗读")
    assert (await page.evaluate("window.spoken"))[-1] == ["", ""]


async def test_what_waits_for_my_consent_is_listed_with_what_it_allows(
    phone: Phone, sandbox: httpx.AsyncClient
) -> None:
    await phone.arrive(await settle(sandbox, Somebody()))
    await phone.open("/me/settings")
    await expect(phone.page.get_by_text("现在没有人在等您同意")).to_be_visible()
