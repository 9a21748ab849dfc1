"""What a family does free of duty, as part of the flow that the contracts on audit and storage look at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import jwt
from sqlalchemy import update

from haiyiban import clock
from haiyiban.db import database
from haiyiban.ids import new_id
from services.duty_free.allowance.models import Order
from services.duty_free.parcels.models import Parcel
from services.duty_free.vouchers.models import Campaign, Voucher
from services.duty_free.vouchers.redeeming import entry_of
from services.duty_free.vouchers.settlement_models import Redemption

if TYPE_CHECKING:
    from tests.contracts.flow import Flow, Headers

ORDERS = "/zones/duty-free/orders"
WAYBILL = "SF0000000001"


CAMPAIGN = {
    "code": "a-campaign",
    "name": "测试消费券",
    "nameEn": "A voucher of the tests",
    "opensAt": "2026-01-01T00:00:00Z",
    "closesAt": "2099-01-01T00:00:00Z",
    "faceFen": 20_000,
    "thresholdFen": 200_000,
    "stock": 10,
    "validHours": 72,
}


async def go(flow: Flow, me: Headers, shop: Headers, operator: Headers) -> None:
    """Buy, look, pick up, follow a parcel, give back."""
    await flow.step("read my allowance", "GET", "/zones/duty-free/allowance", by=me)
    order = await _buy(flow, me, shop, "buy free of duty", pickUp="isolation_area")
    at = f"{ORDERS}/{order['id']}"
    await flow.step("list my duty-free orders", "GET", ORDERS, by=me)
    await flow.step("look at an order as its shop", "GET", at, by=shop)
    await flow.step("hand the goods over", "POST", f"{at}/pick-up", by=shop)
    await flow.step("refund an order", "POST", f"{at}/refund", by=shop)
    to = {"division": "110105", "recipient": flow.parent.name, "payer": flow.parent.name}
    mailed = await _buy(flow, me, shop, "buy goods to be mailed", pickUp="mail", delivery=to)
    await _departed(mailed)
    sent = {"carrier": "demo", "number": WAYBILL[:-1] + mailed["id"][-8:]}
    await flow.step("send a parcel", "POST", f"{ORDERS}/{mailed['id']}/parcel", by=shop, expect=201, **sent)
    await flow.step("follow my parcel", "GET", f"/zones/duty-free/parcels/{sent['number']}", by=me)
    kept = await _buy(flow, me, shop, "buy for my return", pickUp="on_return")
    wanted = {"kind": "pickup", "subjectId": kept["id"]}
    code = await flow.step("show a pick-up code", "POST", "/codes", by=me, expect=201, **wanted)
    checked = await flow.step(
        "check who picks up", "POST", "/zones/duty-free/pickup-checks", by=shop, text=code["text"]
    )
    assert checked["outcome"] == "not_entitled", "nobody has travelled"
    campaign = await _campaign(flow, shop, operator)
    at = "/zones/duty-free/campaigns"
    await flow.step("list voucher campaigns", "GET", at, by=me)
    claimed = await flow.step("claim a voucher", "POST", f"{at}/{campaign}/claims", by=me, expect=201)
    await flow.step("list my vouchers", "GET", "/zones/duty-free/vouchers", by=me)
    await _spend(flow, me, shop, claimed["voucherId"])
    closed = f"/zones/duty-free/desk/campaigns/{campaign}/closure"
    await flow.step("close a campaign", "POST", closed, by=operator)


async def _campaign(flow: Flow, shop: Headers, operator: Headers) -> str:
    """A campaign from the draft to the day it opens."""
    token = jwt.decode(shop["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})
    at = "/zones/duty-free/desk/campaigns"
    body = CAMPAIGN | {"code": f"flow-{new_id().hex[-12:]}"}
    made = await flow.step("make a campaign", "POST", at, by=operator, expect=201, **body)
    one = f"{at}/{made['id']}"
    await flow.step("change a campaign", "PATCH", one, by=operator, shops=[token["sub"]], stock=20)
    await flow.step("open a campaign", "POST", f"{one}/opening", by=operator)
    await flow.step("pause a campaign", "POST", f"{one}/pause", by=operator)
    await flow.step("open it again", "POST", f"{one}/opening", by=operator)
    await flow.step("look at a campaign", "GET", one, by=operator)
    await flow.step("list campaigns at the desk", "GET", at, by=operator)
    return str(made["id"])


async def _spend(flow: Flow, me: Headers, shop: Headers, voucher: str) -> None:
    """Use a voucher, give it back, use it again and refund the goods."""
    at = "/zones/duty-free/redemptions"
    wanted = {"kind": "voucher", "subjectId": voucher}
    for step in ("", " again"):
        code = await flow.step(f"show a voucher{step}", "POST", "/codes", by=me, expect=201, **wanted)
        order = {"text": code["text"], "orderNumber": "A-1", "orderAmountFen": 200_000}
        taken = await flow.step(f"redeem a voucher{step}", "POST", at, by=shop, expect=201, **order)
        if not step:
            await flow.step("reverse a redemption", "DELETE", f"{at}/{taken['id']}", by=shop)
    goods = {"refundNumber": "R-1", "goodsFen": 200_000}
    back = f"{at}/{taken['id']}/refunds"
    await flow.step("refund goods with a voucher", "POST", back, by=shop, expect=201, **goods)
    await flow.step("read my settlement", "GET", "/zones/duty-free/settlement", by=shop)
    await flow.step("print my settlement", "GET", "/zones/duty-free/settlement.csv", by=shop)


async def open_campaign(**changes: Any) -> UUID:
    """A campaign that is open, one voucher a person unless `changes` says otherwise."""
    now, stock = clock.now(), changes.pop("stock", 1000)
    campaign = Campaign(
        id=new_id(),
        code=str(new_id()),
        name="测试消费券",
        name_en="A voucher of the tests",
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
        face_fen=20_000,
        threshold_fen=200_000,
        stock=stock,
        stock_left=stock,
        per_person=1,
        per_person_day=1,
        valid_hours=72,
        state="open",
        min_level="L3",
        for_visitors=True,
        stack_most=1,
    )
    for name, value in changes.items():
        setattr(campaign, name, value)
    async with database().transaction() as session:
        session.add(campaign)
    return campaign.id


async def _buy(flow: Flow, me: Headers, shop: Headers, step: str, **changes: Any) -> dict[str, Any]:
    answer = await flow.api.post("/codes", json={"kind": "identity"}, headers=me)
    departure = {
        "departsAt": (clock.now() + timedelta(days=2)).isoformat(),
        "mode": "flight",
        "number": "HU7182",
        "from": "460100",
        "to": "110000",
    }
    body = {
        "text": answer.json()["text"],
        "orderNumber": step,
        "departure": departure,
        "lines": [{"category": 17, "quantity": 2, "unitPriceFen": 12_300}],
    }
    order: dict[str, Any] = await flow.step(step, "POST", ORDERS, by=shop, expect=201, **(body | changes))
    return order


async def _departed(order: dict[str, Any]) -> None:
    async with database().transaction() as session:
        left = clock.now() - timedelta(hours=1)
        await session.execute(update(Order).where(Order.id == UUID(order["id"])).values(departs_at=left))


async def order_and_parcel(person_id: UUID, merchant_id: UUID) -> dict[str, str]:
    """An order with its parcel, for the doors to guard."""
    now = clock.now()
    order = Order(
        id=new_id(),
        person_id=person_id,
        merchant_id=merchant_id,
        merchant_name="测试免税店",
        order_number=f"ORDER-{new_id()}",
        purchased_at=now,
        year=now.year,
        pick_up="mail",
        state="picked_up",
        settled_at=now,
        total_fen=100,
        free_fen=0,
        excess_fen=100,
        tax_fen=None,
        rules_from=clock.today(),
        departs_at=now,
        trip_index=b"-",
        collect_by=clock.today(),
    )
    order.basket = {"lines": [], "within": [], "departure": {}}
    parcel = Parcel(
        id=new_id(), order_id=order.id, carrier="demo", number=f"SF{order.id.hex[-12:]}", sent_at=now
    )
    campaign_id = await open_campaign()
    voucher = Voucher(
        id=new_id(),
        number=str(new_id()),
        campaign_id=campaign_id,
        person_id=person_id,
        slot=1,
        request_key=new_id().bytes,
        claimed_at=now,
        day=clock.today(),
        valid_until=now + timedelta(days=1),
        face_fen=100,
        threshold_fen=100,
        state="redeemed",
    )
    redemption = Redemption(
        id=new_id(),
        voucher_id=voucher.id,
        merchant_id=merchant_id,
        order_number=order.order_number,
        order_amount_fen=100,
        face_fen=100,
        state="redeemed",
        verification_id=new_id(),
        at=now,
        day=clock.today(),
    )
    async with database().transaction() as session:
        session.add(order)
        session.add(voucher)
        await session.flush()
        session.add(parcel)
        session.add(redemption)
        await session.flush()
        session.add(entry_of(redemption, "redemption", 100, now=now))
    return {
        "order_id": str(order.id),
        "number": parcel.number,
        "campaign_id": str(campaign_id),
        "redemption_id": str(redemption.id),
    }
