"""People for tests: fresh each time, known to the sandbox's registers, signed in over HTTP."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from haiyiban import clock, context
from haiyiban.context import Context
from haiyiban.db import database
from haiyiban.identity import accounts, binding, one_person, real_name, sessions
from haiyiban.identity import staff as identity_staff
from haiyiban.identity.callers import Level
from haiyiban.identity.sessions import Grant
from haiyiban.residents import IdType, resident_check_digit

_serial = itertools.count(1)
_given: set[str] = set()
FIRST_FREE = 200
"""Order codes below are the sandbox's own people's: a number of theirs made by chance would make two children
one, and the place of the one the other's."""
_random = random.Random(os.getpid())


def id_number(birth: date | None = None, *, division: str = "460105") -> str:
    """A fresh identity number with a right check digit, of an adult unless born otherwise."""
    while True:
        day = birth or date(1980, 1, 1) + timedelta(days=_random.randrange(5000))
        first17 = f"{division}{day:%Y%m%d}{_random.randrange(FIRST_FREE, 1000):03d}"
        if first17 not in _given:
            _given.add(first17)
            return first17 + resident_check_digit(first17)


def phone() -> str:
    """A fresh mobile number."""
    return f"1{_random.choice('3578')}{_random.randrange(10**9):09d}"


def school_age() -> date:
    """A birth date in the cohort that starts school in the current school year."""
    today = date.today()  # noqa: DTZ011 - a birth date in Hainan, where the test's machine may not be
    year = today.year if (today.month, today.day) <= (8, 31) else today.year + 1
    return date(year - 7, 10, 1 + next(_serial) % 28)


@dataclass
class Somebody:
    """A resident of the sandbox's world."""

    name: str = "陈海"
    id_number: str = field(default_factory=id_number)
    phone: str = field(default_factory=phone)
    division: str = "460105"
    address: str = "海南省海口市秀英区海秀街道椰风小区1栋101室"
    hukou_since: str = "2015-01-01"
    home: dict[str, Any] | None = None
    children: list[dict[str, str]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The body of the sandbox's POST /residents."""
        return {
            "name": self.name,
            "idNumber": self.id_number,
            "phone": self.phone,
            "division": self.division,
            "hukou": {"address": self.address, "division": self.division, "since": self.hukou_since},
            **({"home": self.home} if self.home else {}),
            **({"children": self.children} if self.children else {}),
            **self.more,
        }


def child(name: str = "陈小海", *, birth: date | None = None) -> dict[str, str]:
    """A child who starts school this school year, unless born otherwise."""
    return {"name": name, "idNumber": id_number(birth or school_age())}


async def settle(sandbox: httpx.AsyncClient, somebody: Somebody) -> Somebody:
    """Make every register know somebody."""
    answer = await sandbox.post("/residents", json=somebody.document())
    assert answer.is_success, answer.text
    return somebody


async def sms_code(sandbox: httpx.AsyncClient, number: str, *, seen: int = 0) -> str:
    """The newest code in a phone's inbox, once more than `seen` messages are there."""
    for _ in range(1200):
        messages = (await sandbox.get("/sms", params={"phone": number})).json()
        # A notice may arrive after the code.
        codes = [message["code"] for message in messages[: len(messages) - seen] if message.get("code")]
        if codes:
            return str(codes[0])
        await asyncio.sleep(0.05)
    raise AssertionError("no SMS code came within a minute")


async def sign_in(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, number: str) -> dict[str, str]:
    """Sign in by SMS; the headers of the session."""
    seen = len((await sandbox.get("/sms", params={"phone": number})).json())
    asked = await api.post("/auth/sms-codes", json={"phone": number})
    assert asked.status_code == 202, asked.text
    code = await sms_code(sandbox, number, seen=seen)
    session = await api.post("/auth/sessions", json={"method": "sms", "phone": number, "code": code})
    assert session.status_code == 201, session.text
    return {"Authorization": f"Bearer {session.json()['accessToken']}"}


async def prove(api: httpx.AsyncClient, headers: dict[str, str], somebody: Somebody) -> None:
    """Give the real name and pass a face check: L3."""
    named = await api.post(
        "/me/real-name",
        json={"name": somebody.name, "idType": "111", "idNumber": somebody.id_number},
        headers=headers,
    )
    assert named.status_code == 200, named.text
    check = await api.post("/me/face-checks", headers=headers)
    assert check.status_code == 201, check.text
    passed = await api.post(
        f"/me/face-checks/{check.json()['id']}/result", json={"faceToken": "pass"}, headers=headers
    )
    assert passed.status_code == 200, passed.text
    assert passed.json()["assurance"] == "L3"


async def resident(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, somebody: Somebody | None = None
) -> dict[str, str]:
    """Somebody new, known to the registers and signed in at L3; the headers of the session."""
    somebody = await settle(sandbox, somebody or Somebody())
    grant = await arrive(somebody.name, somebody.id_number, somebody.phone)
    return {"Authorization": f"Bearer {grant.access_token}"}


async def arrive(name: str, id_number: str, number: str) -> Grant:
    """A session at L3, as a sign-in, a real name and a face check leave it.

    By the same functions as the operations, without SMS, register and vendor: those are tested where they are
    the point, and hundreds of tests only need somebody who has been through them.
    """
    context.enter(Context(request_id="arrive", actor_kind="anonymous"))
    async with database().transaction() as session:
        account = await accounts.find_or_create(session, number)
        grant = await sessions.open_resident(session, account, device_token=None, label="")
        sign_in = (await sessions.living(session, account.id))[-1]
        document = real_name.check(IdType.RESIDENT_ID_CARD, id_number, today=clock.today())
        person = await one_person.of_documents(session, name, document, others=())
        level = await binding.settle(session, sign_in, person.id, now=clock.now())
    assert level is Level.L3
    return grant


async def staff(
    api: httpx.AsyncClient,
    *,
    agency: str = "education",
    division: str = "460105",
    role: str = "clerk",
) -> dict[str, str]:
    """Somebody new at a desk, signed in; the headers of the session."""
    username, password = f"{role}-{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    async with database().transaction() as session:
        await identity_staff.create(
            session, username, password=password, roles=[role], agency=agency, division=division
        )
    answer = await api.post(
        "/auth/sessions", json={"method": "staff", "username": username, "password": password}
    )
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


def slug(answer: httpx.Response) -> str:
    """The last segment of a problem's type."""
    return str(answer.json()["type"]).rsplit("/", 1)[-1]
