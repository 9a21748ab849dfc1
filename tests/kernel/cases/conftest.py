"""The calendar, a worker's desk and a citizen: what tests of cases begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from haiyiban import registers
from haiyiban.cases.seed import seed
from haiyiban.db import Database
from tests.kernel.cases.office import Citizen, Office

Break = Callable[..., Awaitable[None]]


@pytest.fixture(scope="session", autouse=True)
async def calendar(database: Database) -> None:
    """The published years of the calendar."""
    await seed()


@pytest.fixture
async def citizen(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Citizen:
    """An old resident of Xiuying with 70 months of social insurance, signed in at L3."""
    return await Citizen.signed_in(api, sandbox)


@pytest.fixture
async def office(api: httpx.AsyncClient) -> Office:
    """The civil affairs bureau of Xiuying, which handles the senior allowance."""
    return Office(api)


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
