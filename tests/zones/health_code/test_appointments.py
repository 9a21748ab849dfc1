"""Appointments for vaccination: never more than there are places, never two for one person."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.outbox import OutboxMessage
from services.health_code.models import Slot
from tests import builders

ZONE = "/zones/health-code"


def hours(**more: Any) -> dict[str, Any]:
    at = clock.now() + timedelta(days=3)
    return {
        "division": "460105",
        "siteZh": "秀英区人民医院",
        "startsAt": at.isoformat(),
        "endsAt": (at + timedelta(hours=2)).isoformat(),
        "capacity": 2,
    } | more


async def opened(api: httpx.AsyncClient, **more: Any) -> str:
    clerk = await builders.staff(api, agency="health")
    answer = await api.post(f"{ZONE}/desk/slots", json=hours(**more), headers=clerk)
    assert answer.status_code == 201, answer.text
    return f"{ZONE}/slots/{answer.json()['id']}/appointments"


async def test_the_desk_lists_its_own_hours_full_ones_too(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    slot = await opened(api, capacity=1)
    taken = await api.post(slot, headers=await builders.resident(api, sandbox))
    assert taken.status_code == 201, taken.text
    clerk = await builders.staff(api, agency="health")
    listed = (await api.get(f"{ZONE}/desk/slots", params={"limit": 100}, headers=clerk)).json()["items"]
    (mine,) = [row for row in listed if row["id"] in slot]
    assert (mine["left"], mine["capacity"]) == (0, 1)
    elsewhere = await builders.staff(api, agency="health", division="460203")
    theirs = await api.get(f"{ZONE}/desk/slots", headers=elsewhere)
    assert not [row for row in theirs.json()["items"] if row["id"] in slot]
    other = await builders.staff(api, agency="education")
    assert (await api.get(f"{ZONE}/desk/slots", headers=other)).status_code == 403


async def test_of_a_crowd_as_many_get_a_place_as_there_are(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    slot = await opened(api)
    crowd = [await builders.resident(api, sandbox) for _ in range(4)]
    answers = await asyncio.gather(*(api.post(slot, headers=one) for one in crowd))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    assert {builders.slug(one) for one in answers if one.status_code == 409} == {"slot-full"}
    listed = await api.get(f"{ZONE}/slots", params={"division": "460105"}, headers=crowd[0])
    assert not [row for row in listed.json()["items"] if row["id"] in slot], "a full one is not offered"
    winner = next(one for one, answer in zip(crowd, answers, strict=True) if answer.status_code == 201)
    mine = (await api.get(f"{ZONE}/appointments", headers=winner)).json()["items"]
    async with database.reading() as session:
        about = select(OutboxMessage.id).where(OutboxMessage.about == UUID(mine[0]["id"]))
        assert len((await session.scalars(about)).all()) == 1, "the reminder is promised"
    path = f"{ZONE}/appointments/{mine[0]['id']}/cancellation"
    loser = next(one for one, answer in zip(crowd, answers, strict=True) if answer.status_code == 409)
    assert (await api.post(path, headers=loser)).status_code == 404
    for _ in range(2):
        cancelled = await api.post(path, headers=winner)
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert cancelled.json()["slot"]["left"] == 1, "given back once"
    assert (await api.post(slot, headers=loser)).status_code == 201


async def test_one_person_has_one_appointment_whatever_they_click(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    slots = [await opened(api), await opened(api)]
    one = await builders.resident(api, sandbox)
    answers = await asyncio.gather(*(api.post(slot, headers=one) for slot in slots))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {builders.slug(answer) for answer in answers if answer.status_code == 409} == {"already-booked"}
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    async with database.transaction() as session:
        past = clock.now() - timedelta(hours=5)
        await session.execute(
            update(Slot)
            .where(Slot.id == made["slot"]["id"])
            .values(starts_at=past, ends_at=past + timedelta(hours=1))
        )
    late = await api.post(f"{ZONE}/appointments/{made['id']}/cancellation", headers=one)
    assert (late.status_code, builders.slug(late)) == (409, "slot-over")
    over = await api.post(f"{ZONE}/slots/{made['slot']['id']}/appointments", headers=one)
    assert (over.status_code, builders.slug(over)) == (409, "slot-over")
    assert (await api.post(await opened(api), headers=one)).status_code == 201, "the old one is over"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"division": "460106"}, "/division"),
        ({"siteZh": " "}, "/siteZh"),
        ({"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-01T01:00:00Z"}, "/startsAt"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "/endsAt"),
    ],
)
async def test_hours_that_cannot_be_are_refused(
    api: httpx.AsyncClient, wrong: dict[str, str], pointer: str
) -> None:
    clerk = await builders.staff(api, agency="health")
    answer = await api.post(f"{ZONE}/desk/slots", json=hours(**wrong), headers=clerk)
    assert (answer.status_code, builders.slug(answer)) == (422, "invalid-slot")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
