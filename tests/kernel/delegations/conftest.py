"""The same two people for every test of a few minutes: signing in takes longer than most tests."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest

from tests.builders import Somebody
from tests.kernel.cases.conftest import TOKENS_LIVE_SECONDS, bad_day, calendar
from tests.kernel.cases.office import Citizen
from tests.kernel.delegations.people import Pair

__all__ = ["bad_day", "calendar"]


@dataclass
class Known:
    """Who is signed in already, and since when."""

    since: float = -math.inf
    giver: Citizen | None = None
    taker: Citizen | None = None


@pytest.fixture(scope="session")
def known_pair() -> Known:
    return Known()


@pytest.fixture
async def pair(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, known_pair: Known) -> AsyncIterator[Pair]:
    """A giver and a taker; what a test leaves open is ended after it, for one may have twenty."""
    if time.monotonic() - known_pair.since > TOKENS_LIVE_SECONDS:
        insured = {"socialInsurance": {"months": 70, "division": "460105"}}
        known_pair.since = time.monotonic()
        known_pair.giver = await Citizen.signed_in(api, sandbox, Somebody(name="林委托", more=insured))
        known_pair.taker = await Citizen.signed_in(api, sandbox, Somebody(name="周代办", more=insured))
    assert known_pair.giver is not None
    assert known_pair.taker is not None
    pair = Pair(api, replace(known_pair.giver, api=api), replace(known_pair.taker, api=api))
    yield pair
    for delegation in pair.made:
        await pair.act(delegation, "revocation", by=pair.giver)
