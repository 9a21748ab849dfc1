"""Voucher codes at a till: the right shop, the threshold, once, and back the same day.

Source: docs/domain.md §8.3; schemas/codes/README.md (kind 4).
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from haiyiban import clock
from haiyiban.ids import new_id
from services.duty_free.vouchers.settlement_models import Redemption
from tests.people import slug
from tests.phone import Phone, base64url
from tests.zones.duty_free.conftest import MakeShop, sell
from tests.zones.duty_free.wallet import REDEMPTIONS, Wallet


async def test_a_voucher_is_redeemed_once_and_the_buyer_pays_the_rest(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    spare = await wallet.code(voucher)
    redeemed = await wallet.spent(voucher)
    assert (redeemed["state"], redeemed["faceFen"], redeemed["payFen"]) == ("redeemed", 20_000, 180_000)
    assert (await wallet.state(voucher), await wallet.owed()) == ("redeemed", 20_000)
    other = await wallet.redeem(spare, "A-2")
    assert (other.status_code, slug(other), other.json()["state"]) == (409, "voucher-redeemed", "redeemed")
    shown = await wallet.ask_code(voucher)
    assert (shown.status_code, slug(shown), shown.json()["state"]) == (409, "not-to-show-now", "redeemed")
    log = (await wallet.api.get("/me/access-log", headers=wallet.buyer.headers)).json()["items"]
    assert ("消费券", "done") in [(entry["what"], entry["outcome"]) for entry in log]


async def test_the_same_order_again_is_the_first_redemption_with_the_old_code_and_with_a_new_one(
    wallet: Wallet,
) -> None:
    voucher = await wallet.voucher()
    text, spare = await wallet.code(voucher), await wallet.code(voucher)
    first = await wallet.redeem(text)
    assert first.status_code == 201, first.text
    for again in (text, spare):
        assert (await wallet.redeem(again)).text == first.text
    dearer = await wallet.redeem(spare, amount=300_000)
    assert (dearer.status_code, slug(dearer)) == (409, "order-differs")
    assert await wallet.owed() == 20_000


async def test_two_tills_at_once_take_it_once_and_the_other_is_told_so(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    texts = [await wallet.code(voucher) for _ in range(3)]
    answers = await asyncio.gather(*(wallet.redeem(text, f"A-{at}") for at, text in enumerate(texts)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {slug(answer) for answer in answers if answer.status_code == 409} == {"voucher-redeemed"}
    assert await wallet.owed() == 20_000


async def test_below_the_threshold_it_is_not_taken_and_stays_good(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    short = await wallet.redeem(await wallet.code(voucher), amount=199_999)
    assert (short.status_code, slug(short)) == (422, "below-threshold")
    assert short.json()["thresholdFen"] == 200_000
    assert short.json()["errors"][0]["pointer"] == "/orderAmountFen"
    assert (await wallet.spent(voucher))["payFen"] == 180_000


async def test_another_shop_and_one_that_may_not_take_vouchers_take_none(
    wallet: Wallet, make_shop: MakeShop
) -> None:
    voucher = await wallet.voucher()
    elsewhere = await wallet.redeem(await wallet.code(voucher), at=await make_shop())
    assert (elsewhere.status_code, slug(elsewhere)) == (422, "wrong-shop")
    gate = await wallet.redeem(await wallet.code(voucher), at=await make_shop("gate"))
    assert (gate.status_code, slug(gate), gate.json()["outcome"]) == (422, "code-refused", "not_entitled")
    assert await wallet.state(voucher) == "claimed"


async def test_one_whose_time_is_over_is_refused_at_the_till_and_has_no_code(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    text = await wallet.code(voucher)
    await wallet.change(voucher, valid_until=clock.now() - timedelta(seconds=1))
    late = await wallet.redeem(text)
    assert (late.status_code, slug(late)) == (422, "voucher-expired")
    assert await wallet.state(voucher) == "expired"
    assert (await wallet.ask_code(voucher)).json()["state"] == "expired"


async def test_vouchers_of_one_order_go_together_only_where_their_campaigns_say_so(wallet: Wallet) -> None:
    first, second, alone = (
        await wallet.voucher(stack_most=2),
        await wallet.voucher(stack_most=2),
        await wallet.voucher(),
    )
    await wallet.spent(first, amount=400_000)
    refused = await wallet.redeem(await wallet.code(alone), amount=400_000)
    assert (refused.status_code, slug(refused), refused.json()["most"]) == (422, "not-stackable", 1)
    cheaper = await wallet.redeem(await wallet.code(second), amount=300_000)
    assert (cheaper.status_code, slug(cheaper)) == (409, "order-differs")
    assert (await wallet.spent(second, amount=400_000))["payFen"] == 360_000


async def test_reversed_the_same_day_it_is_good_again_and_may_be_used_again(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    redeemed = await wallet.spent(voucher)
    at = f"{REDEMPTIONS}/{redeemed['id']}"
    for _ in range(2):
        reversed_ = await wallet.api.delete(at, headers=wallet.shop)
        assert (reversed_.status_code, reversed_.json()["state"]) == (200, "reversed")
    assert (await wallet.state(voucher), await wallet.owed()) == ("claimed", 0)
    assert (await wallet.spent(voucher))["id"] != redeemed["id"]


async def test_a_reversal_after_its_time_gives_nothing_to_use_back(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    redeemed = await wallet.spent(voucher)
    await wallet.change(voucher, valid_until=clock.now() - timedelta(seconds=1))
    await wallet.api.delete(f"{REDEMPTIONS}/{redeemed['id']}", headers=wallet.shop)
    assert await wallet.state(voucher) == "expired"


async def test_a_reversal_is_for_the_shop_that_took_it_and_for_its_day(
    wallet: Wallet, make_shop: MakeShop
) -> None:
    redeemed = await wallet.spent(await wallet.voucher())
    at = f"{REDEMPTIONS}/{redeemed['id']}"
    assert (await wallet.api.delete(at)).status_code == 401
    assert (await wallet.api.delete(at, headers=wallet.buyer.headers)).status_code == 403
    for where, headers in ((at, await make_shop()), (f"{REDEMPTIONS}/{uuid4()}", wallet.shop)):
        missing = await wallet.api.delete(where, headers=headers)
        assert (missing.status_code, slug(missing)) == (404, "redemption-not-found")
    async with wallet.database.transaction() as session:
        yesterday = clock.today() - timedelta(days=1)
        await session.execute(
            update(Redemption).where(Redemption.id == UUID(redeemed["id"])).values(day=yesterday)
        )
    late = await wallet.api.delete(at, headers=wallet.shop)
    assert (late.status_code, slug(late)) == (422, "reversal-too-late")
    assert "当日" in late.json()["title"]


async def refund(wallet: Wallet, redeemed: dict[str, Any], number: str, goods: int) -> httpx.Response:
    body = {"refundNumber": number, "goodsFen": goods}
    return await wallet.api.post(f"{REDEMPTIONS}/{redeemed['id']}/refunds", json=body, headers=wallet.shop)


async def test_a_part_refund_gives_the_paid_share_and_the_last_part_the_voucher_too(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    redeemed = await wallet.spent(voucher)
    half = await refund(wallet, redeemed, "R-1", 100_000)
    assert half.status_code == 201, half.text
    assert (half.json()["refundFen"], half.json()["isWholeOrder"]) == (90_000, False)
    assert (await refund(wallet, redeemed, "R-1", 100_000)).text == half.text
    other = await refund(wallet, redeemed, "R-1", 5)
    assert (other.status_code, slug(other)) == (409, "refund-differs")
    much = await refund(wallet, redeemed, "R-2", 100_001)
    assert (much.status_code, slug(much), much.json()["leftFen"]) == (422, "refund-too-much", 100_000)
    assert (await wallet.state(voucher), await wallet.owed()) == ("redeemed", 10_000)
    kept = await wallet.api.delete(f"{REDEMPTIONS}/{redeemed['id']}", headers=wallet.shop)
    assert (kept.status_code, slug(kept)) == (409, "redemption-over")
    rest = await refund(wallet, redeemed, "R-2", 100_000)
    assert (rest.json()["refundFen"], rest.json()["isWholeOrder"]) == (90_000, True)
    assert (await wallet.state(voucher), await wallet.owed()) == ("claimed", 0)
    over = await refund(wallet, redeemed, "R-3", 1)
    assert (over.status_code, slug(over)) == (409, "redemption-over")


async def test_a_whole_order_refunded_too_late_gives_no_voucher_back(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    redeemed = await wallet.spent(voucher)
    await wallet.change(voucher, valid_until=clock.now() - timedelta(seconds=1))
    await refund(wallet, redeemed, "R-1", 200_000)
    assert (await wallet.state(voucher), await wallet.owed()) == ("returned", 0)


async def test_a_registered_order_that_is_refunded_gives_its_vouchers_back(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    order = await sell(wallet.api, wallet.shop, wallet.buyer)
    await wallet.spent(voucher, order["orderNumber"])
    refunded = await wallet.api.post(
        f"/zones/duty-free/orders/{order['id']}/refund", json={}, headers=wallet.shop
    )
    assert refunded.status_code == 200, refunded.text
    assert (await wallet.state(voucher), await wallet.owed()) == ("claimed", 0)


async def test_a_phone_shows_its_voucher_over_the_counters_challenge(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    phone = Phone(wallet.api, wallet.buyer.headers, wallet.buyer.account_id)
    await phone.bind(kind="voucher", subjectId=str(voucher))
    now = int(clock.now().timestamp())
    lent = await wallet.redeem(phone.show(now))
    assert (lent.status_code, lent.json()["outcome"]) == (422, "not_entitled")
    challenge = b"12345678"
    body = {
        "text": phone.show(now, challenge=challenge),
        "orderNumber": "A-1",
        "orderAmountFen": 200_000,
        "challenge": base64url(challenge),
    }
    taken = await wallet.api.post(REDEMPTIONS, json=body, headers=wallet.shop)
    assert taken.status_code == 201, taken.text


async def test_codes_are_the_owners_alone_and_other_codes_are_told_apart(
    wallet: Wallet, make_buyer: Any
) -> None:
    voucher = await wallet.voucher()
    other = await make_buyer()
    for subject, by, status, reason in (
        (str(voucher), other, 404, "subject-not-found"),
        (str(new_id()), wallet.buyer, 404, "subject-not-found"),
        (None, wallet.buyer, 422, "subject-missing"),
    ):
        wanted = {"kind": "voucher"} | ({"subjectId": subject} if subject else {})
        answer = await wallet.api.post("/codes", json=wanted, headers=by.headers)
        assert (answer.status_code, slug(answer)) == (status, reason)
    identity = await wallet.api.post("/codes", json={"kind": "identity"}, headers=wallet.buyer.headers)
    for text, outcome in ((identity.json()["text"], "wrong_kind"), ("HYB1:?", "malformed")):
        refused = await wallet.redeem(text)
        assert (refused.status_code, slug(refused)) == (422, "code-refused")
        assert refused.json()["outcome"] == outcome


async def test_a_shop_that_looks_first_sees_the_terms_and_no_number(wallet: Wallet) -> None:
    voucher = await wallet.voucher()
    seen = await wallet.api.post(
        "/verifications", json={"text": await wallet.code(voucher), "purpose": "shop"}, headers=wallet.shop
    )
    assert (seen.json()["outcome"], seen.json()["subject"]["thresholdFen"]) == ("valid", 200_000)
    assert str(voucher) not in seen.text
    await wallet.spent(voucher)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"orderAmountFen": 0}, "/orderAmountFen"), ({"orderNumber": ""}, "/orderNumber")],
)
async def test_what_is_no_order_is_named(wallet: Wallet, changes: dict[str, Any], pointer: str) -> None:
    body = {"text": "?", "orderNumber": "A-1", "orderAmountFen": 200_000} | changes
    refused = await wallet.api.post(REDEMPTIONS, json=body, headers=wallet.shop)
    assert refused.status_code == 400, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer
