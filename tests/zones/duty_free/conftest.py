"""Shops that sell free of duty, buyers who show their codes, and orders."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from services.duty_free.allowance.models import Order
from tests.people import Resident, at_level_three
from tests.zones.duty_free.wallet import Buyer, Headers, Wallet

ORDERS = "/zones/duty-free/orders"
CHECKS = "/zones/duty-free/pickup-checks"


MakeShop = Callable[..., Awaitable[Headers]]
MakeBuyer = Callable[..., Awaitable[Buyer]]


@pytest.fixture
def make_shop(api: httpx.AsyncClient, database: Database) -> MakeShop:
    """Accredits a shop and signs it in."""

    async def made(*purposes: str) -> Headers:
        secret = verifiers.new_secret()
        async with database.transaction() as session:
            verifier = await verifiers.accredit(
                session,
                Words(f"测试免税店 {uuid4().hex[:8]}", "A duty-free shop of the tests"),
                unit="commerce",
                purposes=purposes or ("shop", "duty-free-order"),
                now=clock.now(),
            )
            await verifiers.add_client(session, verifier, secret, now=clock.now())
        answer = await api.post(
            "/auth/verifiers/token",
            json={"clientId": secret.client_id, "clientSecret": secret.client_secret},
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    return made


@pytest.fixture
async def shop(make_shop: MakeShop) -> Headers:
    """A shop."""
    return await make_shop()


@pytest.fixture
def make_buyer(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> MakeBuyer:
    """Signs somebody in at L3; a resident of Haikou unless a person is given."""

    async def made(person: Resident | None = None, **facts: Any) -> Buyer:
        known = await (person or Resident()).register(sandbox, **facts)
        _, session = await at_level_three(api, sandbox, known)
        return Buyer(known, session.headers, UUID(session.answer["accountId"]), session.answer["deviceToken"])

    return made


@pytest.fixture
async def buyer(make_buyer: MakeBuyer) -> Buyer:
    """A buyer."""
    return await make_buyer()


async def identity_code(api: httpx.AsyncClient, buyer: Buyer) -> str:
    """A fresh identity code of a buyer."""
    answer = await api.post("/codes", json={"kind": "identity"}, headers=buyer.headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["text"])


def line(category: int = 17, quantity: int = 1, price: int = 100_000, **more: int) -> dict[str, int]:
    """One line of a basket."""
    return {"category": category, "quantity": quantity, "unitPriceFen": price} | more


def body(text: str, *lines: dict[str, int], **changes: Any) -> dict[str, Any]:
    """An order, to be picked up behind security before the day after tomorrow's flight."""
    departure = {
        "departsAt": (clock.now() + timedelta(days=2)).isoformat(),
        "mode": "flight",
        "number": "HU7182",
        "from": "460100",
        "to": "110000",
    }
    return {
        "text": text,
        "orderNumber": secrets.token_hex(8),
        "pickUp": "isolation_area",
        "departure": departure | changes.pop("departure", {}),
        "lines": list(lines) or [line()],
    } | changes


async def sell(
    api: httpx.AsyncClient, shop: Headers, buyer: Buyer, *lines: dict[str, int], **changes: Any
) -> dict[str, Any]:
    """Register an order that must be taken."""
    answer = await api.post(
        ORDERS, json=body(await identity_code(api, buyer), *lines, **changes), headers=shop
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def allowance(api: httpx.AsyncClient, buyer: Buyer) -> tuple[int, int, int]:
    """What is used, reserved and left, in fen."""
    answer = await api.get("/zones/duty-free/allowance", headers=buyer.headers)
    assert answer.status_code == 200, answer.text
    read = answer.json()
    return read["usedFen"], read["reservedFen"], read["remainingFen"]


async def backdate(database: Database, order: dict[str, Any], **values: Any) -> None:
    """Let an order have been made another day."""
    async with database.transaction() as session:
        await session.execute(update(Order).where(Order.id == UUID(order["id"])).values(**values))


@pytest.fixture
async def wallet(api: httpx.AsyncClient, database: Database, buyer: Buyer, shop: Headers) -> Wallet:
    """A buyer with vouchers for a shop."""
    return Wallet(api, database, buyer, shop)
