"""How long sales are kept: three years after they are over. Source: 电子商务法 art. 31; docs/retention.md."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import select

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.terms import YEAR
from services.duty_free.allowance.models import Order, Year
from services.duty_free.parcels.models import Parcel
from services.duty_free.terms import TERMS
from tests.retention import delete_due
from tests.zones.duty_free.conftest import Buyer, Headers, allowance, backdate, sell
from tests.zones.duty_free.test_parcels import mailed, send, waybill

ORDERS, YEARS, _ = TERMS


async def test_a_sale_goes_three_years_after_it_is_over_and_an_open_one_stays(
    api: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer
) -> None:
    old, recent = [await mailed(api, database, shop, buyer) for _ in range(2)]
    open_ = await sell(api, shop, buyer)
    for order in (old, recent):
        assert (await send(api, shop, order, waybill())).status_code == 201
    await backdate(database, old, settled_at=clock.now() - 3 * YEAR - timedelta(days=1))
    await backdate(database, recent, settled_at=clock.now() - 3 * YEAR + timedelta(days=1))
    await backdate(database, open_, purchased_at=clock.now() - 4 * YEAR)
    await delete_due(ORDERS)
    ids = [UUID(each["id"]) for each in (old, recent, open_)]
    async with database.reading() as session:
        assert set(await session.scalars(select(Order.id).where(Order.id.in_(ids)))) == set(ids[1:])
        assert list(await session.scalars(select(Parcel.order_id).where(Parcel.order_id.in_(ids)))) == [
            ids[1]
        ]
    await _balance_again(database, ids[1], old["freeFen"])


async def test_a_years_allowance_goes_three_years_after_its_end(
    api: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer
) -> None:
    order = await sell(api, shop, buyer)
    this = clock.today().year
    async with database.transaction() as session:
        person = await session.scalar(select(Order.person_id).where(Order.id == UUID(order["id"])))
        session.add_all(
            Year(person_id=person, year=year, quota_fen=100, reserved_fen=0, consumed_fen=0)
            for year in (this - 5, this - 3, this - 1)
        )
    await delete_due(YEARS)
    async with database.reading() as session:
        assert set(await session.scalars(select(Year.year).where(Year.person_id == person))) == {
            this - 3,
            this - 1,
            this,
        }
    assert (await allowance(api, buyer))[1] == 100_000


async def _balance_again(database: Database, same_buyer: UUID, gone_fen: int) -> None:
    """The order was of this year, whose sums other tests hold against the orders of everybody."""
    async with database.transaction() as session:
        order = await session.get_one(Order, same_buyer)
        year = await session.get_one(Year, (order.person_id, clock.today().year))
        year.consumed_fen -= gone_fen
