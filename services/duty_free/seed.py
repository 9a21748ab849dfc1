"""The demo's open voucher campaign, from schemas/zones/duty_free/demo.v1.json, and the shop that takes its
vouchers."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, resources
from haiyiban.db import database
from haiyiban.ids import new_id
from haiyiban.verifiers.models import Verifier
from haiyiban.verifiers.seed import ACCREDITED
from services.duty_free.vouchers.models import Campaign, CampaignShop


class DemoCampaign(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A campaign of the demo."""

    code: str
    name: str
    name_en: str
    opens_days_ago: int
    closes_in_days: int
    face_fen: int
    threshold_fen: int
    stock: int
    per_person: int
    per_person_day: int
    valid_hours: int
    min_level: str
    for_visitors: bool
    stack_most: int


class Demo(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The whole data file."""

    id: str
    source: str
    campaigns: list[DemoCampaign]


async def seed() -> None:
    """Write what is not there yet; a campaign that is over is opened again, so that a demo always has one."""
    demo = _demo()
    now = clock.now()
    async with database().transaction() as session:
        for data in demo.campaigns:
            known = await session.scalar(select(Campaign).where(Campaign.code == data.code).with_for_update())
            closes_at = now + timedelta(days=data.closes_in_days)
            if known is not None:
                if known.closes_at <= now:
                    known.closes_at = closes_at
                continue
            session.add(
                Campaign(
                    id=new_id(),
                    code=data.code,
                    name=data.name,
                    name_en=data.name_en,
                    opens_at=now - timedelta(days=data.opens_days_ago),
                    closes_at=closes_at,
                    face_fen=data.face_fen,
                    threshold_fen=data.threshold_fen,
                    stock=data.stock,
                    stock_left=data.stock,
                    stock_day=None,
                    per_person=data.per_person,
                    per_person_day=data.per_person_day,
                    valid_hours=data.valid_hours,
                    state="open",
                    min_level=data.min_level,
                    for_visitors=data.for_visitors,
                    stack_most=data.stack_most,
                )
            )
        await session.flush()
        await _open_shops(session)


async def _open_shops(session: AsyncSession) -> None:
    """The demo's campaigns are for the demo's shop; one from before there were shops gets it too."""
    name = ACCREDITED["merchant"].name.zh
    shop = await session.scalar(select(Verifier.id).where(Verifier.name_zh == name))
    if shop is None:
        return
    codes = [each.code for each in _demo().campaigns]
    for campaign_id in await session.scalars(select(Campaign.id).where(Campaign.code.in_(codes))):
        if await session.get(CampaignShop, (campaign_id, shop)) is None:
            session.add(CampaignShop(campaign_id=campaign_id, merchant_id=shop))


def _demo() -> Demo:
    file = resources.schemas() / "zones/duty_free/demo.v1.json"
    return msgspec.json.decode(file.read_bytes(), type=Demo)
