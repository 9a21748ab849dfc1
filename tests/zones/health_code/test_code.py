"""The code over HTTP: what it shows, what a phone and a terminal make of it, and registers that are away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, verifiers
from haiyiban.audit.models import AuditRecord
from haiyiban.clock import SHANGHAI
from haiyiban.codes.claims import Colour as Shade
from haiyiban.codes.claims import HealthBody, Kind
from haiyiban.codes.deny_source import entries
from haiyiban.codes.envelope import parse_capsule
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import persons
from services.health_code.models import Status
from services.health_code.tasks import recheck
from tests import builders
from tests.phone import Phone

PATH = "/zones/health-code/code"
DECLARATIONS = "/zones/health-code/declarations"


def ago(**span: float) -> str:
    return (clock.now() - timedelta(**span)).isoformat()


def day(ago: int) -> str:
    return (clock.today() - timedelta(days=ago)).isoformat()


def well(**more: Any) -> builders.Somebody:
    """Somebody tested negative yesterday evening and fully vaccinated."""
    facts: dict[str, Any] = {
        "tests": [{"result": "negative", "sampledAt": ago(hours=30)}],
        "vaccinations": [{"product": "inactivated"}, {"product": "inactivated"}],
    }
    return builders.Somebody(name="符健康", more=facts | more)


async def shown(api: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = await api.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def codes(found: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in found["reasons"]]


async def phone_of(api: httpx.AsyncClient, headers: dict[str, str]) -> Phone:
    me = (await api.get("/me", headers=headers)).json()
    return Phone(api, headers, UUID(me["accountId"]))


async def person_of(session: AsyncSession, somebody: builders.Somebody) -> UUID:
    person = await persons.by_id_number(session, somebody.id_number)
    assert person is not None
    return person.id


async def gate_of(api: httpx.AsyncClient, database: Database) -> dict[str, str]:
    """A verifier at a gate, signed in."""
    secret = verifiers.new_secret()
    async with database.transaction() as session:
        verifier = await verifiers.accredit(
            session,
            Words(f"东门{uuid4().hex[:8]}", "The east gate"),
            unit="health",
            purposes=("gate",),
            now=clock.now(),
        )
        await verifiers.add_client(session, verifier, secret, now=clock.now())
    answer = await api.post(
        "/auth/verifiers/token", json={"clientId": secret.client_id, "clientSecret": secret.client_secret}
    )
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def test_who_is_well_is_green_with_a_gold_edge_and_a_code_of_a_minute(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    trip = {"from": "110105", "to": "460100", "departedAt": ago(days=3), "arrivedAt": ago(days=2.9)}
    headers = await builders.resident(api, sandbox, well(trips=[trip]))
    found = await shown(api, headers)
    assert (found["colour"], found["golden"], found["negativeWithinHours"]) == ("green", True, 48)
    assert (codes(found), found["isCurrent"], found.get("reminder")) == (["none"], True, None)
    assert found["text"].startswith("HYB1:")
    life = datetime.fromisoformat(found["expiresAt"]) - clock.now()
    assert timedelta(seconds=50) < life <= timedelta(seconds=60)
    assert [place["division"] for place in found["itinerary"]] == ["110100", "460100"]
    assert [place["name"] for place in found["itinerary"]] == ["北京市", "海口市"]
    assert found["rules"]["confidence"] == "example"
    me = (await api.get("/me", headers=headers)).json()["accountId"]
    async with database.reading() as session:
        acts = set(
            await session.scalars(
                select(AuditRecord.reason).where(
                    AuditRecord.action == "registers.read", AuditRecord.actor_id == me
                )
            )
        )
    assert {"health-code: tests", "health-code: vaccinations", "health-code: trips"} <= acts


@pytest.mark.parametrize(
    ("facts", "colour", "why"),
    [
        ({"contacts": [{"kind": "close_contact", "since": day(2)}]}, "red", "isolated"),
        ({"tests": [{"result": "positive", "sampledAt": ago(hours=3)}]}, "red", "positive-test"),
        (
            {"contacts": [{"kind": "confirmed", "since": day(20), "releasedOn": day(13)}]},
            "yellow",
            "released",
        ),
        ({"contacts": [{"kind": "exposure", "since": day(1), "minutes": 30}]}, "yellow", "exposure"),
    ],
)
async def test_the_registers_make_it_red_or_yellow_and_it_says_why(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, facts: dict[str, Any], colour: str, why: str
) -> None:
    headers = await builders.resident(api, sandbox, well(**facts))
    found = await shown(api, {**headers, "Accept-Language": "en"})
    assert (found["colour"], codes(found)) == (colour, [why])
    assert found["reasons"][0]["text"].startswith("You")


async def test_a_declaration_makes_it_yellow_at_once_and_takes_the_green_one_off_the_phone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    headers = await builders.resident(api, sandbox, well(vaccinations=[{"product": "inactivated"}]))
    phone = await (await phone_of(api, headers)).bind("health")
    green = parse_capsule(phone.capsule).claims
    assert green.kind == Kind.HEALTH
    assert isinstance(green.body, HealthBody)
    assert (green.body.name, green.body.colour, green.body.golden) == ("符*康", Shade.GREEN, False)
    assert green.body.negative_within_hours == 48
    assert green.exp - green.iat == 4 * 3600
    assert green.cti not in await entries(clock.now())

    said = await api.post(
        DECLARATIONS, json={"symptoms": True}, headers={**headers, "Idempotency-Key": "fever"}
    )
    assert said.status_code == 201, said.text
    assert (said.json()["colour"], codes(said.json())) == ("yellow", ["symptoms"])
    assert said.json()["reminder"]
    assert green.cti in await entries(clock.now())
    assert (await api.get(f"/codes/{phone.id}", headers=headers)).json()["state"] == "withdrawn"

    await api.post(DECLARATIONS, json={"symptoms": False}, headers=headers)
    assert (await shown(api, headers))["colour"] == "yellow"
    yellow = parse_capsule((await phone.bind("health")).capsule).claims
    assert isinstance(yellow.body, HealthBody)
    assert yellow.body.colour == Shade.YELLOW
    assert yellow.cti not in await entries(clock.now())


async def test_a_capsule_ends_with_the_window_of_its_test(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    tested = clock.now() - timedelta(hours=23)
    somebody = well(tests=[{"result": "negative", "sampledAt": tested.isoformat()}])
    phone = await phone_of(api, await builders.resident(api, sandbox, somebody))
    claims = parse_capsule((await phone.bind("health")).capsule).claims
    assert claims.exp == int((tested + timedelta(hours=24)).timestamp())


async def test_registers_that_are_away_leave_the_last_known_colour_with_its_age_and_never_a_silent_green(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = well()
    headers = await builders.resident(api, sandbox, somebody)
    stranger = await builders.resident(api, sandbox, well())
    before = await shown(api, headers)
    await sandbox.post("/faults", json={"register": "contacts", "mode": "error"})
    found = await shown(api, headers)
    assert (found["colour"], found["isCurrent"], codes(found)) == ("green", False, ["last-known"])
    assert found["asOf"] == before["asOf"]
    at = datetime.fromisoformat(found["asOf"]).astimezone(SHANGHAI)
    assert f"{at:%Y-%m-%d %H:%M}" in found["reasons"][0]["text"]
    unknown = await shown(api, stranger)
    assert (unknown["colour"], codes(unknown)) == ("grey", ["unanswered"])

    said = await api.post(DECLARATIONS, json={"symptoms": True}, headers=headers)
    assert said.json()["colour"] == "yellow"

    async with database.transaction() as session:
        await session.execute(
            update(Status)
            .where(Status.colour == "yellow", Status.person_id == await person_of(session, somebody))
            .values(colour="red", decided_at=clock.now() - timedelta(hours=23))
        )
    kept = await shown(api, headers)
    assert (kept["colour"], kept["isCurrent"]) == ("red", False)


async def test_what_a_register_learns_later_withdraws_the_code_on_the_phone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    somebody = well()
    headers = await builders.resident(api, sandbox, somebody)
    phone = await (await phone_of(api, headers)).bind("health")
    somebody.more["contacts"] = [{"kind": "close_contact", "since": day(0)}]
    await builders.settle(sandbox, somebody)
    async with database.transaction() as session:
        await session.execute(
            update(Status)
            .where(Status.person_id == await person_of(session, somebody))
            .values(asked_at=clock.now() - timedelta(minutes=11))
        )
    await recheck(b"")
    assert parse_capsule(phone.capsule).claims.cti in await entries(clock.now())


async def test_a_gate_reads_the_colour_of_now_and_a_masked_name(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    headers = await builders.resident(api, sandbox, well())
    text = (await shown(api, headers))["text"]
    gate = await gate_of(api, database)
    seen = await api.post(
        "/verifications", json={"text": text, "purpose": "gate", "expectedKind": "health"}, headers=gate
    )
    answer = seen.json()
    assert (answer["outcome"], answer["kind"], answer["holder"]["name"]) == ("valid", "health", "符*康")
    assert answer["subject"]["colour"] == "green"
    assert answer["subject"]["negativeWithinHours"] == 48
    log = (await api.get("/me/access-log", headers=headers)).json()
    assert len(log["items"]) == 1


async def test_a_health_code_is_shown_from_l3_on_of_oneself_and_to_residents_alone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    assert (await api.get(PATH)).status_code == 401
    assert (await api.post(DECLARATIONS, json={"symptoms": False})).status_code == 401
    low = await builders.sign_in(api, sandbox, builders.phone())
    assert builders.slug(await api.get(PATH, headers=low)) == "step-up-needed"
    headers = await builders.resident(api, sandbox, well())
    other = {"kind": "health", "subjectId": "019ac000-0000-7000-8000-000000000000"}
    refused = await api.post("/codes", json=other, headers=headers)
    assert (refused.status_code, builders.slug(refused)) == (404, "subject-not-found")
    wrong = await api.post(DECLARATIONS, json={"symptoms": "no"}, headers=headers)
    assert wrong.status_code == 400
