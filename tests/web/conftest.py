"""What the tests of browser programs share: Node, a Chromium, the application at an address of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp
from playwright.async_api import Browser, Page, expect

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.runtime import ports
from tests.web.browsers import PHONE, launched, watched_page
from tests.web.node import Asking, asking
from tests.zones.school_places.conftest import Headers, clerk, make_round, officer, sign_in_staff

__all__ = ["clerk", "make_round", "officer", "sign_in_staff"]


expect.set_options(timeout=15_000)  # a busy machine is no failure


@pytest.fixture(scope="session")
def second_verifier() -> Iterator[Asking]:
    """The TypeScript verifier, asked over a pipe."""
    with asking(Path(__file__).with_name("judge.mjs")) as node:
        yield node


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    async with launched() as started:
        yield started


@pytest.fixture(scope="session")
async def site(app: ASGIApp) -> AsyncIterator[str]:
    """The address of the application, served as it is in production."""
    port = ports.any_free()
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL)
    serving = asyncio.create_task(server.serve())
    await _until_open(port)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    await serving


@pytest.fixture
def expected() -> list[str]:
    """Parts of what a page may complain of in this test: a browser tells of every refused request."""
    return []


@pytest.fixture
async def page(browser: Browser, expected: list[str], request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A fresh phone-sized page; the test fails on anything the page complains of or asks of another host.

    Opened anew without a network only where the test is marked `service_worker`.
    """
    workers = "allow" if request.node.get_closest_marker("service_worker") else "block"
    async with watched_page(browser, expected, viewport=PHONE, service_workers=workers) as opened:
        yield opened


@pytest.fixture
async def gate_secret(database: Database) -> verifiers.ClientSecret:
    """A verifier accredited for gates."""
    secret = verifiers.new_secret()
    async with database.transaction() as session:
        verifier = await verifiers.accredit(
            session,
            Words(f"测试门岗 {uuid4().hex[:8]}", "A gate of the tests"),
            unit="education",
            purposes=["gate"],
            now=clock.now(),
        )
        await verifiers.add_client(session, verifier, secret, now=clock.now())
    return secret


@pytest.fixture
async def gate(api: httpx.AsyncClient, gate_secret: verifiers.ClientSecret) -> Headers:
    """The same, signed in."""
    asked = {"clientId": gate_secret.client_id, "clientSecret": gate_secret.client_secret}
    answer = await api.post("/auth/verifiers/token", json=asked)
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def _until_open(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("the application does not listen")
