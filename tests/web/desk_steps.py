"""What the tests of the desk share: somebody in a role at a desk, and a look at what is there."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from haiyiban.db import Database
from haiyiban.identity import staff
from tests.web.browsers import DESK

PASSWORD = "correct horse battery staple"
Desk = Callable[..., Awaitable[Page]]


@pytest.fixture
async def desk(page: Page, site: str, database: Database, worker: None) -> Any:
    """Signs somebody in a role in, at a desk."""
    await page.set_viewport_size(DESK)

    async def enter(*roles: str, agency: str, division: str, place: str = "/") -> Page:
        username = f"{roles[0]}-{secrets.token_hex(5)}"
        async with database.transaction() as session:
            await staff.create(
                session, username, password=PASSWORD, roles=roles, agency=agency, division=division
            )
        await page.goto(f"{site}/desk{place}")
        await sign_in(page, username, PASSWORD)
        return page

    return enter


async def sign_in(page: Page, username: str, password: str, otp: str = "") -> None:
    """At the desk's door."""
    await page.fill("#username", username)
    await page.fill("#password", password)
    await page.fill("#otp", otp)
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("navigation")).to_be_visible()
