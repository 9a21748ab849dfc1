"""Companies for tests: made up, known to the market-entity register, and the people who act for them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from haiyiban import clock, texts
from haiyiban.credit_codes import credit_check_character, organisation_check_character
from tests.kernel.cases.office import Citizen

RENEWAL = "market-regulation.food-business-licence-renewal"
STATEMENT = texts.current("legal-representative").hash
ROLE_TEXT = texts.current("enterprise-role").hash
COMMITMENT = texts.current("food-licence-renewal-commitment").hash
_random = random.Random()


def credit_code(department: str = "91") -> str:
    """A fresh credit code of a company in Xiuying, with right check characters."""
    organisation = "MA" + "".join(_random.choices("0123456789ABCDEFGH", k=6))
    first17 = f"{department}460105{organisation}{organisation_check_character(organisation)}"
    return first17 + credit_check_character(first17)


@dataclass
class Company:
    """A company, its representative and somebody else, as tests need them."""

    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    owner: Citizen
    other: Citizen
    code: str = field(default_factory=credit_code)
    name: str = "海口测试餐饮有限公司"
    licence_days: int = 60
    id: str = ""
    role: str = ""

    async def register(self, *, representative: Citizen | None = None, **facts: Any) -> None:
        """Make the register know it, or know something else of it."""
        somebody = (representative or self.owner).somebody
        until: date = clock.today() + timedelta(days=self.licence_days)
        body = {
            "creditCode": self.code,
            "name": self.name,
            "division": "460105",
            "address": "海南省海口市秀英区测试路1号",
            "registeredOn": "2020-05-06",
            "representative": {"name": somebody.name, "idNumber": somebody.id_number},
            "licences": {
                "food-business": {
                    "number": "JY24601050000099",
                    "issuedOn": (until - timedelta(days=1826)).isoformat(),
                    "validUntil": until.isoformat(),
                    "scope": "热食类食品制售",
                }
            },
        } | facts
        answer = await self.sandbox.post("/enterprises", json=body)
        assert answer.status_code == 201, answer.text

    async def sign_in(self, *, by: Citizen | None = None, consent: str = STATEMENT) -> httpx.Response:
        return await self.api.post(
            "/enterprises",
            json={"creditCode": self.code, "consent": consent},
            headers=(by or self.owner).headers,
        )

    async def signed_in(self) -> Company:
        answer = await self.sign_in()
        assert answer.status_code == 201, answer.text
        self.id, self.role = answer.json()["id"], answer.json()["delegation"]
        return self

    async def appoint(self, *, by: Citizen | None = None, **other: Any) -> httpx.Response:
        taker = self.other.somebody
        body = {
            "role": "clerk",
            "taker": {"name": taker.name, "idNumber": taker.id_number},
            "matters": [RENEWAL],
            "until": (clock.today() + timedelta(days=90)).isoformat(),
            "consent": ROLE_TEXT,
        } | other
        return await self.api.post(
            f"/enterprises/{self.id}/roles", json=body, headers=(by or self.owner).headers
        )

    async def clerk(self) -> str:
        """A clerk's role that was accepted; its id."""
        made = await self.appoint()
        assert made.status_code == 201, made.text
        role = str(made.json()["id"])
        accepted = await self.api.post(f"/delegations/{role}/acceptance", json={}, headers=self.other.headers)
        assert accepted.json()["state"] == "active", accepted.text
        return role

    async def get(self, path: str, *, by: Citizen | None = None) -> httpx.Response:
        return await self.api.get(f"/enterprises/{self.id}{path}", headers=(by or self.owner).headers)

    async def open(self, *, by: Citizen | None = None, role: str | None = None) -> httpx.Response:
        body = {"matter": RENEWAL, "onBehalfOf": role or self.role}
        return await self.api.post("/cases", json=body, headers=(by or self.owner).headers)

    async def submit(
        self, case: dict[str, Any], *, by: Citizen | None = None, commitment: str | None = COMMITMENT
    ) -> httpx.Response:
        body = {} if commitment is None else {"commitment": commitment}
        headers = (by or self.owner).headers
        return await self.api.post(f"/cases/{case['id']}/submission", json=body, headers=headers)

    async def ready(self, *, by: Citizen | None = None, role: str | None = None) -> dict[str, Any]:
        """A draft with everything filled in."""
        opened = await self.open(by=by, role=role)
        assert opened.status_code == 201, opened.text
        filled = await self.api.patch(
            f"/cases/{opened.json()['id']}",
            json={"form": {"unchanged": True}},
            headers=(by or self.owner).headers,
        )
        assert filled.status_code == 200, filled.text
        return dict(filled.json())

    async def handed_in(self, *, by: Citizen | None = None, role: str | None = None) -> dict[str, Any]:
        answer = await self.submit(await self.ready(by=by, role=role), by=by)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
