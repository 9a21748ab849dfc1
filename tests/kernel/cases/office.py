"""Both sides of a counter for tests: citizens with their cases, and the staff of a desk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from haiyiban.cases import desk
from haiyiban.cases.access import Seen
from haiyiban.cases.models import Case
from haiyiban.cases.states import Verb
from haiyiban.cases.verbs import VerbInput
from haiyiban.db import Database, database
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from tests import builders
from tests.builders import Somebody

SENIOR = "civil-affairs.senior-allowance"
"""Promised in 10 working days, statutory 20; handled by civil-affairs where the hukou is; issues nothing."""
PROOF = "social-insurance.proof"
"""Promised in 1 working day; handled by human-resources where insured; issues a certificate."""
SCHOOL = "education.school-place"

FORMS: dict[str, dict[str, Any]] = {
    SENIOR: {"bankAccount": "6222021234567890"},
    PROOF: {"purpose": "school"},
}


@dataclass
class Citizen:
    """Somebody signed in, doing what applicants do."""

    api: httpx.AsyncClient
    somebody: Somebody
    headers: dict[str, str]

    @classmethod
    async def signed_in(
        cls, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, somebody: Somebody | None = None
    ) -> Citizen:
        insured = {"socialInsurance": {"months": 70, "division": "460105"}}
        somebody = somebody or Somebody(more=insured)
        return cls(api, somebody, await builders.resident(api, sandbox, somebody))

    async def get(self, case: dict[str, Any]) -> dict[str, Any]:
        answer = await self.api.get(f"/cases/{case['id']}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def open(self, matter: str = SENIOR, **body: Any) -> httpx.Response:
        return await self.api.post("/cases", json={"matter": matter, **body}, headers=self.headers)

    async def draft(self, matter: str = SENIOR, **body: Any) -> dict[str, Any]:
        answer = await self.open(matter, **body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def patch(
        self,
        case: dict[str, Any],
        form: dict[str, Any],
        *,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        return await self.api.patch(
            f"/cases/{case['id']}", json={"form": form, **body}, headers=self.headers | (headers or {})
        )

    async def ready(self, matter: str = SENIOR) -> dict[str, Any]:
        """A draft with everything filled in."""
        answer = await self.patch(await self.draft(matter), FORMS[matter])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def submit(self, case: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.api.post(f"/cases/{case['id']}/submission", json=body, headers=self.headers)

    async def handed_in(self, matter: str = SENIOR) -> dict[str, Any]:
        answer = await self.submit(await self.ready(matter))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def withdraw(self, case: dict[str, Any]) -> httpx.Response:
        return await self.api.post(f"/cases/{case['id']}/withdrawal", json={}, headers=self.headers)

    async def rate(self, case: dict[str, Any], **body: Any) -> httpx.Response:
        return await self.api.post(f"/cases/{case['id']}/rating", json=body, headers=self.headers)


@dataclass
class Office:
    """The staff of an agency; clerks sign in when they are first needed."""

    api: httpx.AsyncClient
    agency: str = "civil-affairs"
    division: str = "460105"
    staff: dict[str, dict[str, str]] = field(default_factory=dict)

    async def headers(self, who: str = "clerk") -> dict[str, str]:
        if who not in self.staff:
            role = "officer" if who == "officer" else "clerk"
            self.staff[who] = await builders.staff(
                self.api, agency=self.agency, division=self.division, role=role
            )
        return self.staff[who]

    async def act(
        self, case: dict[str, Any], verb: str, *, who: str = "clerk", **body: Any
    ) -> httpx.Response:
        return await self.api.post(
            f"/desk/cases/{case['id']}/{verb}", json=body, headers=await self.headers(who)
        )

    async def done(
        self, case: dict[str, Any], verb: str, *, who: str = "clerk", **body: Any
    ) -> dict[str, Any]:
        answer = await self.act(case, verb, who=who, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def get(self, case: dict[str, Any], *, who: str = "clerk") -> httpx.Response:
        return await self.api.get(f"/desk/cases/{case['id']}", headers=await self.headers(who))

    async def queue(self, *, who: str = "clerk", **params: Any) -> dict[str, Any]:
        answer = await self.api.get("/desk/cases", params=params, headers=await self.headers(who))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def whole_queue(self, *, who: str = "clerk", **params: Any) -> list[dict[str, Any]]:
        """Every page: other tests of this run leave cases in the same queue."""
        page = await self.queue(who=who, limit=100, **params)
        found = page["items"]
        while page["next"] is not None:
            page = await self.queue(who=who, limit=100, cursor=page["next"], **params)
            found += page["items"]
        return list(found)


def a_clerk(agency: str = "civil-affairs", division: str = "460105") -> StaffCaller:
    """A clerk for calls below HTTP, where a test names the time."""
    return StaffCaller(
        staff_id=new_id(),
        session_id=new_id(),
        roles=frozenset({"clerk"}),
        agency=agency,
        division=division,
    )


async def act_at(
    case: dict[str, Any], verb: Verb, now: datetime, *, caller: StaffCaller | None = None, **given: Any
) -> Case:
    """Carry out a verb at a time that the test names."""
    async with database().transaction() as session:
        acted = await desk.act(
            session,
            UUID(case["id"]),
            verb,
            VerbInput(**given),
            seen=Seen(),
            caller=caller or a_clerk(),
            now=now,
        )
        return acted.case


async def row(case: dict[str, Any]) -> Case:
    """The case as the table holds it."""
    async with database().reading() as session:
        return await session.get_one(Case, UUID(case["id"]))


async def change_row(case: dict[str, Any], **values: Any) -> None:
    """Make time pass for one case: set its dates."""
    names = ", ".join(f"{name} = :{name}" for name in values)
    async with database().transaction() as session:
        await session.execute(
            text(f"UPDATE cases_case SET {names} WHERE id = :id"), values | {"id": UUID(case["id"])}
        )


async def messages(case: dict[str, Any]) -> list[Any]:
    """What the outbox holds about a case, oldest first."""
    async with database().reading() as session:
        rows = await session.execute(
            text("SELECT * FROM outbox_message WHERE about = :id ORDER BY id"), {"id": UUID(case["id"])}
        )
        return list(rows)


async def audited(held: Database, case: dict[str, Any], action: str) -> list[Any]:
    """The audit records of an act about a case."""
    async with held.reading() as session:
        rows = await session.execute(
            text("SELECT * FROM audit_record WHERE object_id = :id AND action = :action ORDER BY id"),
            {"id": UUID(case["id"]), "action": action},
        )
        return list(rows)


async def inbox(sandbox: httpx.AsyncClient, phone: str, *, containing: str) -> str:
    """The newest SMS of a phone that contains some words, once it has come."""
    for _ in range(200):
        texts = [message["text"] for message in (await sandbox.get("/sms", params={"phone": phone})).json()]
        found = [words for words in texts if containing in words]
        if found:
            return str(found[0])
        await asyncio.sleep(0.05)
    raise AssertionError(f"no SMS with {containing} within 10 s")
