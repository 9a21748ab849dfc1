"""The demo's campaign, voucher and shop go together: what a visitor of the demo tries first."""

from __future__ import annotations

import httpx
from sqlalchemy import func, select

from haiyiban import verifiers
from haiyiban.db import Database
from haiyiban.settings import Settings
from haiyiban.verifiers.seed import credentials
from services.duty_free import zone
from services.duty_free.vouchers.models import Campaign, CampaignShop
from tests.zones.duty_free.wallet import REDEMPTIONS, Buyer, Wallet


async def test_a_voucher_of_the_demo_is_redeemed_by_the_demos_shop(
    api: httpx.AsyncClient, database: Database, settings: Settings, buyer: Buyer
) -> None:
    assert zone.seed is not None
    await verifiers.seed()
    for _ in range(2):
        await zone.seed()
    async with database.reading() as session:
        campaign = (await session.scalars(select(Campaign).where(Campaign.code == "demo-2000-200"))).one()
        shops = await session.scalar(
            select(func.count()).select_from(CampaignShop).where(CampaignShop.campaign_id == campaign.id)
        )
    assert shops == 1
    secret = credentials(settings.home / "demo" / "verifiers.json")["merchant"]
    signed_in = await api.post(
        "/auth/verifiers/token",
        json={"clientId": secret.client_id, "clientSecret": secret.client_secret},
    )
    shop = {"Authorization": f"Bearer {signed_in.json()['accessToken']}"}
    wallet = Wallet(api, database, buyer, shop)
    claimed = await api.post(f"/zones/duty-free/campaigns/{campaign.id}/claims", headers=buyer.headers)
    assert claimed.status_code == 201, claimed.text
    wanted = {"kind": "voucher", "subjectId": claimed.json()["voucherId"]}
    shown = await api.post("/codes", json=wanted, headers=buyer.headers)
    redeemed = await wallet.redeem(shown.json()["text"], "DEMO-1", 200_000)
    assert (redeemed.status_code, redeemed.json()["payFen"]) == (201, 180_000), redeemed.text
    gone_back = await api.delete(f"{REDEMPTIONS}/{redeemed.json()['id']}", headers=shop)
    assert gone_back.status_code == 200, gone_back.text
