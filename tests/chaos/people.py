"""What people do, again and again until they are told, and what they were told."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
from PIL import Image
from sqlalchemy.exc import DBAPIError

from haiyiban import clock, verifiers
from haiyiban.db import database
from haiyiban.errors import Words
from haiyiban.identity import persons, staff
from services.duty_free.vouchers.models import Campaign
from tests import builders

Document = dict[str, Any]
Headers = dict[str, str]

LICENCE = "public-security.driving-licence-replacement"
FOOD = "market-regulation.food-business-licence"
PATIENCE_SECONDS = 600.0
"""After which somebody who was told nothing is a fault of ours; a busy machine is slow to start its parts."""


class NeverTold(Exception):
    """Asked for ten minutes, and never told anything."""


@dataclass
class Told:
    """Everything that anybody was told, in the words of whoever was told it."""

    vouchers: dict[UUID, str] = field(default_factory=dict)
    """Person → voucher."""
    sold_out: int = 0
    cases: dict[UUID, Document] = field(default_factory=dict)
    """Case → the newest that was said of it: applicant, phone, mailTo, number, state."""
    files: dict[UUID, tuple[UUID, bytes]] = field(default_factory=dict)
    """File → its case, and its bytes as they were shown again."""
    valid: dict[UUID, str] = field(default_factory=dict)
    """Verification of which a gate was told that it let somebody in → the single-use code."""
    acknowledged: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    """Requests that broke off or were asked to come again, by status or kind."""
    last_good: float = field(default_factory=time.monotonic)
    """When somebody was last told something."""
    longest_silence: float = 0.0
    """Seconds in which nobody was told anything, since this was last set to nought."""
    longest_wait: float = 0.0
    """Seconds that somebody went on asking the same."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody was told something."""

    def note(self, what: str) -> None:
        now = time.monotonic()
        self.acknowledged[what] += 1
        self.longest_silence = max(self.longest_silence, now - self.last_good)
        self.last_good = now
        self.heard.set()


class Arrived(NamedTuple):
    """Somebody signed in."""

    person: UUID
    phone: str
    headers: Headers


@dataclass
class World:
    """Where people live: the platform's address, the campaign, the desk and the gates."""

    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    campaign: UUID
    clerk: tuple[str, str]
    """Name and password."""
    gates: list[tuple[str, str]]
    """Client ids and secrets."""
    told: Told
    dice: random.Random
    clerk_headers: Headers = field(default_factory=dict)
    gate_headers: list[Headers] = field(default_factory=list)

    async def ask(
        self,
        method: str,
        path: str,
        headers: Headers,
        body: Document | None = None,
        *,
        refusals: tuple[int, ...] = (),
        again: Callable[[], Awaitable[Headers]] | None = None,
    ) -> httpx.Response:
        """Until something is said: a success, or one of `refusals`. One key for all tries of a POST.

        `again`: signs in anew, for a session that is over. Raises NeverTold.
        """
        if method == "POST":
            headers = headers | {"Idempotency-Key": str(uuid4())}
        deadline = time.monotonic() + PATIENCE_SECONDS
        last = ""
        while time.monotonic() < deadline:
            try:
                answer = await self.api.request(method, f"/api/v1{path}", json=body, headers=headers)
            except httpx.TransportError as error:
                last = type(error).__name__
            else:
                if answer.is_success or answer.status_code in refusals:
                    waited = PATIENCE_SECONDS - (deadline - time.monotonic())
                    self.told.longest_wait = max(self.told.longest_wait, waited)
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
                # Whose clock is wrong takes nobody's session for good, so 401 is asked again too.
                retried = answer.status_code >= 500 or answer.status_code in {401, 409, 429}
                assert retried, f"{method} {path}: {last}"
                if answer.status_code == 401 and again is not None:
                    headers = headers | await again()
            self.told.troubles[last.partition(" ")[0]] += 1
            await asyncio.sleep(0.1 + self.dice.random() / 5)
        raise NeverTold(f"{method} {path}: {last}")

    async def sign_in_clerk(self) -> Headers:
        name, password = self.clerk
        body = {"method": "staff", "username": name, "password": password}
        answer = await self.ask("POST", "/auth/sessions", {}, body)
        self.clerk_headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
        return self.clerk_headers

    async def sign_in_gate(self, index: int) -> Headers:
        client_id, secret = self.gates[index]
        body = {"clientId": client_id, "clientSecret": secret}
        answer = await self.ask("POST", "/auth/verifiers/token", {}, body)
        self.gate_headers[index] = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
        return self.gate_headers[index]

    async def arrive(self) -> Arrived:
        """Somebody new, at L3; who they are is not what is tried here, so the database is asked directly."""
        somebody = await builders.settle(self.sandbox, builders.Somebody())
        while True:
            try:
                grant = await builders.arrive(somebody.name, somebody.id_number, somebody.phone)
                async with database().transaction() as session:
                    person = await persons.by_id_number(session, somebody.id_number)
                break
            except (OSError, DBAPIError):
                await asyncio.sleep(0.2)
        assert person is not None
        return Arrived(person.id, somebody.phone, {"Authorization": f"Bearer {grant.access_token}"})


async def claims(world: World) -> None:
    """A voucher, while there are any."""
    person, _, headers = await world.arrive()
    path = f"/zones/duty-free/campaigns/{world.campaign}/claims"
    answer = await world.ask("POST", path, headers, refusals=(409,))
    while answer.status_code == 409 and "sold-out" not in answer.json()["type"]:
        answer = await world.ask("POST", path, headers, refusals=(409,))
    if answer.status_code == 409:
        world.told.sold_out += 1
        world.told.note("sold out")
        return
    world.told.vouchers[person] = answer.json()["voucherId"]
    world.told.note("claimed")


