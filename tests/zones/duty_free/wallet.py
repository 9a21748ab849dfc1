"""A buyer with vouchers for a shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import jwt
from sqlalchemy import func, select, update

from haiyiban.db import Database
from services.duty_free.vouchers.models import CampaignShop, Voucher
from services.duty_free.vouchers.settlement_models import SettlementEntry
from tests.contracts.duty_free_flow import open_campaign
from tests.people import Resident

Headers = dict[str, str]

REDEMPTIONS = "/zones/duty-free/redemptions"
VOUCHERS = "/zones/duty-free/vouchers"


@dataclass
class Buyer:
    """Somebody at L3."""

    person: Resident
    headers: Headers
    account_id: UUID
    device_token: str


class Wallet:
    """A buyer with vouchers for a shop."""

    def __init__(self, api: httpx.AsyncClient, database: Database, buyer: Buyer, shop: Headers) -> None:
        self.api, self.database, self.buyer, self.shop = api, database, buyer, shop

    async def voucher(self, **campaign: Any) -> UUID:
        """A voucher that was claimed of a campaign for the shop."""
        campaign_id = await open_campaign(**campaign)
        async with self.database.transaction() as session:
            session.add(CampaignShop(campaign_id=campaign_id, merchant_id=verifier_id(self.shop)))
        claimed = await self.api.post(
            f"/zones/duty-free/campaigns/{campaign_id}/claims", headers=self.buyer.headers
        )
        assert claimed.status_code == 201, claimed.text
        return UUID(claimed.json()["voucherId"])

    async def code(self, voucher: UUID) -> str:
        """A fresh code of it."""
        shown = await self.ask_code(voucher)
        assert shown.status_code == 201, shown.text
        return str(shown.json()["text"])

    async def ask_code(self, voucher: UUID) -> httpx.Response:
        wanted = {"kind": "voucher", "subjectId": str(voucher)}
        return await self.api.post("/codes", json=wanted, headers=self.buyer.headers)

    async def redeem(
        self, text: str, order: str = "A-1", amount: int = 200_000, *, at: Headers | None = None
    ) -> httpx.Response:
        body = {"text": text, "orderNumber": order, "orderAmountFen": amount}
        return await self.api.post(REDEMPTIONS, json=body, headers=at or self.shop)

    async def spent(self, voucher: UUID, order: str = "A-1", amount: int = 200_000) -> dict[str, Any]:
        """The redemption of a voucher that must be taken."""
        answer = await self.redeem(await self.code(voucher), order, amount)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def state(self, voucher: UUID) -> str:
        """As its owner sees it."""
        mine = (await self.api.get(VOUCHERS, headers=self.buyer.headers)).json()["items"]
        return next(str(each["state"]) for each in mine if each["id"] == str(voucher))

    async def change(self, voucher: UUID, **values: Any) -> None:
        async with self.database.transaction() as session:
            await session.execute(update(Voucher).where(Voucher.id == voucher).values(**values))

    async def owed(self) -> int:
        """What the ledger owes the shop, in fen."""
        async with self.database.reading() as session:
            found = await session.scalar(
                select(func.coalesce(func.sum(SettlementEntry.amount_fen), 0)).where(
                    SettlementEntry.merchant_id == verifier_id(self.shop)
                )
            )
        return int(found or 0)


def verifier_id(headers: Headers) -> UUID:
    token = headers["Authorization"].removeprefix("Bearer ")
    return UUID(jwt.decode(token, options={"verify_signature": False})["sub"])
