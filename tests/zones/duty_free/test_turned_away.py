"""Refused claims, counted for the operator without a row for any of them. Source: docs/duty-free.md."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from haiyiban import clock, tallies
from haiyiban.db import Database
from haiyiban.hall import counting
from haiyiban.hall.models import Board, Count
from services.duty_free.vouchers import claiming, turned_away
from services.duty_free.vouchers.claiming import Queue, SoldOut
from tests import builders
from tests.contracts.duty_free_flow import open_campaign
from tests.kernel.hall.test_screens import another
from tests.zones.duty_free.conftest import Buyer

__all__ = ["another"]

REFUSED = "/zones/duty-free/desk/refused-claims"


@pytest.fixture
async def operator(api: httpx.AsyncClient) -> dict[str, str]:
    """An operator at the desk."""
    return await builders.staff(api, role="operator")


@pytest.fixture
async def second(another: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of another process of the same platform."""
    async with httpx.AsyncClient(base_url=another, timeout=30) as client:
        yield client


async def claim(at: httpx.AsyncClient, campaign: UUID, by: dict[str, str], status: int) -> None:
    answer = await at.post(f"/zones/duty-free/campaigns/{campaign}/claims", headers=by)
    assert answer.status_code == status, answer.text


async def figures(api: httpx.AsyncClient, operator: dict[str, str], campaign: UUID) -> dict[str, Any]:
    answer = await api.get(REFUSED, params={"limit": 100}, headers=operator)
    assert answer.status_code == 200, answer.text
    return next(dict(each) for each in answer.json()["items"] if each["campaignId"] == str(campaign))


async def test_each_reason_is_counted_and_no_refusal_writes_a_row_of_its_own(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    buyer: Buyer,
    operator: dict[str, str],
    database: Database,
) -> None:
    sold_out = await open_campaign(stock=0)
    for _ in range(30):
        await claim(api, sold_out, buyer.headers, 409)
    early = await open_campaign(opens_at=clock.now() + timedelta(hours=1))
    await claim(api, early, buyer.headers, 422)
    once = await open_campaign()
    await claim(api, once, buyer.headers, 201)
    await claim(api, once, buyer.headers, 409)
    await claim(api, once, await builders.sign_in(api, sandbox, builders.phone()), 403)
    crowded = await open_campaign()
    claiming._queues[crowded] = Queue(crowded, most=0)
    await claim(api, crowded, buyer.headers, 429)
    await counting.write_seen()
    assert await figures(api, operator, sold_out) == {
        "campaignId": str(sold_out), "total": 30, "reasons": {"sold-out": 30}
    }  # fmt: skip
    async with database.reading() as session:
        name = f"duty-free.refused.{sold_out.hex}.sold-out"
        rows = await session.scalar(select(func.count()).where(Count.name == name))
    assert rows in {1, 2}, "one row a minute, however many are refused"
    assert (await figures(api, operator, early))["reasons"] == {"not-open": 1}
    assert (await figures(api, operator, once))["reasons"] == {"already-claimed": 1, "level-too-low": 1}
    assert (await figures(api, operator, crowded))["reasons"] == {"too-many-waiting": 1}


async def test_the_figures_of_two_processes_come_to_one(
    api: httpx.AsyncClient,
    second: httpx.AsyncClient,
    buyer: Buyer,
    operator: dict[str, str],
) -> None:
    campaign = await open_campaign(stock=0)
    for _ in range(4):
        await claim(api, campaign, buyer.headers, 409)
    for _ in range(5):
        await claim(second, campaign, buyer.headers, 409)
    found: dict[str, Any] = {}
    for _ in range(150):  # both write every five seconds
        found = await figures(api, operator, campaign)
        if found["total"] >= 9:
            break
        await asyncio.sleep(0.1)
    assert found["reasons"] == {"sold-out": 9}
    read_there = await second.get(REFUSED, params={"limit": 100}, headers=operator)
    assert found in read_there.json()["items"]


async def test_days_that_are_over_are_counted_still_and_the_hall_shows_none_of_it(
    api: httpx.AsyncClient, operator: dict[str, str], database: Database
) -> None:
    campaign = await open_campaign()
    name = f"duty-free.refused.{campaign.hex}.limit-reached"
    async with database.transaction() as session:
        session.add_all(
            Count(
                since=clock.now() - timedelta(days=days),
                seconds=seconds,
                name=name,
                division="",
                matter="",
                count=7,
            )
            for days, seconds in ((20, 86_400), (0, 60))
        )
    assert (await figures(api, operator, campaign))["reasons"] == {"limit-reached": 14}
    await counting.count(b"")
    async with database.reading() as session:
        assert "refused" not in str(await session.scalar(select(Board.figures)))
    assert (await figures(api, operator, campaign))["total"] == 14


async def test_an_operator_alone_reads_them_page_by_page(
    api: httpx.AsyncClient, buyer: Buyer, operator: dict[str, str]
) -> None:
    newest = [await open_campaign() for _ in range(2)][-1]
    page = (await api.get(REFUSED, params={"limit": 1}, headers=operator)).json()
    assert page["items"] == [{"campaignId": str(newest), "total": 0, "reasons": {}}]
    assert page["next"] is not None
    assert (await api.get(REFUSED, headers=buyer.headers)).status_code == 403
    assert (await api.get(REFUSED)).status_code == 401
    clerk = await builders.staff(api, agency="education", division="460105")
    assert (await api.get(REFUSED, headers=clerk)).status_code == 403


def test_what_is_no_answer_to_a_claim_is_not_counted() -> None:
    campaign = UUID(int=7)
    before = tallies.take()
    tallies.give_back(before)
    turned_away.saw(campaign, claiming.CampaignMissing())
    turned_away.saw(campaign, SoldOut())
    seen = tallies.take()
    own = {name: number for name, number in seen.items() if campaign.hex in name}
    tallies.give_back({name: number for name, number in seen.items() if name not in own})
    assert own == {f"duty-free.refused.{campaign.hex}.sold-out": 1}
