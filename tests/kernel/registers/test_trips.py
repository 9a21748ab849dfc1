"""Who travelled when: the register of trips as the zones read it."""

from datetime import UTC, datetime

import httpx
import pytest

from haiyiban.registers import RegisterClient, Trip, leaves_island, returns_to_island, trips_of
from tests.people import Resident

OUT = {
    "from": "460100",
    "to": "110000",
    "departedAt": "2026-03-02T04:00:00Z",
    "arrivedAt": "2026-03-02T07:30:00Z",
    "mode": "flight",
    "number": "HU7182",
}
BACK = {"from": "JPN", "to": "469005", "departedAt": "2026-03-09T04:00:00Z"}


async def test_trips_come_in_the_order_they_were_made(
    client: RegisterClient, sandbox: httpx.AsyncClient
) -> None:
    resident = await Resident().register(sandbox, trips=[BACK, OUT])
    trips = trips_of(await client.ask("trips", resident.id_number))
    assert trips is not None
    first, second = trips
    assert (first.from_, first.to, first.mode, first.number) == ("460100", "110000", "flight", "HU7182")
    assert first.departed_at == datetime(2026, 3, 2, 4, tzinfo=UTC)
    assert (second.arrived_at, second.mode, second.number) == (None, None, None)
    assert (leaves_island(first), returns_to_island(first)) == (True, False)
    assert (leaves_island(second), returns_to_island(second)) == (False, True)


async def test_nobody_travelled_is_not_the_same_as_nobody_could_be_asked(
    client: RegisterClient, sandbox: httpx.AsyncClient
) -> None:
    resident = await Resident().register(sandbox)
    assert trips_of(await client.ask("trips", resident.id_number)) == []
    await sandbox.post("/faults", json={"register": "trips", "mode": "garbage"})
    assert trips_of(await client.ask("trips", resident.id_number)) is None


@pytest.mark.parametrize(("origin", "to"), [("460100", "469028"), ("110000", "440100"), ("JPN", "810000")])
def test_a_journey_within_the_island_or_elsewhere_neither_leaves_nor_returns(origin: str, to: str) -> None:
    trip = Trip(from_=origin, to=to, departed_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert not leaves_island(trip)
    assert not returns_to_island(trip)
