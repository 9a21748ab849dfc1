"""On the island: vouchers out of a campaign that runs out, goods free of duty, and home with them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import running
from tests.journeys.island import CARRIER, TOTAL_FEN, ZONE, scanned_by_carrier, sold, travels
from tests.journeys.people import Document, Official, Resident, Verifier, family

pytestmark = pytest.mark.long

WAYBILL = "SF1000000000017"


def test_vouchers_are_claimed_and_spent_and_goods_leave_with_their_buyer(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with running(home) as platform:
        shop = Verifier(platform, "merchant")
        people = [family(platform) for _ in range(3)]
        campaign = _opened(Official(platform, "operator"), shop, stock=2)
        winners = _rush(people, campaign)
        _spend(winners[0], shop)
        _settled(shop, Official(platform, "operator"))
        buyer = people[0]
        kept = _bought(buyer, shop, "G-1", pickUp="on_return")
        to = {"division": "110105", "recipient": buyer.known["name"], "payer": buyer.known["name"]}
        mailed = _bought(buyer, shop, "G-2", pickUp="mail", delivery=to)
        early = shop.http.post(f"{ZONE}/orders/{mailed['id']}/parcel", json=_parcel())
        assert early.status_code == 409, "nobody has left the island yet"
        travels(platform, buyer.known, now=datetime.now(UTC))
    with running(home, HAIYIBAN_CLOCK_OFFSET=str(6 * 24 * 3600)) as platform:
        buyer.move_to(platform)
        buyer.sign_in()
        buyer.prove()
        stranger = family(platform)
        shop = Verifier(platform, "merchant")
        _picked_up(buyer, shop, kept)
        _followed(buyer, stranger, shop, mailed)
        allowance = buyer.get(f"{ZONE}/allowance")
        assert (allowance["reservedFen"], allowance["usedFen"]) == (0, 2 * TOTAL_FEN)
        back = shop.post(f"{ZONE}/orders/{kept['id']}/refund")
        assert back["state"] == "refunded"
        assert buyer.get(f"{ZONE}/allowance")["usedFen"] == TOTAL_FEN
        assert Official(platform, "operator").get(f"{ZONE}/books")["agree"] is True
        assert buyer.known["idNumber"] not in platform.logs()


def _opened(operator: Official, shop: Verifier, *, stock: int) -> str:
    """A campaign from the draft to its opening, for this shop."""
    now = datetime.now(UTC)
    body = {
        "code": "journey",
        "name": "旅程消费券",
        "nameEn": "Voucher of the journey",
        "opensAt": (now - timedelta(minutes=1)).isoformat(),
        "closesAt": (now + timedelta(days=30)).isoformat(),
        "faceFen": 20_000,
        "thresholdFen": 200_000,
        "stock": stock,
        "validHours": 72,
    }
    made = operator.post(f"{ZONE}/desk/campaigns", body, expect=201)
    at = f"{ZONE}/desk/campaigns/{made['id']}"
    early = operator.http.post(f"{at}/opening")
    assert early.status_code == 422, "nobody would take its vouchers"
    operator.patch(at, {"shops": [shop.id]})
    assert operator.post(f"{at}/opening")["state"] == "open"
    return str(made["id"])


def _rush(people: list[Resident], campaign: str) -> list[Resident]:
    """As many as there are get one, the rest read why not; asking again with one's key changes nothing."""
    outcomes: list[httpx.Response] = []
    for place, person in enumerate(people):
        path, key = f"{ZONE}/campaigns/{campaign}/claims", {"Idempotency-Key": f"mine-{place}"}
        first, again = (person.http.post(path, headers=key) for _ in range(2))
        assert first.json() == again.json()
        outcomes.append(first)
    assert [each.status_code for each in outcomes] == [201, 201, 409]
    assert outcomes[2].json()["type"].endswith("sold-out")
    return people[:2]


def _spend(winner: Resident, shop: Verifier) -> None:
    """Not below the threshold, once, taken back the same day, and used again."""
    [voucher] = winner.get(f"{ZONE}/vouchers")["items"]

    def shown() -> Document:
        code = winner.post("/codes", {"kind": "voucher", "subjectId": voucher["id"]}, expect=201)
        return {"text": code["text"], "orderNumber": "A-1"}

    low = shop.http.post(f"{ZONE}/redemptions", json=shown() | {"orderAmountFen": 199_999})
    assert low.json()["type"].endswith("below-threshold")
    scanned = shown() | {"orderAmountFen": 200_000}
    taken, again = (shop.post(f"{ZONE}/redemptions", scanned, expect=201) for _ in range(2))
    assert again["id"] == taken["id"], "the same voucher for the same order is the same redemption"
    assert shop.http.delete(f"{ZONE}/redemptions/{taken['id']}").is_success
    shop.post(f"{ZONE}/redemptions", shown() | {"orderAmountFen": 200_000}, expect=201)


def _settled(shop: Verifier, operator: Official) -> None:
    """The shop's statement, as a table too, and the operator's say the same sum."""
    statement = shop.get(f"{ZONE}/settlement")
    assert statement["agrees"] is True
    assert statement["owedFen"] == 20_000
    table = shop.http.get(f"{ZONE}/settlement.csv")
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert any("200.00" in cell for row in rows for cell in row)
    assert operator.get(f"{ZONE}/books")["agree"] is True


def _bought(buyer: Resident, shop: Verifier, number: str, **how: Any) -> Document:
    code = buyer.post("/codes", {"kind": "identity"}, expect=201)
    before = buyer.get(f"{ZONE}/allowance")["reservedFen"]
    order = sold(shop, code["text"], number, now=datetime.now(UTC), **how)
    assert buyer.get(f"{ZONE}/allowance")["reservedFen"] == before + TOTAL_FEN
    return order


def _picked_up(buyer: Resident, shop: Verifier, order: Document) -> None:
    """The counter hands over once, and says why not a second time."""
    wanted = {"kind": "pickup", "subjectId": order["id"]}
    code = buyer.post("/codes", wanted, expect=201)
    checked = shop.post(f"{ZONE}/pickup-checks", {"text": code["text"]})
    assert checked["outcome"] == "valid", checked
    assert buyer.http.post("/codes", json=wanted).status_code == 409


def _followed(buyer: Resident, stranger: Resident, shop: Verifier, order: Document) -> None:
    """A parcel is sent once its buyer has left; nobody else finds it."""
    shop.post(f"{ZONE}/orders/{order['id']}/parcel", _parcel(), expect=201)
    scanned_by_carrier(buyer.platform, WAYBILL, now=datetime.now(UTC))
    way = buyer.get(f"{ZONE}/parcels/{WAYBILL}")
    assert way["number"] == WAYBILL
    assert stranger.http.get(f"{ZONE}/parcels/{WAYBILL}").status_code == 404


def _parcel() -> Document:
    return {"carrier": CARRIER, "number": WAYBILL}
