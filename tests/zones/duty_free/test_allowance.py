"""The allowance over HTTP: reserved at order, consumed at pick-up, released on refund or no-show.

Source: docs/domain.md §8.2.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from services.duty_free.allowance.models import Order, Year
from services.duty_free.allowance.tasks import release_no_shows
from tests.people import Resident, Visitor, sign_in, slug
from tests.phone import Phone, base64url
from tests.zones.duty_free.conftest import (
    ORDERS,
    Buyer,
    Headers,
    MakeBuyer,
    MakeShop,
    allowance,
    backdate,
    body,
    identity_code,
    line,
    sell,
)

QUOTA = 10_000_000
ALLOWANCE = "/zones/duty-free/allowance"


async def test_a_newcomer_has_the_whole_quota_by_rules_that_say_who_says_so(
    api: httpx.AsyncClient, buyer: Buyer
) -> None:
    answer = (await api.get(ALLOWANCE, headers=buyer.headers)).json()
    assert (answer["quotaFen"], answer["usedFen"], answer["reservedFen"]) == (QUOTA, 0, 0)
    assert (answer["remainingFen"], answer["eligible"]) == (QUOTA, "yes")
    assert answer["year"] == clock.today().year
    rule = answer["rule"]
    assert (rule["from"], rule["minimumAge"], rule["confidence"]) == ("2025-11-01", 18, "seen")
    assert "2025年第9号" in rule["source"]
    assert {each["mode"] for each in rule["pickUp"]} == {
        "isolation_area",
        "airport_shop",
        "mail",
        "on_return",
        "guaranteed",
        "immediate",
    }
    assert {"category": 5, "name": "化妆品", "most": 30, "unit": "pieces"} in rule["perTrip"]
    assert [each["figure"] for each in rule["unset"]] == [
        "pickUp.immediate.perItemLimits",
        "pickUp.immediate.categories",
    ]
    english = await api.get(ALLOWANCE, headers=buyer.headers | {"Accept-Language": "en"})
    assert "not found" in english.json()["rule"]["unset"][0]["message"]


async def test_the_allowance_is_shown_to_nobody_below_l3(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, shop: Headers
) -> None:
    assert (await api.get(ALLOWANCE)).status_code == 401
    assert (await api.get(ALLOWANCE, headers=shop)).status_code == 403
    low = await sign_in(api, sandbox, Resident().phone)
    answer = await api.get(ALLOWANCE, headers=low.headers)
    assert (answer.status_code, slug(answer)) == (403, "step-up-needed")


async def test_an_order_reserves_a_pick_up_consumes_and_a_refund_releases(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, database: Database
) -> None:
    first = await sell(api, shop, buyer, line(price=600_000))
    assert (first["state"], first["freeFen"], first["excessFen"], first["taxFen"]) == (
        "reserved",
        600_000,
        0,
        0,
    )
    assert await allowance(api, buyer) == (0, 600_000, QUOTA - 600_000)
    for _ in range(2):  # a second click changes nothing
        answer = await api.post(f"{ORDERS}/{first['id']}/pick-up", json={}, headers=shop)
        assert (answer.status_code, answer.json()["state"]) == (200, "picked_up")
        assert await allowance(api, buyer) == (600_000, 0, QUOTA - 600_000)
    second = await sell(api, shop, buyer, line(price=400_000))
    for _ in range(2):
        answer = await api.post(f"{ORDERS}/{second['id']}/refund", json={}, headers=shop)
        assert (answer.status_code, answer.json()["state"]) == (200, "refunded")
        assert await allowance(api, buyer) == (600_000, 0, QUOTA - 600_000)
    over = await api.post(f"{ORDERS}/{second['id']}/pick-up", json={}, headers=shop)
    assert (over.status_code, slug(over), over.json()["state"]) == (409, "order-over", "refunded")
    await api.post(f"{ORDERS}/{first['id']}/refund", json={}, headers=shop)
    assert await allowance(api, buyer) == (0, 0, QUOTA)
    listed = (await api.get(ORDERS, headers=buyer.headers)).json()
    assert [order["state"] for order in listed["items"]] == ["refunded", "refunded"]
    async with database.reading() as session:
        actions = await session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.object_id == UUID(first["id"]))
            .order_by(AuditRecord.id)
        )
        assert actions.all() == ["duty-free.order", "duty-free.pick-up", "duty-free.refund"]


async def test_my_orders_come_by_pages_and_are_mine_alone(
    api: httpx.AsyncClient, buyer: Buyer, make_buyer: MakeBuyer, shop: Headers
) -> None:
    made = [(await sell(api, shop, buyer))["id"] for _ in range(3)]
    first = (await api.get(ORDERS, params={"limit": 2}, headers=buyer.headers)).json()
    rest = (await api.get(ORDERS, params={"limit": 2, "cursor": first["next"]}, headers=buyer.headers)).json()
    assert [order["id"] for order in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    other = await make_buyer()
    assert (await api.get(ORDERS, headers=other.headers)).json() == {"items": [], "next": None}
    assert (await api.get(ORDERS, params={"cursor": "?"}, headers=buyer.headers)).status_code == 400


async def test_what_lies_over_the_quota_is_taxed_or_refused_as_the_shop_says(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers
) -> None:
    """§8.2 no. 4."""
    await sell(api, shop, buyer, line(price=9_600_000))
    text = await identity_code(api, buyer)
    wanted = body(text, line(8, price=650_000, taxClass=2), excess="refuse")
    answer = await api.post(ORDERS, json=wanted, headers=shop)
    assert (answer.status_code, slug(answer)) == (422, "over-allowance")
    assert (answer.json()["freeFen"], answer.json()["excessFen"]) == (400_000, 250_000)
    order = await sell(api, shop, buyer, line(8, price=650_000, taxClass=2))
    assert (order["freeFen"], order["excessFen"], order["taxFen"]) == (400_000, 250_000, 50_000)
    nothing_left = await sell(api, shop, buyer, line(price=100))
    assert (nothing_left["freeFen"], nothing_left["excessFen"], nothing_left["taxFen"]) == (0, 100, None)
    assert await allowance(api, buyer) == (0, QUOTA, 0)


async def test_orders_of_one_journey_share_its_limits_and_another_journey_has_its_own(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, make_shop: MakeShop
) -> None:
    first = await sell(api, shop, buyer, line(5, 28))
    assert first["lines"][0]["freePieces"] == 28
    elsewhere = await make_shop()
    second = await sell(api, elsewhere, buyer, line(5, 4), departure={"number": "hu7182"})
    assert second["lines"][0]["freePieces"] == 2
    later = {"departsAt": (clock.now() + timedelta(days=20)).isoformat()}
    assert (await sell(api, shop, buyer, line(5, 4), departure=later))["lines"][0]["freePieces"] == 4
    await api.post(f"{ORDERS}/{first['id']}/refund", json={}, headers=shop)
    third = await sell(api, shop, buyer, line(5, 30))
    assert third["lines"][0]["freePieces"] == 28


async def test_two_orders_at_once_never_pass_the_quota_or_a_limit(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, make_shop: MakeShop, database: Database
) -> None:
    shops = [shop, await make_shop()]
    texts = [await identity_code(api, buyer) for _ in range(8)]
    answers = await asyncio.gather(
        *(
            api.post(ORDERS, json=body(text, line(5, 6, 300_000)), headers=shops[at % 2])
            for at, text in enumerate(texts)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 8}
    assert sum(answer.json()["freeFen"] for answer in answers) == 30 * 300_000
    assert sum(answer.json()["lines"][0]["freePieces"] for answer in answers) == 30
    texts = [await identity_code(api, buyer) for _ in range(4)]
    answers = await asyncio.gather(
        *(api.post(ORDERS, json=body(text, line(price=900_000)), headers=shop) for text in texts)
    )
    assert sum(answer.json()["freeFen"] for answer in answers) == QUOTA - 30 * 300_000
    assert await allowance(api, buyer) == (0, QUOTA, 0)
    await books_balance(database)


async def test_pick_up_and_refund_at_once_leave_the_books_balanced(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, database: Database
) -> None:
    order = await sell(api, shop, buyer, line(price=500_000))
    verbs = ["pick-up", "refund", "pick-up", "refund"]
    answers = await asyncio.gather(
        *(api.post(f"{ORDERS}/{order['id']}/{verb}", json={}, headers=shop) for verb in verbs)
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await allowance(api, buyer) == (0, 0, QUOTA)
    await books_balance(database)


async def test_goods_that_nobody_fetched_release_the_quota_and_the_task_may_run_twice(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, database: Database
) -> None:
    late, waiting, fetched = [await sell(api, shop, buyer) for _ in range(3)]
    await api.post(f"{ORDERS}/{fetched['id']}/pick-up", json={}, headers=shop)
    yesterday = clock.today() - timedelta(days=1)
    await backdate(database, late, collect_by=yesterday)
    await backdate(database, fetched, collect_by=yesterday)
    await backdate(database, waiting, collect_by=clock.today())
    await release_no_shows(b"")
    await release_no_shows(b"")
    states = {
        each: (await api.get(f"{ORDERS}/{order['id']}", headers=shop)).json()["state"]
        for each, order in {"late": late, "waiting": waiting, "fetched": fetched}.items()
    }
    assert states == {"late": "no_show", "waiting": "reserved", "fetched": "picked_up"}
    assert await allowance(api, buyer) == (100_000, 100_000, QUOTA - 200_000)
    refund = await api.post(f"{ORDERS}/{late['id']}/refund", json={}, headers=shop)
    assert (refund.status_code, slug(refund)) == (409, "order-over")


@pytest.mark.parametrize(
    ("mode", "category", "price"), [("immediate", 5, 1_999_999), ("guaranteed", 3, 5_000_000)]
)
async def test_goods_taken_at_once_are_consumed_at_once_and_say_when_to_leave(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, mode: str, category: int, price: int
) -> None:
    order = await sell(api, shop, buyer, line(category, price=price), pickUp=mode)
    assert (order["state"], order["collectBy"]) == ("picked_up", None)
    assert order["leaveBy"] == (clock.today() + timedelta(days=30)).isoformat()
    assert await allowance(api, buyer) == (price, 0, QUOTA - price)


async def test_the_year_is_the_one_of_purchase(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, database: Database
) -> None:
    """Asia/Shanghai; last year's orders use nothing of this year's quota."""
    order = await sell(api, shop, buyer, line(price=9_000_000))
    async with database.transaction() as session:
        kept = await session.get_one(Order, UUID(order["id"]))
        year = await session.get_one(Year, (kept.person_id, kept.year))
        kept.year = year.year = kept.year - 1
    assert await allowance(api, buyer) == (0, 0, QUOTA)
    answer = await api.post(f"{ORDERS}/{order['id']}/refund", json={}, headers=shop)
    assert answer.status_code == 200
    await books_balance(database)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"pickUp": "mail"}, ["delivery-missing"]),
        ({"departure": {"to": "460200"}}, ["not-leaving-the-island"]),
        ({"departure": {"to": "JPN"}, "pickUp": "on_return"}, ["leaving-the-country"]),
        ({"departure": {"departsAt": "2026-01-01T00:00:00Z"}}, ["departed-already"]),
        ({"lines": [line(48), line(45)]}, ["category-not-offered", "millilitres-missing"]),
        ({"lines": [line(3)], "pickUp": "immediate"}, ["not-confirmed-for-this-way"]),
    ],
)
async def test_an_order_against_the_rules_is_refused_before_the_code_is_used(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, changes: dict[str, Any], reasons: list[str]
) -> None:
    text = await identity_code(api, buyer)
    answer = await api.post(ORDERS, json=body(text, **changes), headers=shop)
    assert (answer.status_code, slug(answer)) == (422, "order-refused")
    assert answer.json()["reasons"] == reasons
    assert all(error["pointer"].startswith("/") for error in answer.json()["errors"])
    assert (await api.post(ORDERS, json=body(text), headers=shop)).status_code == 201


async def test_mailed_goods_go_to_the_buyer_alone(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers
) -> None:
    """§8.2 no. 11."""
    delivery = {"division": "110105", "recipient": "苏范例", "payer": buyer.person.name}
    text = await identity_code(api, buyer)
    answer = await api.post(ORDERS, json=body(text, pickUp="mail", delivery=delivery), headers=shop)
    assert answer.json()["reasons"] == ["recipient-is-another"]
    assert buyer.person.name not in answer.text


async def test_a_buyer_under_age_is_refused(
    api: httpx.AsyncClient, make_buyer: MakeBuyer, shop: Headers
) -> None:
    """§8.2 no. 1, by the birth date that the exit-entry register told."""
    today = clock.today()
    young = await make_buyer(Visitor(), birthDate=today.replace(year=today.year - 17, day=1).isoformat())
    answer = await api.get(ALLOWANCE, headers=young.headers)
    assert (answer.json()["eligible"], answer.json()["reasons"][0]["met"]) == ("no", "no")
    refused = await api.post(ORDERS, json=body(await identity_code(api, young)), headers=shop)
    assert (refused.status_code, refused.json()["reasons"]) == (422, ["too-young"])


async def test_a_visitor_buys_as_anybody_and_cannot_pick_up_on_return(
    api: httpx.AsyncClient, make_buyer: MakeBuyer, shop: Headers
) -> None:
    visitor = await make_buyer(Visitor())
    assert (await sell(api, shop, visitor))["state"] == "reserved"
    wanted = body(await identity_code(api, visitor), pickUp="on_return")
    answer = await api.post(ORDERS, json=wanted, headers=shop)
    assert (answer.status_code, answer.json()["reasons"]) == (422, ["not-a-resident"])


async def test_registers_that_cannot_say_who_lives_here_stop_the_order_and_not_the_buyer(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, make_buyer: MakeBuyer, shop: Headers
) -> None:
    hukou = {"address": "北京市朝阳区示范街道1号", "division": "110105", "since": "2010-01-01"}
    buyer = await make_buyer(hukou=hukou, division="110105")
    await sandbox.post("/faults", json={"register": "residence_permit", "mode": "error"})
    wanted = body(await identity_code(api, buyer), pickUp="on_return")
    answer = await api.post(ORDERS, json=wanted, headers=shop)
    assert (answer.status_code, slug(answer)) == (503, "register-unavailable")
    assert await allowance(api, buyer) == (0, 0, QUOTA)


async def test_a_code_that_is_no_good_sells_nothing(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, make_shop: MakeShop
) -> None:
    text = await identity_code(api, buyer)
    assert (await api.post(ORDERS, json=body(text), headers=shop)).status_code == 201
    for wrong, by, outcome in (
        (text, shop, "already_used"),
        ("HYB1:?", shop, "malformed"),
        (await identity_code(api, buyer), await make_shop("shop"), "not_entitled"),
    ):
        answer = await api.post(ORDERS, json=body(wrong), headers=by)
        assert (answer.status_code, slug(answer)) == (422, "code-refused")
        assert answer.json()["outcome"] == outcome
        assert answer.json()["errors"][0]["pointer"] == "/text"
    assert await allowance(api, buyer) == (0, 100_000, QUOTA - 100_000)


async def test_a_code_that_a_phone_drew_counts_over_the_counters_challenge_alone(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers
) -> None:
    phone = Phone(api, buyer.headers, buyer.account_id)
    await phone.bind(kind="identity")
    now = int(clock.now().timestamp())
    answer = await api.post(ORDERS, json=body(phone.show(now)), headers=shop)
    assert answer.json()["outcome"] == "not_entitled"
    challenge = b"12345678"
    shown = phone.show(now, challenge=challenge)
    wanted = body(shown, challenge=base64url(challenge))
    assert (await api.post(ORDERS, json=wanted, headers=shop)).status_code == 201


async def test_an_order_number_belongs_to_one_order_of_a_shop(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, make_shop: MakeShop
) -> None:
    order = await sell(api, shop, buyer)
    texts = [await identity_code(api, buyer) for _ in range(3)]
    again = body(texts[0], orderNumber=order["orderNumber"])
    answer = await api.post(ORDERS, json=again, headers=shop)
    assert (answer.status_code, slug(answer)) == (409, "order-exists")
    assert (await api.post(ORDERS, json=again, headers=await make_shop())).status_code == 201
    twice = body(texts[1], orderNumber="A-1"), body(texts[2], orderNumber="A-1")
    answers = await asyncio.gather(*(api.post(ORDERS, json=one, headers=shop) for one in twice))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_the_same_request_under_the_same_key_is_one_order(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers
) -> None:
    wanted = body(await identity_code(api, buyer))
    keyed = shop | {"Idempotency-Key": "order-1"}
    first, second = [await api.post(ORDERS, json=wanted, headers=keyed) for _ in range(2)]
    assert (first.status_code, second.text) == (201, first.text)
    assert await allowance(api, buyer) == (0, 100_000, QUOTA - 100_000)


async def test_an_order_is_its_own_shops_and_nobody_elses(
    api: httpx.AsyncClient, buyer: Buyer, shop: Headers, make_shop: MakeShop
) -> None:
    order = await sell(api, shop, buyer)
    other = await make_shop()
    at = f"{ORDERS}/{order['id']}"
    for by, status in ((other, 404), (buyer.headers, 403), ({}, 401)):
        assert (await api.get(at, headers=by)).status_code == status
        for verb in ("pick-up", "refund"):
            assert (await api.post(f"{at}/{verb}", json={}, headers=by)).status_code == status
    assert (await api.post(ORDERS, json=body("?"))).status_code == 401
    assert (await api.post(ORDERS, json=body("?"), headers=buyer.headers)).status_code == 403
    assert (await api.get(at, headers=shop)).json()["state"] == "reserved"


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": []},
        {"lines": [line(quantity=0)]},
        {"lines": [line(price=-1)]},
        {"lines": [line(price=10**12)]},
        {"pickUp": "drone"},
        {"departure": {"departsAt": "2027-01-01T00:00:00"}},
        {"orderNumber": ""},
        {"colour": "red"},
    ],
)
async def test_a_malformed_order_is_refused_and_names_the_place(
    api: httpx.AsyncClient, shop: Headers, changes: dict[str, Any]
) -> None:
    answer = await api.post(ORDERS, json=body("HYB1:?", **changes), headers=shop)
    assert (answer.status_code, slug(answer)) == (400, "malformed")


async def books_balance(database: Database) -> None:
    """Over everybody: the quota's ledger and the orders agree, to the fen."""
    async with database.reading() as session:
        for state, column in (("reserved", Year.reserved_fen), ("picked_up", Year.consumed_fen)):
            of_orders = await session.scalar(
                select(func.coalesce(func.sum(Order.free_fen), 0)).where(Order.state == state)
            )
            of_years = await session.scalar(select(func.coalesce(func.sum(column), 0)))
            assert of_orders == of_years, state
