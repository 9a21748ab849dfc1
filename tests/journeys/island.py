"""What a duty-free shop's till, the register of trips and a carrier do: other programmes than ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.journeys.conftest import Platform
from tests.journeys.people import Document, Verifier

ZONE = "/zones/duty-free"
LINES = [{"category": 17, "quantity": 2, "unitPriceFen": 12_300}]
TOTAL_FEN = 24_600
CARRIER = "demo"


def sold(shop: Verifier, text: str, number: str, *, now: datetime, **how: Any) -> Document:
    """An order of who shows this identity code, and leaves in two days; `how` says how it is picked up."""
    trip = {
        "departsAt": (now + timedelta(days=2)).isoformat(),
        "mode": "flight",
        "number": "HU7182",
        "from": "460100",
        "to": "110000",
    }
    body = {"text": text, "orderNumber": number, "departure": trip, "lines": LINES} | how
    order: Document = shop.post(f"{ZONE}/orders", body, expect=201)
    assert order["state"] == "reserved"
    return order


def travels(platform: Platform, known: Document, *, now: datetime) -> None:
    """Off the island in two days and back in four, as the register of trips will know it."""
    trips = [
        {
            "from": there,
            "to": here,
            "departedAt": (now + timedelta(days=day)).isoformat(),
            "arrivedAt": (now + timedelta(days=day, hours=4)).isoformat(),
        }
        for there, here, day in (("460100", "110000", 2), ("110000", "460100", 4))
    ]
    added = httpx.post(f"{platform.demo['sandbox']}/residents", json=known | {"trips": trips})
    assert added.is_success, added.text


def scanned_by_carrier(platform: Platform, number: str, *, now: datetime) -> None:
    """The carrier has the parcel on its way."""
    scans = [{"at": now.isoformat(), "state": "in_transit", "place": "海口"}]
    sent = {"carrier": CARRIER, "number": number, "scans": scans}
    added = httpx.post(f"{platform.demo['sandbox']}/carrier/parcels", json=sent)
    assert added.is_success, added.text
