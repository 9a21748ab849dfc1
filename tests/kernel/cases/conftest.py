"""The calendar, a worker's desk and a citizen: what tests of cases begin with."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import httpx
import pytest

from haiyiban import registers
from haiyiban.cases.seed import seed
from haiyiban.db import Database
from tests.kernel.cases.office import Citizen, Office

Break = Callable[..., Awaitable[None]]
TOKENS_LIVE_SECONDS = 120
"""Well below the five minutes of an access token, so that none ends in the middle of a test."""


@pytest.fixture(scope="session", autouse=True)
async def calendar(database: Database) -> None:
    """The published years of the calendar."""
    await seed()


@dataclass
class Regulars:
    """Who is signed in already: signing in takes longer than most tests."""

    since: float = -math.inf
    citizen: Citizen | None = None
    staff: dict[str, dict[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="session")
def known() -> Regulars:
    """Kept from test to test."""
    return Regulars()


@pytest.fixture
async def regulars(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, known: Regulars) -> Regulars:
    """The same people as in the last test, for as long as their access tokens live."""
    if time.monotonic() - known.since > TOKENS_LIVE_SECONDS:
        known.since = time.monotonic()
        known.citizen = await Citizen.signed_in(api, sandbox)
        known.staff = {}
    return known


@pytest.fixture
async def citizen(api: httpx.AsyncClient, regulars: Regulars) -> Citizen:
    """A resident of Xiuying with 70 months of social insurance, who may have had cases before."""
    assert regulars.citizen is not None
    return replace(regulars.citizen, api=api)


@pytest.fixture
async def newcomer(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Citizen:
    """The same, and never had a case."""
    return await Citizen.signed_in(api, sandbox)


@pytest.fixture
async def office(api: httpx.AsyncClient, regulars: Regulars) -> Office:
    """The civil affairs bureau of Xiuying, which handles the senior allowance."""
    return Office(api, staff=regulars.staff)


@pytest.fixture
async def bad_day(sandbox: httpx.AsyncClient) -> AsyncIterator[Break]:
    """Break registers for a test; afterwards the lines are fresh again."""

    async def break_(*names: str, mode: str = "error") -> None:
        for name in names:
            answer = await sandbox.post("/faults", json={"register": name, "mode": mode})
            assert answer.status_code == 200, answer.text
        await registers.close()

    yield break_
    await break_("all", mode="off")
