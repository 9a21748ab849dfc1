"""A shop's day of vouchers, held against the ledger, and books that say when they do not balance."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from haiyiban import clock
from haiyiban.db import Database
from services.duty_free.vouchers import books
from services.duty_free.vouchers.models import Campaign, Voucher
from services.duty_free.vouchers.settlement_models import SettlementEntry
from tests import builders
from tests.zones.duty_free.wallet import REDEMPTIONS, Wallet, verifier_id

AT = "/zones/duty-free/settlement"
BOOKS = "/zones/duty-free/books"
DESK = "/zones/duty-free/desk/settlements"


async def a_day(wallet: Wallet) -> dict[str, Any]:
    """Two vouchers used, one of them reversed and used again, half of the other's goods refunded."""
    first, second = await wallet.voucher(), await wallet.voucher()
    redeemed = await wallet.spent(first, "A-1")
    await wallet.api.delete(f"{REDEMPTIONS}/{redeemed['id']}", headers=wallet.shop)
    await wallet.spent(first, "=A-2")
    other = await wallet.spent(second, "A-3")
    refunded = await wallet.api.post(
        f"{REDEMPTIONS}/{other['id']}/refunds",
        json={"refundNumber": "R-1", "goodsFen": 100_000},
        headers=wallet.shop,
    )
    assert refunded.status_code == 201, refunded.text
    return other


async def test_a_day_shows_every_act_and_its_sums_are_those_of_the_ledger(wallet: Wallet) -> None:
    await a_day(wallet)
    answer = await wallet.api.get(AT, headers=wallet.shop)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert [(line["kind"], line["amountFen"]) for line in said["items"]] == [
        ("redemption", 20_000),
        ("reversal", -20_000),
        ("redemption", 20_000),
        ("redemption", 20_000),
        ("refund", -10_000),
    ]
    sums = [said[name] for name in ("redeemedFen", "reversedFen", "refundedFen", "owedFen", "ledgerFen")]
    assert sums == [60_000, -20_000, -10_000, 30_000, 30_000]
    assert (said["agrees"], said["isFinal"], said["next"]) == (True, False, None)
    assert wallet.buyer.person.name not in answer.text
    table = await wallet.api.get(f"{AT}.csv", headers=wallet.shop)
    assert table.headers["content-type"].startswith("text/csv")
    _, *rows = csv.reader(io.StringIO(table.content.decode("utf-8-sig")))
    assert [row[6] for row in rows] == ["200.00", "-200.00", "200.00", "200.00", "-100.00", "300.00", ""]
    assert rows[2][3] == "'=A-2", "nothing that somebody wrote is run by a spreadsheet"
    assert rows[-1][:2] == ["与账簿核对", "一致"]


async def test_another_day_and_another_shop_have_nothing_of_it(wallet: Wallet, make_shop: Any) -> None:
    await wallet.spent(await wallet.voucher())
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    before = (await wallet.api.get(AT, params={"day": yesterday}, headers=wallet.shop)).json()
    assert (before["items"], before["owedFen"], before["isFinal"]) == ([], 0, True)
    other = (await wallet.api.get(AT, headers=await make_shop())).json()
    assert (other["items"], other["agrees"]) == ([], True)
    assert (await wallet.api.get(AT, params={"day": "nonsense"}, headers=wallet.shop)).status_code == 400
    for address in (AT, f"{AT}.csv", BOOKS):
        assert (await wallet.api.get(address)).status_code == 401
        assert (await wallet.api.get(address, headers=wallet.buyer.headers)).status_code == 403


async def test_the_operator_sees_every_shops_day_in_sums(wallet: Wallet) -> None:
    await a_day(wallet)
    operator = await builders.staff(wallet.api, role="operator")
    told = await wallet.api.get(DESK, params={"day": clock.today().isoformat()}, headers=operator)
    assert told.status_code == 200, told.text
    [ours] = [each for each in told.json()["items"] if each["merchantId"] == str(verifier_id(wallet.shop))]
    assert (ours["lines"], ours["owedFen"], ours["ledgerFen"], ours["agrees"]) == (5, 30_000, 30_000, True)
    assert told.json()["isFinal"] is False
    before = (await wallet.api.get(DESK, headers=operator)).json()
    assert before["day"] == (clock.today() - timedelta(days=1)).isoformat()
    assert str(verifier_id(wallet.shop)) not in [each["merchantId"] for each in before["items"]]
    assert (await wallet.api.get(DESK, headers=wallet.shop)).status_code == 403


