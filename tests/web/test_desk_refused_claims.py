"""The operator's campaigns: who came for a voucher and went without one, and why."""

from __future__ import annotations

import httpx
from playwright.async_api import expect
from sqlalchemy import select

from haiyiban.db import Database
from haiyiban.hall import counting
from services.duty_free.vouchers.models import Campaign
from tests import builders
from tests.contracts.duty_free_flow import open_campaign
from tests.web import looks
from tests.web.desk_steps import Desk, desk

__all__ = ["desk"]


async def test_refused_claims_stand_beside_each_campaign_with_their_reasons(
    desk: Desk, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    gone, untouched = await open_campaign(stock=0), await open_campaign()
    somebody = await builders.resident(api, sandbox, builders.Somebody())
    low = await builders.sign_in(api, sandbox, builders.phone())
    for by in (somebody, somebody, low):
        await api.post(f"/zones/duty-free/campaigns/{gone}/claims", headers=by)
    await counting.write_seen()
    async with database.reading() as session:
        rows = await session.execute(
            select(Campaign.id, Campaign.code).where(Campaign.id.in_([gone, untouched]))
        )
    codes = {row.id: row.code for row in rows}
    page = await desk("operator", agency="education", division="460105", place="/campaigns")
    row = page.locator("tr", has_text=codes[gone])
    await expect(row).to_contain_text("领完了 2")
    await expect(row).to_contain_text("认证等级不够 1")
    await expect(page.get_by_role("columnheader", name="未领到")).to_be_visible()
    await expect(page.locator("tr", has_text=codes[untouched]).locator("td").nth(4)).to_have_text("0")
    assert await looks.at_desk(page) == []
