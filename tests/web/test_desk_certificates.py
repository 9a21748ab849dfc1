"""Certificates at the desk: found by number, suspended, reinstated, corrected, revoked, with reasons."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from haiyiban.db import Database
from tests.kernel.certificates.family import family
from tests.web import looks
from tests.web.desk_steps import Desk, desk

__all__ = ["desk"]
AT = {"agency": "education", "division": "460105"}


async def step(page: Page, verb: str, reason: str) -> None:
    await page.get_by_label("证照内容").get_by_role("button", name=verb).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="确认")).to_be_disabled()
    await dialog.get_by_label("理由").fill(reason)
    await dialog.get_by_role("button", name="确认").click()
    await expect(dialog).to_have_count(0)


async def test_a_certificate_is_found_and_every_step_has_its_reason(desk: Desk, database: Database) -> None:
    made = (await family(database)).certificate
    page = await desk("clerk", **AT, place="/certificates")
    await page.keyboard.press("/")
    await expect(page.get_by_label("证照号码")).to_be_focused()
    await page.keyboard.type(made.identifier)
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.locator("tbody button").click()
    one = page.get_by_label("证照内容")
    await step(page, "暂停", "核查后发现信息有误")
    await expect(one).to_contain_text("已暂停")
    await expect(one).to_contain_text("核查后发现信息有误")
    await step(page, "恢复", "核查无误，恢复使用")
    await expect(one.locator(".tag").first).to_have_text("有效")
    await one.get_by_role("button", name="更正").click()
    await page.get_by_role("dialog").get_by_label("school", exact=True).fill("海口市滨海小学")
    await page.get_by_role("dialog").get_by_label("理由").fill("学校名称登记有误")
    await page.get_by_role("button", name="确认").click()
    await expect(one).to_contain_text("海口市滨海小学")
    await step(page, "撤销", "申请材料虚假，依法撤销")
    await expect(one).to_contain_text("已撤销")
    await expect(one.get_by_role("button", name=re.compile("暂停|恢复|更正|撤销"))).to_have_count(0)


async def test_certificates_are_sound_in_every_look(desk: Desk, database: Database) -> None:
    await family(database)
    page = await desk("clerk", **AT, place="/certificates")
    assert await looks.at_desk(page) == []
