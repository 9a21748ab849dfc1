"""A fresh company for each test, and the same two people for every test of a few minutes."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.kernel.delegations.conftest import Known, bad_day, calendar, known_pair, pair
from tests.kernel.delegations.people import Pair
from tests.kernel.enterprises.companies import Company

__all__ = ["Known", "bad_day", "calendar", "known_pair", "pair"]


@pytest.fixture
async def unknown(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair) -> Company:
    """A company in the register, whom nobody has signed in for yet."""
    company = Company(api, sandbox, replace(pair.giver), replace(pair.taker))
    await company.register()
    return company


@pytest.fixture
async def company(unknown: Company) -> Company:
    """A company whose representative is signed in."""
    return await unknown.signed_in()
