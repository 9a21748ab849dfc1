"""The two sides of a delegation for tests, and what they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from haiyiban import clock, texts
from tests.kernel.cases.office import PROOF, Citizen

CONSENT = texts.current("delegation").hash
GUARDIANSHIP = texts.current("guardianship").hash


def bounds(**other: Any) -> dict[str, Any]:
    """What is delegated: the proof of social insurance, for a month."""
    until = (clock.today() + timedelta(days=30)).isoformat()
    return {"matters": [PROOF], "until": until, "notices": "both", "consent": CONSENT} | other


@dataclass
class Pair:
    """Somebody who gives and somebody who takes, both signed in with a fresh face."""

    api: httpx.AsyncClient
    giver: Citizen
    taker: Citizen
    made: list[str] = field(default_factory=list)

    async def offer(self, *, by: Citizen | None = None, **other: Any) -> httpx.Response:
        taker = {"name": self.taker.somebody.name, "idNumber": self.taker.somebody.id_number}
        body = {"basis": "agreement", "taker": taker} | bounds(**other)
        answer = await self.api.post("/delegations", json=body, headers=(by or self.giver).headers)
        if answer.status_code == 201:
            self.made.append(answer.json()["id"])
        return answer

    async def agreed(self, **other: Any) -> str:
        """A delegation in force; its id."""
        offered = await self.offer(**other)
        assert offered.status_code == 201, offered.text
        accepted = await self.act(offered.json()["id"], "acceptance", by=self.taker)
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["state"] == "active"
        return str(offered.json()["id"])

    async def act(self, delegation: str, verb: str, *, by: Citizen) -> httpx.Response:
        return await self.api.post(f"/delegations/{delegation}/{verb}", json={}, headers=by.headers)

    async def read(self, delegation: str, *, by: Citizen) -> httpx.Response:
        return await self.api.get(f"/delegations/{delegation}", headers=by.headers)
