"""The one-time ticket: from the shell's login code to the page's session, and to nobody else's."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.identity.models import WechatTicket
from haiyiban.identity.wechat_tickets import LIFE
from tests.kernel.identity.test_wechat import from_wechat, login_code, me
from tests.people import SignedIn, slug


@pytest.fixture
def user() -> str:
    """A WeChat user of this test."""
    return f"user-{secrets.token_hex(6)}"


async def ticket_of(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str) -> str:
    answer = await api.post("/auth/wechat-tickets", json={"code": await login_code(sandbox, user)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["expiresInSeconds"] == 60
    return str(answer.json()["ticket"])


async def redeem(api: httpx.AsyncClient, ticket: str) -> httpx.Response:
    return await api.post("/auth/sessions", json={"method": "wechat-ticket", "ticket": ticket})


async def test_a_ticket_signs_in_the_user_who_asked_and_nobody_else(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    before = await me(api, await from_wechat(api, sandbox, user))
    answer = await redeem(api, await ticket_of(api, sandbox, user))
    assert answer.status_code == 201, answer.text
    now = await me(api, SignedIn(answer.json()))
    assert now["accountId"] == before["accountId"]
    other = await redeem(api, await ticket_of(api, sandbox, f"{user}-b"))
    assert other.json()["accountId"] != before["accountId"]


async def test_a_ticket_is_good_once_also_for_two_at_the_same_moment(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    ticket = await ticket_of(api, sandbox, user)
    answers = await asyncio.gather(*(redeem(api, ticket) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    again = await redeem(api, ticket)
    assert (again.status_code, slug(again)) == (422, "ticket-refused")
    assert again.json()["errors"][0]["pointer"] == "/ticket"


async def test_a_ticket_lives_a_minute(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, user: str
) -> None:
    ticket = await ticket_of(api, sandbox, user)
    async with database.transaction() as session:
        await session.execute(
            update(WechatTicket)
            .where(WechatTicket.ticket_hash == hashlib.sha256(ticket.encode()).digest())
            .values(created_at=clock.now() - LIFE - timedelta(seconds=1))
        )
    assert slug(await redeem(api, ticket)) == "ticket-refused"


async def test_a_made_up_ticket_a_login_code_and_an_old_code_get_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    for ticket in ("x", secrets.token_urlsafe(32), await login_code(sandbox, user)):
        assert slug(await redeem(api, ticket)) == "ticket-refused"
    code = await login_code(sandbox, user)
    assert (await api.post("/auth/wechat-tickets", json={"code": code})).status_code == 201
    again = await api.post("/auth/wechat-tickets", json={"code": code})
    assert slug(again) == "wechat-code-refused"


async def test_the_table_holds_nothing_that_signs_in(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, user: str
) -> None:
    ticket = await ticket_of(api, sandbox, user)
    async with database.reading() as session:
        row = await session.scalar(select(WechatTicket).order_by(WechatTicket.created_at.desc()).limit(1))
    assert row is not None
    assert ticket.encode() not in row.ticket_hash + row.wechat_index
    assert user.encode() not in row.wechat_index
