"""Months, words, accounts, files, the bank, registers and objections in any order: what is paid is due.

Never more months than were granted, each once; nothing new while it is suspended, nothing after it stopped.
Source: docs/domain.md §7.1, §7.5.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant
from sqlalchemy import delete, text, update

from haiyiban import clock
from haiyiban.db import Database
from services.unemployment.models import Batch, Grant, Payment
from services.unemployment.payments import banking, rules, tasks
from services.unemployment.schedule import month_of
from tests import builders
from tests.builders import slug
from tests.kernel.cases.conftest import TOKENS_LIVE_SECONDS
from tests.kernel.cases.office import Citizen, Office
from tests.machines import Draw, Machine, play, stories
from tests.zones.unemployment.test_applying import accepted, grants_of, handed_in, out_of_work
from tests.zones.unemployment.test_payments import (
    HERE,
    Drawer,
    agree,
    card,
    lines,
    release_all,
    works_again,
)

__all__ = ["lines"]


@dataclass
class Attempt:
    """A payment of a month, as its person was told."""

    number: int
    account: str
    state: str = "batched"


@dataclass
class Fund:
    """Who draws, the desk that looks at suspensions, the officer of the fund, and the bank."""

    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    database: Database
    who: Drawer = field(init=False)
    since: float = -math.inf
    """When clerk and officer signed in."""
    office: Office = field(init=False)
    officer: dict[str, str] = field(init=False)

    async def grant(self, months: int) -> None:
        """A grant of so many months that begins now, and books in which nothing else is open."""
        async with self.database.transaction() as session:
            await session.execute(delete(Payment))
            await session.execute(delete(Batch))
            await session.execute(update(Grant).values(ended_on=clock.today(), ended_because="test", used=0))
        if time.monotonic() - self.since > TOKENS_LIVE_SECONDS:
            self.since, agency = time.monotonic(), "human-resources"
            self.office = Office(self.api, agency=agency, division="460105")
            self.officer = await builders.staff(self.api, agency=agency, division="460000", role="officer")
        somebody = out_of_work(12)
        citizen = await Citizen.signed_in(self.api, self.sandbox, somebody)
        case = await accepted(self.office, await handed_in(citizen))
        await self.office.done(case, "approve", version=case["version"])
        [granted] = await grants_of(citizen)
        self.who = Drawer(citizen, somebody, UUID(granted["id"]))
        # Paid from the 5th on; today may be before it.
        starts_on = month_of(clock.today(), -(clock.today().day < rules.RUN_DAY))
        async with self.database.transaction() as session:
            await session.execute(
                update(Grant)
                .where(Grant.id == self.who.grant_id)
                .values(months=months, carried=0, starts_on=starts_on)
            )

    async def account(self, state: str) -> None:
        number, name = card(), self.who.somebody.name
        await self.sandbox.post("/bank/accounts", json={"number": number, "name": name, "state": state})
        answer = await self.who.post("/bank-account", {"number": number})
        assert answer.status_code == 200, answer.text

    async def months(self, count: int) -> None:
        """The grant began so many months earlier, and so did what belongs to its months."""
        async with self.database.transaction() as session:
            # By way of another century: one month must not step into the place of the next.
            for back in (1200 + count, -1200):
                for table, column, key in (
                    ("grant", "starts_on", "id"),
                    ("payment", "month", "grant_id"),
                    ("declaration", "month", "grant_id"),
                ):
                    order = (
                        f"UPDATE unemployment_{table}"
                        f" SET {column} = {column} - make_interval(months => :back) WHERE {key} = :id"
                    )
                    await session.execute(text(order), {"id": self.who.grant_id, "back": back})

    async def bank(self) -> None:
        """An officer releases what waits, and the bank carries it out."""
        await release_all(self.api, self.officer)
        await banking.send()
        await banking.read_back()

    async def give_back(self) -> None:
        await self.sandbox.post("/bank/returns", json={})
        await banking.read_back()

    async def decide(self, decision: str) -> httpx.Response:
        at = f"{HERE}/objections/{self.who.grant_id}/decision"
        body = {"decision": decision, "note": "已核实"}
        return await self.api.post(at, json=body, headers=await self.office.headers())

    async def days_to_object_over(self) -> None:
        async with self.database.transaction() as session:
            over = clock.today() - timedelta(days=1)
            await session.execute(
                update(Grant)
                .where(Grant.id == self.who.grant_id, Grant.object_by.is_not(None))
                .values(object_by=over)
            )


class Grants(Machine):
    """One grant. The hourly run comes after each act, as it comes after whatever people do."""

    fund: Fund

    def __init__(self) -> None:
        super().__init__()
        self.granted = 0
        self.passed = 0
        """Months that went by since the first."""
        self.declared: set[int] = set()
        self.account: str | None = None
        self.is_fresh = False
        """Whether the account is newer than what came back last."""
        self.attempts: list[Attempt] = []
        self.event: int | None = None
        """Since how many days somebody works, as the register says; and what of it a clerk found wrong."""
        self.set_aside: int | None = None
        self.suspended: int | None = None
        """The event for which the grant is suspended."""
        self.objected = False
        self.ended: str | None = None

    @initialize(months=st.sampled_from([2, 1, 3]))
    def begin(self, months: int) -> None:
        self.granted = months
        self.wait(self.fund.grant(months))

    def acts(self) -> Iterator[str]:
        if not self.ended and not any(each.state == "returned" for each in self.attempts):
            yield "come_back"
        yield from ("give_account", "declare", "declare", "months", "bank", "bank", "works", "look")
        if any(each.state == "paid" and each.account == "returning" for each in self.attempts):
            yield from ("give_back", "give_back")
        if self.suspended is not None and not self.ended:
            yield from ("object", "object", "decide", "decide", "days_over")

    def give_account(self, draw: Draw) -> None:
        self._account(draw(st.sampled_from(["open", "returning", "closed"]), "account"))

    def _account(self, state: str) -> None:
        self.account, self.is_fresh = state, True
        self.wait(self.fund.account(state))
        self._hour()

    def come_back(self, draw: Draw) -> None:
        """What is due goes to a closed account and comes back; sent again it is to another one alone."""
        self._account("closed")
        self.bank(draw)
        self.the_person_is_told_so()
        self._account("open")

    def declare(self, draw: Draw) -> None:
        answer = self.wait(self.fund.who.post("/declarations"))
        if self.ended:
            assert (answer.status_code, slug(answer)) == (409, "no-grant")
        else:
            assert answer.status_code == 200, answer.text
            # Before the 5th the month that is declared for is the one after that which is due.
            self.declared |= set(range(1, self.passed + (clock.today().day < rules.RUN_DAY) + 1))
        self._hour()

    def months(self, draw: Draw) -> None:
        count = draw(st.sampled_from([1, 1, 4]), "months")
        self.passed += count
        self.wait(self.fund.months(count))
        self._hour()

    def bank(self, draw: Draw) -> None:
        self.wait(self.fund.bank())
        for each in self.attempts:
            if each.state == "batched":
                self._settled(each, "returned" if each.account == "closed" else "paid")
        self._hour()

    def give_back(self, draw: Draw) -> None:
        self.wait(self.fund.give_back())
        for each in self.attempts:
            if each.state == "paid" and each.account == "returning":
                self._settled(each, "returned")
        self._hour()

    def works(self, draw: Draw) -> None:
        """The register hears of an employer since some day, or of another one."""
        self.event = draw(st.sampled_from([1, 40]), "days ago")
        since = clock.today() - timedelta(days=self.event)
        self.wait(works_again(self.fund.sandbox, self.fund.who, since))
        self._hour()

    def object(self, draw: Draw) -> None:
        answer = self.wait(
            self.fund.who.post(f"/grants/{self.fund.who.grant_id}/objection", {"words": "已离职"})
        )
        assert (answer.status_code, answer.json()["suspension"]["hasObjected"]) == (200, True)
        self.objected = True

    def decide(self, draw: Draw) -> None:
        decision = draw(st.sampled_from(["resume", "stop"]), "decision")
        answer = self.wait(self.fund.decide(decision))
        if not self.objected:
            assert (answer.status_code, slug(answer)) == (409, "not-suspended")
            return
        state = {"resume": "running", "stop": "ended"}[decision]
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        if decision == "stop":
            self.ended = "employed"
        else:
            self.set_aside, self.suspended, self.objected = self.suspended, None, False
        self._hour()

    def days_over(self, draw: Draw) -> None:
        """Ten working days later: who has not objected is stopped, who has waits for the desk."""
        if self.objected:
            self._hour()
            return
        self.wait(self.fund.days_to_object_over())
        self.ended = "employed"
        self._hour()

    def look(self, draw: Draw) -> None:
        """Our books and the bank's tell the same, to the fen."""
        paid = self.wait(agree(self.fund.api, self.fund.officer))
        assert (paid > 0) is any(each.state == "paid" for each in self.attempts)

    @invariant()
    def the_person_is_told_so(self) -> None:
        if not self.granted:
            return
        told = self.wait(self.fund.who.payments())
        states = [each["state"] for each in reversed(told["payments"])]
        assert states == [each.state for each in sorted(self.attempts, key=lambda each: each.number)]
        assert (told["suspension"] is None) is (self.suspended is None)
        assert told["endedBecause"] == self.ended
        assert len({each.number for each in self.attempts if each.state != "returned"}) <= self.granted

    def _settled(self, attempt: Attempt, state: str) -> None:
        attempt.state = state
        if state == "returned":
            self.is_fresh = False
        used = sum(each.state == "paid" for each in self.attempts)
        if used == self.granted and not self.ended:
            self.ended = "used_up"

    def _hour(self) -> None:
        """The run of the hour, and what it must come to."""
        self.wait(tasks.pay_what_is_due(b""))
        used = sum(each.state == "paid" for each in self.attempts)
        if self.suspended is not None or self.ended not in {None, "used_up"} or used == self.granted:
            return
        if self.event is not None and self.event != self.set_aside:
            self.suspended = self.event
            return
        for number in range(min(self.granted, self.passed + 1)):
            tried = [each for each in self.attempts if each.number == number]
            if any(each.state != "returned" for each in tried):
                continue
            if self.account is None or (tried and not self.is_fresh):
                return
            if number and number not in self.declared:
                return
            self.attempts.append(Attempt(number, self.account))


@pytest.mark.parametrize("how", stories(few=(5, 14), many=(150, 40)))
async def test_grants_in_any_order(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, how: settings
) -> None:
    class Here(Grants):
        fund = Fund(api, sandbox, database)

    await play(Here, how)
