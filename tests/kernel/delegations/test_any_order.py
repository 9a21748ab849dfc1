"""Offers, acceptances, cases, revocations and days in any order: only what both want, now, opens anything.

Not accepted, ended or expired it opens nothing, at once; never more cases than the giver allowed.
Source: docs/domain.md §1.6, §13.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import MOST_OPEN
from tests.builders import slug
from tests.kernel.cases.conftest import TOKENS_LIVE_SECONDS
from tests.kernel.cases.office import PROOF, SENIOR, Citizen
from tests.kernel.delegations.people import Pair
from tests.machines import Draw, Machine, play, stories

OFFER_DAYS = 7
CLOSED = {
    "awaits_taker": "delegation-not-agreed",
    "ended": "delegation-ended",
    "expired": "delegation-expired",
}
"""The word with which a delegation that is not in force opens nothing."""


@dataclass
class Given:
    """A delegation, as both sides were told."""

    id: str
    matters: list[str]
    days_left: int
    times: int | None
    age: int = 0
    accepted: bool = False
    ended_by: str | None = None
    cases: list[dict[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.ended_by:
            return "ended"
        if self.days_left < 0 or (not self.accepted and self.age > OFFER_DAYS):
            return "expired"
        if not self.accepted:
            return "awaits_taker"
        return "used_up" if len(self.cases) == self.times else "active"


@dataclass
class Village:
    """A giver who is new in each story, a taker and a stranger who are not."""

    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    database: Database
    since: float = -math.inf
    """When the taker and the stranger signed in."""
    people: dict[str, Citizen] = field(default_factory=dict)

    async def settle(self) -> None:
        if time.monotonic() - self.since > TOKENS_LIVE_SECONDS:
            self.since = time.monotonic()
            self.people = {who: await self._somebody() for who in ("taker", "stranger")}
        self.people["giver"] = await self._somebody()

    async def _somebody(self) -> Citizen:
        return await Citizen.signed_in(self.api, self.sandbox)

    async def offer(self, **bounds: Any) -> httpx.Response:
        return await Pair(self.api, self.people["giver"], self.people["taker"]).offer(**bounds)

    async def act(self, given: Given, verb: str, who: str) -> httpx.Response:
        at = f"/delegations/{given.id}/{verb}"
        return await self.api.post(at, json={}, headers=self.people[who].headers)

    async def open(self, given: Given, matter: str, who: str) -> httpx.Response:
        return await self.people[who].open(matter, onBehalfOf=given.id)

    async def read(self, given: Given, who: str) -> httpx.Response:
        return await self.api.get(f"/delegations/{given.id}", headers=self.people[who].headers)

    async def days(self, story: list[Given], count: int) -> None:
        """Everything of the story lies so many days further back."""
        async with self.database.transaction() as session:
            await session.execute(
                update(Delegation)
                .where(Delegation.id.in_([UUID(each.id) for each in story]))
                .values(until=Delegation.until - count, made_at=Delegation.made_at - timedelta(days=count))
            )

    async def cases(self, story: list[Given]) -> set[tuple[str, str]]:
        """Each case that was opened for the giver, with its delegation."""
        async with self.database.reading() as session:
            rows = await session.execute(
                select(Case.id, Case.delegation_id).where(
                    Case.delegation_id.in_([UUID(each.id) for each in story])
                )
            )
            return {(str(case), str(delegation)) for case, delegation in rows}


class Delegations(Machine):
    """What the giver, the taker and a stranger do with the giver's delegations."""

    village: Village

    def __init__(self) -> None:
        super().__init__()
        self.story: list[Given] = []

    @initialize()
    def settle(self) -> None:
        self.wait(self.village.settle())

    def acts(self) -> Iterator[str]:
        if not self.story:
            yield "offer"
            return
        yield from ("accept", "accept", "open", "open", "revoke", "look", "days")
        if any(each.state == "active" for each in self.story):
            yield from ("race", "race")
        if len(self.story) < MOST_OPEN:
            yield "offer"
        if any(each.cases for each in self.story):
            yield from ("go_on", "go_on")

    def offer(self, draw: Draw) -> None:
        matters = draw(st.sampled_from([[PROOF], [PROOF, SENIOR]]), "matters")
        days, times = draw(st.sampled_from([30, 0, 8]), "days"), draw(st.sampled_from([1, None, 2]), "times")
        until = (clock.today() + timedelta(days=days)).isoformat()
        answer = self.wait(self.village.offer(matters=matters, until=until, times=times))
        assert (answer.status_code, answer.json()["state"]) == (201, "awaits_taker"), answer.text
        self.story.append(Given(answer.json()["id"], matters, days, times))

    def accept(self, draw: Draw) -> None:
        given, who = self._one(draw), draw(st.sampled_from(["taker", "taker", "giver", "stranger"]), "who")
        answer = self.wait(self.village.act(given, "acceptance", who))
        if who != "taker":
            assert (answer.status_code, slug(answer)) == (404, "not-found")
        elif given.state in {"ended", "expired"}:
            assert (answer.status_code, slug(answer)) == (403, CLOSED[given.state])
        else:
            given.accepted = True
            assert (answer.status_code, answer.json()["state"]) == (200, given.state)

    def revoke(self, draw: Draw) -> None:
        given, who = self._one(draw), draw(st.sampled_from(["giver", "taker", "stranger"]), "who")
        answer = self.wait(self.village.act(given, "revocation", who))
        if who == "stranger":
            assert (answer.status_code, slug(answer)) == (404, "not-found")
            return
        given.ended_by = given.ended_by or who
        assert (answer.status_code, answer.json()["state"]) == (200, "ended")
        assert answer.json()["endedBy"] == given.ended_by

    def open(self, draw: Draw) -> None:
        given, who = self._one(draw), draw(st.sampled_from(["taker"] * 4 + ["giver", "stranger"]), "who")
        matter = draw(st.sampled_from([PROOF, SENIOR]), "matter")
        self._opened(given, matter, who, self.wait(self.village.open(given, matter, who)))

    def race(self, draw: Draw) -> None:
        """Three cases at once; where the giver allows fewer, so many are opened and no more."""
        given = draw(st.sampled_from([each for each in self.story if each.state == "active"]), "delegation")

        async def all_at_once() -> list[httpx.Response]:
            return await asyncio.gather(*(self.village.open(given, PROOF, "taker") for _ in range(3)))

        answers = self.wait(all_at_once())
        for answer in sorted(answers, key=lambda answer: answer.status_code):
            self._opened(given, PROOF, "taker", answer)

    def go_on(self, draw: Draw) -> None:
        """The taker writes into a case that is open."""
        given = draw(st.sampled_from([each for each in self.story if each.cases]), "delegation")
        case = draw(st.sampled_from(given.cases), "case")
        answer = self.wait(self.village.people["taker"].patch(case, {}))
        if given.state in CLOSED:
            assert (answer.status_code, slug(answer)) == (403, CLOSED[given.state])
        else:
            assert answer.status_code == 200, answer.text

    def days(self, draw: Draw) -> None:
        count = draw(st.sampled_from([1, 8]), "days")
        self.wait(self.village.days(self.story, count))
        for each in self.story:
            each.days_left -= count
            each.age += count

    def look(self, draw: Draw) -> None:
        """Both sides see the same, and nobody else sees anything."""
        given = self._one(draw)
        for who in ("giver", "taker"):
            seen = self.wait(self.village.read(given, who)).json()
            assert (seen["state"], seen["used"], seen["side"]) == (given.state, len(given.cases), who)
        assert self.wait(self.village.read(given, "stranger")).status_code == 404

    @invariant()
    def every_case_was_opened_by_leave(self) -> None:
        if self.story:
            told = {(case["id"], each.id) for each in self.story for case in each.cases}
            assert self.wait(self.village.cases(self.story)) == told
            assert all(each.times is None or len(each.cases) <= each.times for each in self.story)

    def _one(self, draw: Draw) -> Given:
        return draw(st.sampled_from(self.story), "delegation")

    def _opened(self, given: Given, matter: str, who: str, answer: httpx.Response) -> None:
        if who != "taker":
            expected = (422, "no-delegation")
        elif given.state in CLOSED:
            expected = (403, CLOSED[given.state])
        elif matter not in given.matters:
            expected = (422, "matter-not-delegated")
        elif given.state == "used_up":
            expected = (409, "delegation-used-up")
        else:
            assert answer.status_code == 201, answer.text
            given.cases.append(answer.json())
            return
        assert answer.status_code >= 400, answer.text
        assert (answer.status_code, slug(answer)) == expected


@pytest.mark.parametrize("how", stories(few=(6, 20), many=(200, 40)))
async def test_delegations_in_any_order(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, how: settings
) -> None:
    class Here(Delegations):
        village = Village(api, sandbox, database)

    await play(Here, how)
