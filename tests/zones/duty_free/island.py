"""The people, shops and campaign of a story about vouchers, and what each of them was told."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import select, update

from haiyiban.db import Database
from services.duty_free.vouchers.models import Campaign, CampaignDay, CampaignShop, Voucher
from services.duty_free.vouchers.settlement_models import Redemption, SettlementEntry
from tests.contracts.duty_free_flow import open_campaign
from tests.kernel.cases.conftest import TOKENS_LIVE_SECONDS
from tests.zones.duty_free.conftest import MakeBuyer, MakeShop
from tests.zones.duty_free.wallet import REDEMPTIONS, VOUCHERS, Buyer, Headers, verifier_id

GOOD_FOR_NIGHTS = 1
"""A voucher is good for 36 hours: it outlives one night and no second."""


@dataclass
class Held:
    """A voucher, as its owner was told."""

    id: str
    owner: int
    state: str = "claimed"
    nights: int = 0
    codes: list[str] = field(default_factory=list)
    """Shown and not scanned yet: a screenshot that somebody may still come with."""

    @property
    def now(self) -> str:
        return "expired" if self.state == "claimed" and self.nights > GOOD_FOR_NIGHTS else self.state

    @property
    def can_come(self) -> bool:
        return bool(self.codes) or self.now == "claimed"


@dataclass
class Taken:
    """A redemption, as a shop was told."""

    id: str
    voucher: Held
    order: tuple[int, str]
    amount: int
    state: str = "redeemed"
    nights: int = 0


@dataclass
class Island:
    """The people, the shops and the campaign of one story. The last of the shops is not the campaign's."""

    api: httpx.AsyncClient
    database: Database
    make_buyer: MakeBuyer
    make_shop: MakeShop
    buyers: list[Buyer] = field(default_factory=list)
    shops: list[Headers] = field(default_factory=list)
    since: float = -math.inf
    """When they signed in."""
    campaign: UUID = field(init=False)

    async def open(self, stock: int) -> None:
        if time.monotonic() - self.since > TOKENS_LIVE_SECONDS:
            self.since = time.monotonic()
            self.buyers = [await self.make_buyer() for _ in range(3)]
            self.shops = [await self.make_shop() for _ in range(3)]
        self.campaign = await open_campaign(stock=stock, valid_hours=36)
        async with self.database.transaction() as session:
            for shop in self.shops[:-1]:
                session.add(CampaignShop(campaign_id=self.campaign, merchant_id=verifier_id(shop)))

    async def claim(self, who: int, key: str | None) -> httpx.Response:
        headers = self.buyers[who].headers | ({"Idempotency-Key": f"{self.campaign}{key}"} if key else {})
        return await self.api.post(f"/zones/duty-free/campaigns/{self.campaign}/claims", headers=headers)

    async def code(self, voucher: Held) -> httpx.Response:
        wanted = {"kind": "voucher", "subjectId": voucher.id}
        return await self.api.post("/codes", json=wanted, headers=self.buyers[voucher.owner].headers)

    async def redeem(self, text: str, order: tuple[int, str], amount: int) -> httpx.Response:
        body = {"text": text, "orderNumber": f"{self.campaign}{order[1]}", "orderAmountFen": amount}
        return await self.api.post(REDEMPTIONS, json=body, headers=self.shops[order[0]])

    async def reverse(self, taken: Taken, shop: int) -> httpx.Response:
        return await self.api.delete(f"{REDEMPTIONS}/{taken.id}", headers=self.shops[shop])

    async def refund(self, taken: Taken, goods: int) -> httpx.Response:
        body = {"refundNumber": secrets.token_hex(8), "goodsFen": goods}
        at = f"{REDEMPTIONS}/{taken.id}/refunds"
        return await self.api.post(at, json=body, headers=self.shops[taken.order[0]])

    async def night(self, count: int) -> None:
        """Everything of the story lies so many days further back."""
        days = timedelta(days=count)
        mine = Voucher.campaign_id == self.campaign
        async with self.database.transaction() as session:
            await session.execute(
                update(Redemption)
                .where(Redemption.voucher_id.in_(select(Voucher.id).where(mine)))
                .values(day=Redemption.day - count, at=Redemption.at - days)
            )
            await session.execute(
                update(Voucher)
                .where(mine)
                .values(day=Voucher.day - count, valid_until=Voucher.valid_until - days)
            )
            await session.execute(
                update(CampaignDay)
                .where(CampaignDay.campaign_id == self.campaign)
                .values(day=CampaignDay.day - count)
            )

    async def seen(self) -> dict[str, str]:
        """The state of every voucher, as its owner sees it."""
        found = {}
        for buyer in self.buyers:
            answer = await self.api.get(VOUCHERS, headers=buyer.headers, params={"limit": 100})
            found |= {each["id"]: each["state"] for each in answer.json()["items"]}
        return found

    async def books(self) -> tuple[int, list[Voucher], list[Redemption], int]:
        """What is left of the stock, vouchers, redemptions, and what the shops are owed in fen."""
        async with self.database.reading() as session:
            left = (await session.get_one(Campaign, self.campaign)).stock_left
            vouchers = (
                await session.scalars(select(Voucher).where(Voucher.campaign_id == self.campaign))
            ).all()
            ids = [each.id for each in vouchers]
            taken = (await session.scalars(select(Redemption).where(Redemption.voucher_id.in_(ids)))).all()
            owed = await session.scalars(
                select(SettlementEntry.amount_fen).where(
                    SettlementEntry.redemption_id.in_([each.id for each in taken])
                )
            )
        return left, list(vouchers), list(taken), sum(owed)