async def applies(world: World) -> None:
    """A draft, changed three times, handed in, accepted and approved by a clerk."""
    person, phone, headers = await world.arrive()
    case = (await world.ask("POST", "/cases", headers, {"matter": LICENCE})).json()
    known: Document = {"applicant": person, "phone": phone, "state": "draft", "mailTo": None}
    world.told.cases[UUID(case["id"])] = known
    world.told.note("opened")
    for turn in range(3):
        form = {"reason": "lost", "mailTo": f"海口市示例路 {turn} 号"}
        case = (await world.ask("PATCH", f"/cases/{case['id']}", headers, {"form": form})).json()
        known["mailTo"] = form["mailTo"]
        world.told.note("saved")
    case = (await world.ask("POST", f"/cases/{case['id']}/submission", headers, {})).json()
    known |= {"state": case["state"], "number": case["number"]}
    world.told.note("handed in")
    for verb in ("accept", "approve"):
        path = f"/desk/cases/{case['id']}/{verb}"
        decided = await world.ask("POST", path, world.clerk_headers, {}, again=world.sign_in_clerk)
        known["state"] = decided.json()["state"]
        world.told.note(verb)


async def hands_in_a_file(world: World) -> None:
    """A photo to a draft."""
    headers = (await world.arrive()).headers
    case = (await world.ask("POST", "/cases", headers, {"matter": FOOD})).json()
    written = io.BytesIO()
    size = world.dice.randrange(40, 120), world.dice.randrange(40, 120)
    Image.effect_noise(size, 40).convert("RGB").save(written, "JPEG")
    body = {"name": "平面图.jpg", "content": base64.b64encode(written.getvalue()).decode()}
    path = f"/cases/{case['id']}/materials/floor-plan/files"
    kept = (await world.ask("POST", path, headers, body)).json()
    whole = f"/cases/{case['id']}/files/{kept['id']}"
    content = (await world.ask("GET", whole, headers)).content
    world.told.files[UUID(kept["id"])] = UUID(case["id"]), content
    world.told.note("file")


async def passes_a_gate(world: World) -> None:
    """A code that two gates scan at the same moment: one of them lets its holder in."""
    headers = (await world.arrive()).headers
    shown = (await world.ask("POST", "/codes", headers, {"kind": "identity"})).json()
    world.told.note("shown")

    async def scanned(index: int) -> None:
        body = {"text": shown["text"], "purpose": "gate"}
        answer = await world.ask(
            "POST",
            "/verifications",
            world.gate_headers[index],
            body,
            again=lambda: world.sign_in_gate(index),
        )
        if answer.json()["outcome"] == "valid":
            world.told.valid[UUID(answer.json()["id"])] = shown["id"]
            world.told.note("let in")
        else:
            world.told.note("not let in")

    await asyncio.gather(*(scanned(index) for index in range(len(world.gates))))


LIVES = (claims, applies, hands_in_a_file, passes_a_gate)


@asynccontextmanager
async def living(world: World, people: int) -> AsyncIterator[None]:
    """One life after the other; at the end, who is about something is let finish."""
    is_over = asyncio.Event()

    async def live(turn: int) -> None:
        for life in itertools.islice(itertools.cycle(LIVES), turn, None):
            if is_over.is_set():
                return
            await life(world)

    async with asyncio.TaskGroup() as group:
        for turn in range(people):
            group.create_task(live(turn))
        yield
        is_over.set()


async def made(url: str, sandbox_url: str, *, stock: int, seed: int) -> World:
    """A world with a campaign of so many vouchers, a clerk and two gates; its clients are open."""
    campaign, now = uuid4(), clock.now()
    clerk = f"clerk-{uuid4().hex[:8]}", uuid4().hex
    secrets = [verifiers.new_secret() for _ in range(2)]
    async with database().transaction() as session:
        session.add(_campaign(campaign, stock=stock))
        await staff.create(
            session,
            clerk[0],
            password=clerk[1],
            roles=["clerk"],
            agency="public-security",
            division="460100",
        )
        for index, secret in enumerate(secrets):
            who = await verifiers.accredit(
                session, Words(f"门岗 {index}", "A gate"), unit="education", purposes=["gate"], now=now
            )
            await verifiers.add_client(session, who, secret, now=now)
    world = World(
        httpx.AsyncClient(base_url=url, timeout=20, limits=httpx.Limits(max_connections=200)),
        httpx.AsyncClient(base_url=sandbox_url, timeout=30),
        campaign,
        clerk,
        [(secret.client_id, secret.client_secret) for secret in secrets],
        Told(),
        random.Random(seed),
        gate_headers=[{} for _ in secrets],
    )
    await world.sign_in_clerk()
    for index in range(len(world.gates)):
        await world.sign_in_gate(index)
    return world


def _campaign(campaign: UUID, *, stock: int) -> Campaign:
    return Campaign(
        id=campaign,
        code=f"chaos-{campaign.hex[:8]}",
        name="消费券",
        name_en="Voucher",
        opens_at=clock.now() - timedelta(hours=1),
        closes_at=clock.now() + timedelta(hours=12),
        face_fen=20000,
        threshold_fen=200000,
        stock=stock,
        stock_left=stock,
        per_person=1,
        per_person_day=1,
        valid_hours=72,
        state="open",
        min_level="L3",
        for_visitors=True,
        stack_most=1,
    )
