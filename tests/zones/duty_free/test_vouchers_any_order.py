"""Claims, tills, reversals, refunds and nights in any order: nobody is told what the books do not hold.

Never over the stock, never two for one person, redeemed once, reversed on its own day alone.
Source: docs/domain.md §8.3.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from haiyiban import clock
from haiyiban.db import Database
from services.duty_free.vouchers.models import Voucher
from tests.machines import Draw, Machine, play, stories
from tests.people import slug
from tests.zones.duty_free.conftest import MakeBuyer, MakeShop
from tests.zones.duty_free.island import GOOD_FOR_NIGHTS, Held, Island, Taken

FACE, THRESHOLD = 20_000, 200_000
REFUSED = {
    "already-claimed": 409,
    "sold-out": 409,
    "voucher-redeemed": 409,
    "order-differs": 409,
    "voucher-expired": 422,
    "not-stackable": 422,
    "below-threshold": 422,
    "wrong-shop": 422,
    "redemption-not-found": 404,
    "redemption-over": 409,
    "reversal-too-late": 422,
    "refund-too-much": 422,
}


class Vouchers(Machine):
    """Three people, two shops and a third that is not the campaign's, three orders in each, one campaign."""

    island: Island

    def __init__(self) -> None:
        super().__init__()
        self.stock = 0
        self.keys: dict[tuple[int, str], str] = {}
        self.held: list[Held] = []
        self.taken: list[Taken] = []
        self.refunded: dict[tuple[int, str], int] = {}
        """Goods that went back, by order, in fen."""

    @initialize(stock=st.sampled_from([4, 2, 3, 1]))
    def open(self, stock: int) -> None:
        self.stock = stock
        self.wait(self.island.open(stock))

    def acts(self) -> Iterator[str]:
        if not self.held:
            yield from ("rush", "rush", "claim")
        if any(each.can_come for each in self.held):
            yield from ("redeem", "redeem", "redeem", "two_tills")
        if self.taken:
            yield from ("reverse", "reverse", "refund", "refund")
        if self.held and len(self.held) < self.stock:
            yield "claim_again"
        if self._whole():
            yield "refund_late"
        yield from ("claim", "night", "look")

    def claim(self, draw: Draw) -> None:
        who, key = draw(st.integers(0, 2), "who"), draw(st.sampled_from([None, "a", "b"]), "key")
        self._claim(who, key)

    def claim_again(self, draw: Draw) -> None:
        """The next day, while there are any, by whoever has one."""
        self._pass(1)
        self._claim(draw(st.sampled_from(self.held), "voucher").owner, None)

    def _claim(self, who: int, key: str | None) -> None:
        answer = self.wait(self.island.claim(who, key))
        if key and (who, key) in self.keys:
            assert (answer.status_code, answer.json()["voucherId"]) == (201, self.keys[who, key])
            return
        has = any(each.owner == who for each in self.held)
        if len(self.held) < self.stock and not has:
            assert answer.status_code == 201, answer.text
            self._told(who, key, answer)
        else:
            # For a second after the last one went, who has one already may be told either.
            over = len(self.held) == self.stock
            assert_refused(answer, *["sold-out"] * over, *["already-claimed"] * has)

    def rush(self, draw: Draw) -> None:
        """Everybody at once, and each twice."""

        async def everybody() -> list[httpx.Response]:
            return await asyncio.gather(*(self.island.claim(who, None) for who in (0, 1, 2) * 2))

        for who, answer in zip((0, 1, 2) * 2, self.wait(everybody()), strict=True):
            if answer.status_code == 201:
                self._told(who, None, answer)
            else:
                assert_refused(answer, "already-claimed", "sold-out")
        assert len(self.held) == min(self.stock, 3), "neither over the stock nor under it"

    def redeem(self, draw: Draw) -> None:
        voucher, text = self._come(draw)
        order = draw(st.tuples(st.sampled_from([0, 1, 0, 2]), st.sampled_from("ABC")), "order")
        amount = draw(st.sampled_from([THRESHOLD] * 4 + [THRESHOLD - 1, 2 * THRESHOLD]), "amount")
        answer = self.wait(self.island.redeem(text, order, amount))
        self._redeemed(voucher, order, amount, answer)

    def two_tills(self, draw: Draw) -> None:
        """One code, photographed, at two shops at once."""
        voucher, text = self._come(draw)
        orders = [(0, secrets.token_hex(4)), (1, secrets.token_hex(4))]

        async def both() -> list[httpx.Response]:
            return await asyncio.gather(*(self.island.redeem(text, each, THRESHOLD) for each in orders))

        is_good = voucher.now == "claimed"
        answers = self.wait(both())
        assert sum(each.status_code == 201 for each in answers) == is_good
        for order, answer in zip(orders, answers, strict=True):
            if answer.status_code == 201:
                self._redeemed(voucher, order, THRESHOLD, answer)
            else:
                assert answer.status_code in {409, 422}, answer.text

    def reverse(self, draw: Draw) -> None:
        taken = draw(st.sampled_from(self.taken), "redemption")
        is_elsewhere = draw(st.sampled_from([False] * 4 + [True]), "elsewhere")
        answer = self.wait(self.island.reverse(taken, 2 if is_elsewhere else taken.order[0]))
        if is_elsewhere:
            assert_refused(answer, "redemption-not-found")
        elif taken.state == "reversed":
            assert (answer.status_code, answer.json()["state"]) == (200, "reversed")
        elif self.refunded.get(taken.order):
            assert_refused(answer, "redemption-over")
        elif taken.nights:
            assert_refused(answer, "reversal-too-late")
        else:
            assert (answer.status_code, answer.json()["state"]) == (200, "reversed")
            taken.state, taken.voucher.state = "reversed", "claimed"

    def refund(self, draw: Draw) -> None:
        """A half, all, or more than all of the goods."""
        taken = draw(st.sampled_from(self.taken), "redemption")
        self._refund(taken, taken.amount * draw(st.sampled_from([1, 2, 4]), "halves") // 2)

    def refund_late(self, draw: Draw) -> None:
        """The whole order, when the time of its voucher is over."""
        taken = draw(st.sampled_from(self._whole()), "redemption")
        self._pass(GOOD_FOR_NIGHTS + 1)
        self._refund(taken, taken.amount)

    def _whole(self) -> list[Taken]:
        """The redemptions of orders of which nothing has gone back."""
        return [each for each in self.taken if each.state == "redeemed" and not self.refunded.get(each.order)]

    def _refund(self, taken: Taken, goods: int) -> None:
        before = self.refunded.get(taken.order, 0)
        answer = self.wait(self.island.refund(taken, goods))
        if taken.state != "redeemed":
            assert_refused(answer, "redemption-over")
        elif before + goods > taken.amount:
            assert_refused(answer, "refund-too-much")
        else:
            assert answer.status_code == 201, answer.text
            assert answer.json()["voucherFen"] == goods * FACE // taken.amount
            self.refunded[taken.order] = before + goods
            if before + goods == taken.amount:
                taken.state = "refunded"
                taken.voucher.state = "claimed" if taken.voucher.nights <= GOOD_FOR_NIGHTS else "returned"

    def night(self, draw: Draw) -> None:
        self._pass(draw(st.sampled_from([1, 2]), "nights"))

    def _pass(self, count: int) -> None:
        """So many nights."""
        self.wait(self.island.night(count))
        for each in [*self.held, *self.taken]:
            each.nights += count

    def look(self, draw: Draw) -> None:
        """Everybody sees their own, and has a code of what can be used."""
        seen = self.wait(self.island.seen())
        for voucher in self.held:
            assert seen[voucher.id] == voucher.now
            code = self.wait(self.island.code(voucher))
            if voucher.now == "claimed":
                assert code.status_code == 201, code.text
                voucher.codes.append(code.json()["text"])
            else:
                assert (code.status_code, slug(code)) == (409, "not-to-show-now")
                assert code.json()["state"] == voucher.now

    @invariant()
    def the_books_hold_what_was_told(self) -> None:
        left, vouchers, taken, owed = self.wait(self.island.books())
        assert len(vouchers) + left == self.stock
        assert {str(each.id): now_of(each) for each in vouchers} == {one.id: one.now for one in self.held}
        assert len({each.person_id for each in vouchers}) == len(vouchers)
        in_force = [each.voucher_id for each in taken if each.state == "redeemed"]
        assert len(in_force) == len(set(in_force))
        assert {(str(each.id), each.state) for each in taken} == {(one.id, one.state) for one in self.taken}
        stands = [each for each in self.taken if each.state == "redeemed"]
        assert owed == sum(FACE - self.refunded.get(each.order, 0) * FACE // each.amount for each in stands)

    def _told(self, who: int, key: str | None, answer: httpx.Response) -> None:
        self.held.append(Held(answer.json()["voucherId"], who))
        if key:
            self.keys[who, key] = answer.json()["voucherId"]

    def _come(self, draw: Draw) -> tuple[Held, str]:
        """Somebody at a till, with the oldest code that was shown and not scanned; another one is kept."""
        voucher = draw(st.sampled_from([each for each in self.held if each.can_come]), "voucher")
        while voucher.now == "claimed" and len(voucher.codes) < 2:
            voucher.codes.append(self.wait(self.island.code(voucher)).json()["text"])
        return voucher, voucher.codes.pop(0)

    def _redeemed(self, voucher: Held, order: tuple[int, str], amount: int, answer: httpx.Response) -> None:
        on_it = [each for each in self.taken if each.order == order and each.state == "redeemed"]
        mine = [each for each in on_it if each.voucher is voucher]
        if mine:
            if mine[0].amount == amount:
                assert (answer.status_code, answer.json()["id"]) == (201, mine[0].id), answer.text
            else:
                assert_refused(answer, "order-differs")
        elif voucher.now != "claimed":
            assert_refused(answer, "voucher-expired" if voucher.now == "expired" else "voucher-redeemed")
        elif order[0] == 2:
            assert_refused(answer, "wrong-shop")
        elif self.refunded.get(order) or any(each.amount != amount for each in on_it):
            assert_refused(answer, "order-differs")
        elif on_it:
            assert_refused(answer, "not-stackable")
        elif amount < THRESHOLD:
            assert_refused(answer, "below-threshold")
        else:
            assert answer.status_code == 201, answer.text
            self.taken.append(Taken(answer.json()["id"], voucher, order, amount))
            voucher.state = "redeemed"


def now_of(voucher: Voucher) -> str:
    """Its state; that its time is over is noted by a task now and then."""
    is_over = voucher.state == "claimed" and voucher.valid_until < clock.now()
    return "expired" if is_over else voucher.state


def assert_refused(answer: httpx.Response, *may: str) -> None:
    """Refused by one of these, each with its own status."""
    assert answer.status_code >= 400, answer.text
    assert slug(answer) in may, answer.text
    assert answer.status_code == REFUSED[slug(answer)]


@pytest.mark.parametrize("how", stories(few=(7, 25), many=(300, 40)))
async def test_vouchers_in_any_order(
    api: httpx.AsyncClient, database: Database, make_buyer: MakeBuyer, make_shop: MakeShop, how: settings
) -> None:
    class Here(Vouchers):
        island = Island(api, database, make_buyer, make_shop)

    await play(Here, how)
