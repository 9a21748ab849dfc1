"""The counter for picking up on return: code, trips and time at once. Source: docs/domain.md §8.3."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.identity.models import SignIn
from services.duty_free.pickup.models import PickupCheck
from tests.people import SignedIn, code_for, pass_face_check, slug
from tests.phone import Phone, base64url
from tests.zones.duty_free.conftest import (
    CHECKS,
    ORDERS,
    Buyer,
    Headers,
    MakeBuyer,
    MakeShop,
    allowance,
    backdate,
    sell,
)

Order = dict[str, Any]


def there_and_back() -> list[dict[str, str]]:
    """Left the island a week ago and came back three days ago."""
    return [trip("460100", "110000", days=7), trip("110000", "460100", days=3)]


def trip(origin: str, to: str, *, days: int) -> dict[str, str]:
    departed = clock.now() - timedelta(days=days)
    arrived = departed + timedelta(hours=3)
    return {
        "from": origin,
        "to": to,
        "departedAt": departed.isoformat(),
        "arrivedAt": arrived.isoformat(),
        "mode": "flight",
        "number": "HU7182",
    }


@pytest.fixture
async def traveller(make_buyer: MakeBuyer) -> Buyer:
    """Somebody who left and came back."""
    return await make_buyer(trips=there_and_back())


async def bought(api: httpx.AsyncClient, database: Database, shop: Headers, buyer: Buyer) -> Order:
    """An order for pick-up on return, made ten days ago."""
    order = await sell(api, shop, buyer, pickUp="on_return")
    await backdate(database, order, purchased_at=clock.now() - timedelta(days=10))
    return order


async def code(api: httpx.AsyncClient, buyer: Buyer, order: Order) -> str:
    answer = await api.post(
        "/codes", json={"kind": "pickup", "subjectId": order["id"]}, headers=buyer.headers
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["text"])


async def check(api: httpx.AsyncClient, shop: Headers, text: str, **more: str) -> dict[str, Any]:
    answer = await api.post(CHECKS, json={"text": text} | more, headers=shop)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def met(checked: dict[str, Any]) -> dict[str, str]:
    return {each["code"]: each["met"] for each in checked["conditions"]}


ALL_MET = {"departed": "yes", "returned": "yes", "in-time": "yes"}


async def test_all_met_hands_the_goods_over_once(
    api: httpx.AsyncClient, database: Database, shop: Headers, traveller: Buyer
) -> None:
    order = await bought(api, database, shop, traveller)
    by_hand = await api.post(f"{ORDERS}/{order['id']}/pick-up", json={}, headers=shop)
    assert (by_hand.status_code, slug(by_hand)) == (409, "pickup-check-needed")
    spare = await code(api, traveller, order)
    checked = await check(api, shop, await code(api, traveller, order))
    assert (checked["outcome"], met(checked)) == ("valid", ALL_MET)
    assert checked["order"]["state"] == "picked_up"
    assert checked["holder"]["name"] != traveller.person.name
    assert (await allowance(api, traveller))[:2] == (100_000, 0)
    again = await check(api, shop, spare)
    assert (again["outcome"], "order" in again) == ("denied", False)
    refused = await api.post(
        "/codes", json={"kind": "pickup", "subjectId": order["id"]}, headers=traveller.headers
    )
    assert (refused.status_code, slug(refused), refused.json()["state"]) == (
        409,
        "not-to-show-now",
        "picked_up",
    )
    async with database.reading() as session:
        kept = await session.scalars(
            select(PickupCheck.outcome).where(PickupCheck.order_id == UUID(order["id"]))
        )
        assert kept.all() == ["valid"]
        record = await session.scalar(
            select(AuditRecord).where(
                AuditRecord.action == "duty-free.pickup-check",
                AuditRecord.object_id == UUID(order["id"]),
            )
        )
        assert record is not None
        assert (record.outcome, record.fields) == ("valid", ["trips.trips"])
        assert record.subject is not None
    log = (await api.get("/me/access-log", headers=traveller.headers)).json()["items"]
    assert [(entry["what"], entry["outcome"], entry.get("purpose")) for entry in log[:4]] == [
        ("亮证码", "denied", "购物核销与提货"),
        ("订单", "done", None),
        ("订单", "valid", "返岛提取"),
        ("亮证码", "valid", "购物核销与提货"),
    ]


@pytest.mark.parametrize(
    ("trips", "expected"),
    [
        ([], {"departed": "no", "returned": "no", "in-time": "yes"}),
        (
            [trip("460100", "110000", days=7)],
            {"departed": "yes", "returned": "no", "in-time": "yes"},
        ),
        (
            [trip("460100", "110000", days=30), trip("110000", "460100", days=20)],
            {"departed": "no", "returned": "no", "in-time": "yes"},
        ),
    ],
)
async def test_a_condition_that_is_not_met_keeps_the_goods_and_says_which(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    shop: Headers,
    make_buyer: MakeBuyer,
    trips: list[dict[str, str]],
    expected: dict[str, str],
) -> None:
    buyer = await make_buyer(trips=trips)
    order = await bought(api, database, shop, buyer)
    checked = await check(api, shop, await code(api, buyer, order))
    assert (checked["outcome"], met(checked)) == ("not_entitled", expected)
    assert "请勿交付" in checked["advice"]
    assert (await allowance(api, buyer))[:2] == (0, 100_000)
    await buyer.person.register(sandbox, trips=there_and_back())
    assert (await check(api, shop, await code(api, buyer, order)))["outcome"] == "valid"


async def test_three_months_are_the_last_day_whole(
    api: httpx.AsyncClient, database: Database, shop: Headers, traveller: Buyer
) -> None:
    order = await bought(api, database, shop, traveller)
    today = clock.today()
    late = await code(api, traveller, order)
    await backdate(database, order, collect_by=today - timedelta(days=1))
    checked = await check(api, shop, late)
    assert checked["outcome"] == "not_entitled"
    assert met(checked) == ALL_MET | {"in-time": "no"}
    await backdate(database, order, collect_by=today)
    assert (await check(api, shop, await code(api, traveller, order)))["outcome"] == "valid"


@pytest.mark.parametrize("mode", ["error", "garbage"])
async def test_a_register_that_is_away_is_unavailable_and_never_a_yes(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    shop: Headers,
    traveller: Buyer,
    mode: str,
) -> None:
    order = await bought(api, database, shop, traveller)
    await sandbox.post("/faults", json={"register": "trips", "mode": mode})
    checked = await check(api, shop, await code(api, traveller, order))
    assert checked["outcome"] == "unavailable"
    assert met(checked) == {"departed": "unknown", "returned": "unknown", "in-time": "yes"}
    assert (await allowance(api, traveller))[:2] == (0, 100_000)
    await sandbox.post("/faults", json={"register": "trips", "mode": "off"})
    assert (await check(api, shop, await code(api, traveller, order)))["outcome"] == "valid"


async def test_a_code_works_once_and_for_the_shop_that_sold_alone(
    api: httpx.AsyncClient, database: Database, shop: Headers, traveller: Buyer, make_shop: MakeShop
) -> None:
    order = await bought(api, database, shop, traveller)
    text = await code(api, traveller, order)
    elsewhere = await check(api, await make_shop(), text)
    assert (elsewhere["outcome"], "conditions" in elsewhere) == ("not_entitled", False)
    assert (await check(api, shop, text))["outcome"] == "already_used"
    gate = await make_shop("gate")
    assert (await check(api, gate, await code(api, traveller, order)))["outcome"] == "not_entitled"
    assert (await allowance(api, traveller))[:2] == (0, 100_000)


async def test_two_counters_at_once_hand_over_once(
    api: httpx.AsyncClient, database: Database, shop: Headers, traveller: Buyer
) -> None:
    order = await bought(api, database, shop, traveller)
    texts = [await code(api, traveller, order) for _ in range(3)]
    answers = await asyncio.gather(*(check(api, shop, text) for text in [*texts, texts[0]]))
    assert Counter(answer["outcome"] for answer in answers)["valid"] == 1
    assert {answer["outcome"] for answer in answers} <= {"valid", "denied", "already_used"}
    assert (await allowance(api, traveller))[:2] == (100_000, 0)


async def test_a_code_of_another_kind_and_nonsense_are_told_apart(
    api: httpx.AsyncClient, shop: Headers, buyer: Buyer
) -> None:
    identity = await api.post("/codes", json={"kind": "identity"}, headers=buyer.headers)
    assert (await check(api, shop, identity.json()["text"]))["outcome"] == "wrong_kind"
    assert (await check(api, shop, "HYB1:?"))["outcome"] == "malformed"
    assert (await check(api, shop, "码" * 2000))["outcome"] == "malformed"
    answer = await api.post(CHECKS, json={"text": "?", "challenge": "?"}, headers=shop)
    assert (answer.status_code, slug(answer)) == (400, "malformed")
    assert (await api.post(CHECKS, json={"text": "?"})).status_code == 401
    assert (await api.post(CHECKS, json={"text": "?"}, headers=buyer.headers)).status_code == 403


async def test_a_phone_without_the_server_shows_its_code_over_the_counters_challenge(
    api: httpx.AsyncClient, database: Database, shop: Headers, traveller: Buyer
) -> None:
    order = await bought(api, database, shop, traveller)
    phone = Phone(api, traveller.headers, traveller.account_id)
    await phone.bind(kind="pickup", subjectId=order["id"])
    now = int(clock.now().timestamp())
    lent = await check(api, shop, phone.show(now))
    assert lent["outcome"] == "not_entitled"
    challenge = b"12345678"
    wanted = {"challenge": base64url(challenge)}
    other = await check(api, shop, phone.show(now, challenge=b"87654321"), **wanted)
    assert other["outcome"] == "bad_signature"
    checked = await check(api, shop, phone.show(now, challenge=challenge), **wanted)
    assert checked["outcome"] == "valid"


async def test_an_order_of_somebody_else_or_of_another_way_has_no_code(
    api: httpx.AsyncClient, database: Database, shop: Headers, traveller: Buyer, buyer: Buyer
) -> None:
    order = await bought(api, database, shop, traveller)
    ordinary = await sell(api, shop, buyer)
    for subject, status, reason in (
        (order["id"], 404, "subject-not-found"),
        (ordinary["id"], 409, "not-to-show-now"),
        (None, 422, "subject-missing"),
    ):
        wanted = {"kind": "pickup"} | ({"subjectId": subject} if subject else {})
        answer = await api.post("/codes", json=wanted, headers=buyer.headers)
        assert (answer.status_code, slug(answer)) == (status, reason)


async def test_a_code_needs_a_fresh_face(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    shop: Headers,
    make_buyer: MakeBuyer,
) -> None:
    """§8.3: face and document of the buyer. On a known phone one signs in at L3 without a new face."""
    buyer = await make_buyer(trips=there_and_back())
    order = await bought(api, database, shop, buyer)
    async with database.transaction() as session:
        await session.execute(
            update(SignIn)
            .where(SignIn.account_id == buyer.account_id)
            .values(face_at=clock.now() - timedelta(minutes=11))
        )
    sent = await code_for(api, sandbox, buyer.person.phone)
    answer = await api.post(
        "/auth/sessions",
        json={
            "method": "sms",
            "phone": buyer.person.phone,
            "code": sent,
            "deviceToken": buyer.device_token,
        },
    )
    later = SignedIn(answer.json())
    assert (await api.get("/me", headers=later.headers)).json()["assurance"] == "L3"
    wanted = {"kind": "pickup", "subjectId": order["id"]}
    answer = await api.post("/codes", json=wanted, headers=later.headers)
    assert (answer.status_code, slug(answer)) == (403, "step-up-needed")
    assert answer.json()["faceWithinSeconds"] == 600
    await pass_face_check(api, later)
    answer = await api.post("/codes", json=wanted, headers=later.headers)
    assert answer.status_code == 201, answer.text
