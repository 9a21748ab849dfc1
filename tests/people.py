"""Builders of people: made up, known to every register, signed in the way people sign in."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx

from haiyiban.identity.sessions import Grant
from tests import builders


@dataclass
class Resident:
    """A made-up resident of Xiuying, Haikou."""

    name: str = "王小海"
    phone: str = field(default_factory=lambda: f"139{secrets.randbelow(10**8):08d}")
    id_type: str = "111"
    id_number: str = field(
        default_factory=lambda: builders.id_number(
            date(1985 + secrets.randbelow(10), 1 + secrets.randbelow(12), 1 + secrets.randbelow(28))
        )
    )

    async def register(self, sandbox: httpx.AsyncClient, **facts: Any) -> Resident:
        """Make the registers know this person."""
        hukou = {"address": "海南省海口市秀英区海秀街道1号", "division": "460105", "since": "2010-01-01"}
        known = {"division": "460105", "hukou": hukou} | facts
        answer = await sandbox.post(
            "/residents", json={"name": self.name, "idNumber": self.id_number, "phone": self.phone} | known
        )
        answer.raise_for_status()
        return self


@dataclass
class Visitor(Resident):
    """Somebody without an identity card, known to the exit-entry register; a foreign passport unless said."""

    name: str = "JOHN SMITH"
    id_type: str = "414"
    id_number: str = field(default_factory=lambda: f"X{secrets.randbelow(10**10):010d}")

    async def register(self, sandbox: httpx.AsyncClient, **facts: Any) -> Visitor:
        """Make the exit-entry register know this person."""
        known = {
            "name": self.name,
            "idType": self.id_type,
            "idNumber": self.id_number,
            "phone": self.phone,
            "birthDate": "1991-06-15",
        }
        answer = await sandbox.post("/residents", json=known | facts)
        assert answer.status_code == 201, answer.text
        return self


@dataclass
class SignedIn:
    """A session: what the sign-in answered, and the header that shows it."""

    answer: dict[str, Any]

    @classmethod
    def by(cls, grant: Grant) -> SignedIn:
        """A session that was opened without an HTTP answer."""
        return cls(
            {
                "accessToken": grant.access_token,
                "refreshToken": grant.refresh_token,
                "deviceToken": grant.device_token,
                "accountId": str(grant.owner_id),
            }
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.answer['accessToken']}"}


async def texts(sandbox: httpx.AsyncClient, phone: str, *, count: int = 1) -> list[dict[str, Any]]:
    """A phone's messages, newest first, once there are `count` of them."""
    for _ in range(600):
        answer = await sandbox.get("/sms", params={"phone": phone})
        if len(answer.json()) >= count:
            return list(answer.json())
        await asyncio.sleep(0.05)
    raise AssertionError(f"{count} messages did not arrive")


async def code_for(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, phone: str) -> str:
    """Ask for a sign-in code and read it from the phone."""
    before = len((await sandbox.get("/sms", params={"phone": phone})).json())
    answer = await api.post("/auth/sms-codes", json={"phone": phone})
    assert answer.status_code == 202, answer.text
    return str((await texts(sandbox, phone, count=before + 1))[0]["code"])


async def sign_in(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, phone: str, **members: Any) -> SignedIn:
    """Sign in by SMS code; at L1 on a device that the account does not know."""
    code = await code_for(api, sandbox, phone)
    answer = await api.post("/auth/sessions", json={"method": "sms", "phone": phone, "code": code} | members)
    assert answer.status_code == 201, answer.text
    return SignedIn(answer.json())


async def give_real_name(api: httpx.AsyncClient, session: SignedIn, resident: Resident) -> dict[str, Any]:
    """Name and number against the population register."""
    answer = await api.post(
        "/me/real-name",
        json={"name": resident.name, "idType": resident.id_type, "idNumber": resident.id_number},
        headers=session.headers,
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def pass_face_check(api: httpx.AsyncClient, session: SignedIn) -> dict[str, Any]:
    """Begin a face check and pass it."""
    begun = await api.post("/me/face-checks", headers=session.headers)
    assert begun.status_code == 201, begun.text
    answer = await api.post(
        f"/me/face-checks/{begun.json()['id']}/result", json={"faceToken": "pass"}, headers=session.headers
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def at_level_three(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, resident: Resident | None = None
) -> tuple[Resident, SignedIn]:
    """A resident whom the registers know, signed in with a fresh face."""
    resident = resident or await Resident().register(sandbox)
    if resident.id_type != "111":
        return await step_by_step(api, sandbox, resident)
    grant = await builders.arrive(resident.name, resident.id_number, resident.phone)
    return resident, SignedIn.by(grant)


async def step_by_step(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, resident: Resident | None = None
) -> tuple[Resident, SignedIn]:
    """The same by SMS, real name and face check over HTTP, for who looks at what these leave behind."""
    resident = resident or await Resident().register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    await give_real_name(api, session, resident)
    await pass_face_check(api, session)
    return resident, session


def slug(answer: httpx.Response) -> str:
    """The last segment of a problem's type."""
    return str(answer.json()["type"]).rsplit("/", 1)[-1]
