"""The operator's campaigns: made, opened, paused, closed, and never a stock under what was claimed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from haiyiban import clock
from tests import builders
from tests.people import slug
from tests.zones.duty_free.conftest import MakeBuyer, MakeShop
from tests.zones.duty_free.wallet import Buyer, Headers, verifier_id

DESK = "/zones/duty-free/desk/campaigns"
CAMPAIGNS = "/zones/duty-free/campaigns"


@pytest.fixture
async def operator(api: httpx.AsyncClient) -> Headers:
    """An operator."""
    return await builders.staff(api, role="operator")


def body(**changes: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "code": f"c-{uuid4().hex[:12]}",
        "name": "测试消费券",
        "nameEn": "A voucher of the tests",
        "opensAt": (now - timedelta(hours=1)).isoformat(),
        "closesAt": (now + timedelta(days=1)).isoformat(),
        "faceFen": 20_000,
        "thresholdFen": 200_000,
        "stock": 5,
        "validHours": 72,
    } | changes


async def made(api: httpx.AsyncClient, operator: Headers, **changes: Any) -> dict[str, Any]:
    answer = await api.post(DESK, json=body(**changes), headers=operator)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def opened(api: httpx.AsyncClient, operator: Headers, shop: Headers, **changes: Any) -> str:
    campaign = await made(api, operator, shops=[str(verifier_id(shop))], **changes)
    answer = await api.post(f"{DESK}/{campaign['id']}/opening", headers=operator)
    assert (answer.status_code, answer.json()["state"]) == (200, "open"), answer.text
    return str(campaign["id"])


async def claim(api: httpx.AsyncClient, buyer: Buyer, campaign: str) -> httpx.Response:
    return await api.post(f"{CAMPAIGNS}/{campaign}/claims", headers=buyer.headers)


async def test_a_draft_is_seen_by_nobody_and_an_open_campaign_by_everybody(
    api: httpx.AsyncClient, operator: Headers, shop: Headers, buyer: Buyer
) -> None:
    draft = await made(api, operator)
    assert (draft["state"], draft["claimed"], draft["shops"]) == ("draft", 0, [])
    listed = {each["id"]: each for each in (await api.get(CAMPAIGNS)).json()["items"]}
    assert draft["id"] not in listed
    assert (await claim(api, buyer, draft["id"])).status_code == 404
    early = await api.post(f"{DESK}/{draft['id']}/opening", headers=operator)
    assert (early.status_code, slug(early)) == (422, "campaign-refused")
    assert early.json()["errors"][0]["pointer"] == "/shops"
    campaign = await opened(api, operator, shop, minLevel="L3", forVisitors=False)
    seen = {each["id"]: each for each in (await api.get(CAMPAIGNS)).json()["items"]}[campaign]
    assert (seen["isOpen"], seen["forVisitors"], len(seen["shops"])) == (True, False, 1)
    assert (await claim(api, buyer, campaign)).status_code == 201
    at_desk = (await api.get(f"{DESK}/{campaign}", headers=operator)).json()
    assert (at_desk["claimed"], at_desk["claimedToday"]) == (1, 1)


async def test_pausing_stops_claims_and_opening_lets_them_go_on(
    api: httpx.AsyncClient, operator: Headers, shop: Headers, buyer: Buyer
) -> None:
    campaign = await opened(api, operator, shop)
    for _ in range(2):
        paused = await api.post(f"{DESK}/{campaign}/pause", headers=operator)
        assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    assert slug(await claim(api, buyer, campaign)) == "not-open"
    assert (await api.post(f"{DESK}/{campaign}/opening", headers=operator)).status_code == 200
    assert (await claim(api, buyer, campaign)).status_code == 201
    await api.post(f"{DESK}/{campaign}/closure", headers=operator)
    again = await api.post(f"{DESK}/{campaign}/opening", headers=operator)
    assert (again.status_code, slug(again), again.json()["state"]) == (
        409,
        "wrong-campaign-state",
        "closed",
    )
    late = await api.patch(f"{DESK}/{campaign}", json={"stock": 9}, headers=operator)
    assert (late.status_code, slug(late)) == (409, "terms-fixed")


async def test_a_stock_is_never_less_than_what_was_claimed(
    api: httpx.AsyncClient, operator: Headers, shop: Headers, make_buyer: MakeBuyer
) -> None:
    campaign = await opened(api, operator, shop, stock=2, stockPerDay=2)
    for buyer in [await make_buyer() for _ in range(2)]:
        assert (await claim(api, buyer, campaign)).status_code == 201
    for change, pointer in (({"stock": 1}, "/stock"), ({"stockPerDay": 1}, "/stockPerDay")):
        refused = await api.patch(f"{DESK}/{campaign}", json=change, headers=operator)
        assert (refused.status_code, slug(refused)) == (422, "stock-below-claimed")
        assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]
    more = await api.patch(f"{DESK}/{campaign}", json={"stock": 3, "stockPerDay": None}, headers=operator)
    assert (more.json()["stock"], more.json()["claimed"], more.json()["stockPerDay"]) == (3, 2, None)
    assert (await claim(api, await make_buyer(), campaign)).status_code == 201
    just = await api.patch(f"{DESK}/{campaign}", json={"stock": 3}, headers=operator)
    assert (just.status_code, just.json()["claimed"]) == (200, 3)


async def test_terms_of_vouchers_that_are_out_stay_as_they_are(
    api: httpx.AsyncClient, operator: Headers, shop: Headers
) -> None:
    draft = await made(api, operator)
    free = await api.patch(f"{DESK}/{draft['id']}", json={"faceFen": 10_000}, headers=operator)
    assert (free.status_code, free.json()["faceFen"]) == (200, 10_000)
    campaign = await opened(api, operator, shop)
    fixed = await api.patch(
        f"{DESK}/{campaign}", json={"faceFen": 1, "minLevel": "L2", "name": "改名"}, headers=operator
    )
    assert (fixed.status_code, slug(fixed)) == (409, "terms-fixed")
    assert [each["pointer"] for each in fixed.json()["errors"]] == ["/faceFen", "/minLevel"]
    no_shop = await api.patch(f"{DESK}/{campaign}", json={"shops": []}, headers=operator)
    assert (no_shop.status_code, slug(no_shop)) == (422, "campaign-refused")
    renamed = await api.patch(f"{DESK}/{campaign}", json={"name": "改名"}, headers=operator)
    assert (renamed.status_code, renamed.json()["name"]) == (200, "改名")


async def test_everything_that_is_wrong_with_a_campaign_is_said_at_once(
    api: httpx.AsyncClient, operator: Headers, make_shop: MakeShop
) -> None:
    now = clock.now()
    wrong = body(
        closesAt=(now - timedelta(days=1)).isoformat(), faceFen=200_001, stockPerDay=6, perPersonPerDay=2
    )
    refused = await api.post(DESK, json=wrong, headers=operator)
    assert (refused.status_code, slug(refused)) == (422, "campaign-refused")
    assert [each["pointer"] for each in refused.json()["errors"]] == [
        "/closesAt",
        "/faceFen",
        "/stockPerDay",
        "/perPersonPerDay",
    ]
    gate, shop = [str(verifier_id(await make_shop(*purposes))) for purposes in (("gate",), ())]
    refused = await api.post(DESK, json=body(shops=[gate, shop, shop]), headers=operator)
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/shops/0", "/shops/2"]
    first = body()
    assert (await api.post(DESK, json=first, headers=operator)).status_code == 201
    twice = await api.post(DESK, json=first, headers=operator)
    assert (twice.status_code, slug(twice)) == (409, "campaign-exists")
    for change in (
        {"code": "No!"},
        {"faceFen": 0},
        {"minLevel": "L1"},
        {"opensAt": "2026-01-01T00:00:00"},
    ):
        assert (await api.post(DESK, json=body(**change), headers=operator)).status_code == 400


async def test_campaigns_are_the_operators_alone(
    api: httpx.AsyncClient, operator: Headers, buyer: Buyer, shop: Headers
) -> None:
    draft = await made(api, operator)
    clerk = await builders.staff(api, role="clerk")
    for headers, status in ((clerk, 403), (buyer.headers, 403), (shop, 403), ({}, 401)):
        assert (await api.get(DESK, headers=headers)).status_code == status
        assert (await api.post(f"{DESK}/{draft['id']}/opening", headers=headers)).status_code == status
    assert (await api.get(f"{DESK}/{uuid4()}", headers=operator)).status_code == 404
    first = (await api.get(DESK, params={"limit": 1}, headers=operator)).json()
    second = (await api.get(DESK, params={"limit": 1, "cursor": first["next"]}, headers=operator)).json()
    assert first["items"][0]["id"] != second["items"][0]["id"]


async def test_with_four_eyes_opening_takes_another_person_who_saw_what_is_given_out(
    api: httpx.AsyncClient, operator: Headers, shop: Headers, buyer: Buyer
) -> None:
    another = await builders.staff(api, role="operator")
    draft = await made(api, operator, shops=[str(verifier_id(shop))], fourEyes=True)
    at = f"{DESK}/{draft['id']}"
    for _ in range(2):
        asked = await api.post(f"{at}/opening", headers=operator)
        assert (asked.status_code, asked.json()["state"]) == (202, "draft"), asked.text
        assert asked.json()["openingAwaitsSecondPerson"]
    assert (await claim(api, buyer, draft["id"])).status_code == 404
    changed = await api.patch(at, json={"stock": 50_000}, headers=operator)
    assert not changed.json()["openingAwaitsSecondPerson"], "nobody has seen this stock but who changed it"
    assert (await api.post(f"{at}/opening", headers=operator)).status_code == 202
    opened = await api.post(f"{at}/opening", headers=another)
    assert (opened.status_code, opened.json()["state"]) == (200, "open")
    assert not opened.json()["openingAwaitsSecondPerson"]
    assert (await claim(api, buyer, draft["id"])).status_code == 201


async def test_with_four_eyes_what_is_given_out_is_changed_in_a_pause(
    api: httpx.AsyncClient, operator: Headers, shop: Headers
) -> None:
    another = await builders.staff(api, role="operator")
    draft = await made(api, operator, shops=[str(verifier_id(shop))], fourEyes=True)
    at = f"{DESK}/{draft['id']}"
    for headers in (operator, another):
        await api.post(f"{at}/opening", headers=headers)
    early = await api.patch(at, json={"stock": 9, "name": "改名"}, headers=operator)
    assert (early.status_code, slug(early)) == (409, "pause-first")
    assert [each["pointer"] for each in early.json()["errors"]] == ["/stock"]
    assert (await api.patch(at, json={"name": "改名"}, headers=operator)).status_code == 200
    assert (await api.post(f"{at}/pause", headers=operator)).status_code == 200
    assert (await api.patch(at, json={"stock": 9}, headers=operator)).json()["stock"] == 9
    assert (await api.post(f"{at}/opening", headers=operator)).status_code == 202
    again = await api.post(f"{at}/opening", headers=another)
    assert (again.status_code, again.json()["state"], again.json()["stock"]) == (200, "open", 9)


async def test_a_deployment_may_ask_for_four_eyes_of_every_campaign(
    api: httpx.AsyncClient, operator: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not (await made(api, operator))["fourEyes"]
    monkeypatch.setenv("HAIYIBAN_FOUR_EYES", "1")
    assert (await made(api, operator))["fourEyes"]
