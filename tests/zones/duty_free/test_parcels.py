"""Mailed goods: sent once the buyer has left, followed by the buyer alone. Source: docs/domain.md §8.3."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import httpx

from haiyiban import clock
from haiyiban.db import Database
from tests.people import Resident, sign_in, slug
from tests.zones.duty_free.conftest import (
    ORDERS,
    Buyer,
    Headers,
    MakeBuyer,
    MakeShop,
    allowance,
    backdate,
    sell,
)

PARCELS = "/zones/duty-free/parcels"


def waybill() -> str:
    return f"SF{secrets.randbelow(10**12):012d}"


async def mailed(api: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer) -> dict[str, Any]:
    """An order to be mailed whose buyer has left an hour ago."""
    delivery = {"division": "110105", "recipient": buyer.person.name, "payer": buyer.person.name}
    order = await sell(api, shop, buyer, pickUp="mail", delivery=delivery)
    await backdate(database, order, departs_at=clock.now() - timedelta(hours=1))
    return order


async def send(
    api: httpx.AsyncClient, shop: Headers, order: dict[str, Any], number: str, *, carrier: str = "demo"
) -> httpx.Response:
    return await api.post(
        f"{ORDERS}/{order['id']}/parcel", json={"carrier": carrier, "number": number}, headers=shop
    )


async def test_a_buyer_follows_a_parcel_from_the_departure_to_the_door(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer
) -> None:
    order, number = await mailed(api, database, shop, buyer), waybill()
    for _ in range(2):  # a second click changes nothing
        sent = await send(api, shop, order, number)
        assert (sent.status_code, sent.json()["state"]) == (201, "departure_confirmed")
    assert (await allowance(api, buyer))[:2] == (100_000, 0)
    at = f"{PARCELS}/{number}"
    unscanned = (await api.get(at, headers=buyer.headers)).json()
    assert (unscanned["state"], unscanned["stateName"], len(unscanned["events"])) == (
        "departure_confirmed",
        "离岛确认",
        1,
    )
    now = clock.now()
    scans = [
        {"at": (now + timedelta(hours=hours)).isoformat(), "state": state, "place": "海口"}
        for hours, state in ((3, "in_transit"), (1, "picked"), (2, "dispatched"))
    ]
    posted = {"number": number, "phone": buyer.person.phone, "scans": scans}
    assert (await sandbox.post("/carrier/parcels", json=posted)).status_code == 201
    parcel = (await api.get(at, headers=buyer.headers)).json()
    assert (parcel["state"], parcel["stateName"], parcel["orderId"]) == ("in_transit", "运输中", order["id"])
    assert [event["state"] for event in parcel["events"]] == [
        "in_transit",
        "dispatched",
        "picked",
        "departure_confirmed",
    ]
    phone = buyer.person.phone
    assert parcel["phone"] == f"{phone[:3]}****{phone[7:]}"
    assert phone not in str(parcel)


async def test_a_parcel_is_the_buyers_alone(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    shop: Headers,
    buyer: Buyer,
    make_buyer: MakeBuyer,
) -> None:
    order, number = await mailed(api, database, shop, buyer), waybill()
    await send(api, shop, order, number)
    at = f"{PARCELS}/{number}"
    stranger = await make_buyer()
    unknown = await api.get(f"{PARCELS}/{waybill()}", headers=stranger.headers)
    others = await api.get(at, headers=stranger.headers)
    assert (others.status_code, slug(others)) == (404, "parcel-not-found")
    assert others.json() == unknown.json()
    assert (await api.get(at)).status_code == 401
    assert (await api.get(at, headers=shop)).status_code == 403
    low = await sign_in(api, sandbox, Resident().phone)
    assert slug(await api.get(at, headers=low.headers)) == "step-up-needed"


async def test_a_carrier_that_does_not_answer_is_said_to_be_away(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer
) -> None:
    order, number = await mailed(api, database, shop, buyer), waybill()
    await send(api, shop, order, number)
    for mode in ("error", "garbage", "garbage"):
        await sandbox.post("/faults", json={"register": "carrier", "mode": mode})
        answer = await api.get(f"{PARCELS}/{number}", headers=buyer.headers)
        assert (answer.status_code, slug(answer)) == (503, "register-unavailable")
        assert "retry-after" in answer.headers
    await sandbox.post("/faults", json={"register": "carrier", "mode": "off"})
    assert (await api.get(f"{PARCELS}/{number}", headers=buyer.headers)).status_code == 200


async def test_goods_are_not_sent_before_the_departure_nor_twice_nor_where_nothing_is_mailed(
    api: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer, make_shop: MakeShop
) -> None:
    order, number = await mailed(api, database, shop, buyer), waybill()
    by_hand = await api.post(f"{ORDERS}/{order['id']}/pick-up", json={}, headers=shop)
    assert (by_hand.status_code, slug(by_hand)) == (409, "parcel-needed")
    assert (await send(api, await make_shop(), order, number)).status_code == 404
    await backdate(database, order, departs_at=clock.now() + timedelta(hours=1))
    early = await send(api, shop, order, number)
    assert (early.status_code, slug(early)) == (409, "not-departed-yet")
    assert (await allowance(api, buyer))[:2] == (0, 100_000)
    await backdate(database, order, departs_at=clock.now() - timedelta(hours=1))
    assert (await send(api, shop, order, number)).status_code == 201
    again = await send(api, shop, order, waybill())
    assert (again.status_code, slug(again)) == (409, "sent-already")
    other = await mailed(api, database, shop, buyer)
    taken = await send(api, shop, other, number)
    assert (taken.status_code, slug(taken)) == (409, "sent-already")
    await api.post(f"{ORDERS}/{other['id']}/refund", json={}, headers=shop)
    over = await send(api, shop, other, waybill())
    assert (over.status_code, slug(over)) == (409, "order-over")
    ordinary = await sell(api, shop, buyer)
    wrong = await send(api, shop, ordinary, waybill())
    assert (wrong.status_code, slug(wrong)) == (409, "not-by-mail")
    malformed = await send(api, shop, other, "单号 1")
    assert malformed.status_code == 400