async def test_a_statement_that_the_ledger_does_not_bear_out_says_so(wallet: Wallet) -> None:
    other = await a_day(wallet)
    async with wallet.database.transaction() as session:
        of_it = SettlementEntry.redemption_id == UUID(other["id"])
        await session.execute(delete(SettlementEntry).where(of_it, SettlementEntry.kind == "refund"))
    said = (await wallet.api.get(AT, headers=wallet.shop)).json()
    assert (said["agrees"], said["owedFen"], said["ledgerFen"]) == (False, 30_000, 40_000)
    table = await wallet.api.get(f"{AT}.csv", headers=wallet.shop)
    assert "不一致，请勿付款" in table.content.decode()


async def test_books_that_do_not_balance_are_told_and_the_hourly_task_fails(
    wallet: Wallet, caplog: pytest.LogCaptureFixture
) -> None:
    voucher = await wallet.voucher()
    redeemed = UUID((await wallet.spent(voucher))["id"])
    ours = {str(voucher), str(redeemed)}
    async with wallet.database.reading() as session:
        ours.add(str((await session.get_one(Voucher, voucher)).campaign_id))

    async def told() -> set[tuple[str, int, int]]:
        found = await books.look()
        return {(each.kind, each.expected, each.found) for each in found if each.object_id in ours}

    assert await told() == set()
    async with wallet.database.transaction() as session:
        given = await session.get_one(Voucher, voucher)
        campaign = await session.get_one(Campaign, given.campaign_id)
        given.state, campaign.stock_left = "claimed", campaign.stock_left + 1
        await session.execute(
            update(SettlementEntry)
            .where(SettlementEntry.redemption_id == redeemed)
            .values(amount_fen=SettlementEntry.amount_fen + 1)
        )
    assert await told() == {
        ("stock", 0, 1),
        ("days", 0, 1),
        ("voucher", 0, 1),
        ("redemption", 20_000, 20_001),
    }
    with pytest.raises(books.BooksDisagree):
        await books.check(b"")
    assert str(redeemed) in caplog.text
    operator = await builders.staff(wallet.api, role="operator")
    said = (await wallet.api.get(BOOKS, headers=operator)).json()
    assert said["agree"] is False
    assert str(redeemed) in [each["id"] for each in said["items"]]
    clerk = await builders.staff(wallet.api, role="clerk")
    assert (await wallet.api.get(BOOKS, headers=clerk)).status_code == 403


async def test_the_operator_reads_figures_and_takes_all_shops_away_as_a_table(
    wallet: Wallet, database: Database
) -> None:
    await a_day(wallet)
    operator = await builders.staff(wallet.api, role="operator")
    today = {"day": clock.today().isoformat()}
    table = await wallet.api.get(f"{DESK}.csv", params=today, headers=operator)
    assert table.headers["content-type"].startswith("text/csv")
    _, *rows = csv.reader(io.StringIO(table.content.decode("utf-8-sig")))
    told = (await wallet.api.get(DESK, params=today, headers=operator)).json()
    assert len(rows) == len(told["items"]) + 1
    assert rows[-1][0] == "合计"
    assert float(rows[-1][2]) * 100 == told["owedFen"]
    voucher = await wallet.voucher()
    await wallet.spent(voucher)
    async with database.reading() as session:
        campaign = str((await session.get_one(Voucher, voucher)).campaign_id)
    at = f"/zones/duty-free/desk/campaigns/{campaign}/figures"
    figures = (await wallet.api.get(at, headers=operator)).json()
    assert (figures["claimed"], figures["redeemed"], figures["savedFen"]) == (1, 1, 20_000)
    missing = await wallet.api.get(at.replace(campaign, str(UUID(int=1))), headers=operator)
    assert missing.status_code == 404
