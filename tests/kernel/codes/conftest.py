"""A parent who keeps a child's admission notice, and the verifiers who scan its codes."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from haiyiban import certificates, clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import persons
from tests import builders
from tests.phone import Phone

Headers = dict[str, str]


@dataclasses.dataclass
class Notice:
    """An admission notice of a child, and the session of the parent who keeps it."""

    id: UUID
    child_id: UUID
    child_name: str
    keeper: Headers
    database: Database

    async def change(self, verb: Callable[..., Awaitable[Any]], **how: Any) -> Any:
        """Do to the certificate what an authority does."""
        async with self.database.transaction() as session:
            return await verb(session, self.id, now=clock.now(), **how)


@pytest.fixture
async def notice(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database) -> Notice:
    """A notice issued to a child a moment ago."""
    child = builders.child("陈小海")
    parent = builders.Somebody(children=[child])
    keeper = await builders.resident(api, sandbox, parent)
    async with database.transaction() as session:
        keeper_row = await persons.by_id_number(session, parent.id_number)
        assert keeper_row is not None
        child_row = await persons.find_or_create(session, child["name"], id_number=child["idNumber"])
        certificate = await certificates.issue(
            session,
            "admission-notice",
            holder_id=child_row.id,
            keeper_id=keeper_row.id,
            claims={
                "name": child["name"],
                "idNumber": child["idNumber"],
                "school": "秀英区滨海小学",
                "schoolYear": 2027,
                "reportFrom": "2027-08-25",
            },
            case_id=None,
            now=clock.now(),
            valid_until=date(2099, 9, 30),
        )
    return Notice(certificate.id, child_row.id, child["name"], keeper, database)


Accredit = Callable[..., Awaitable[Headers]]


@pytest.fixture
def accredit(api: httpx.AsyncClient, database: Database) -> Accredit:
    """Accredits a verifier for some purposes and signs it in."""

    async def made(*purposes: str, name: str = "测试核验方") -> Headers:
        secret = verifiers.new_secret()
        async with database.transaction() as session:
            verifier = await verifiers.accredit(
                session,
                Words(f"{name} {uuid4().hex[:8]}", "A verifier of the tests"),
                unit="education",
                purposes=purposes,
                now=clock.now(),
            )
            await verifiers.add_client(session, verifier, secret, now=clock.now())
        answer = await api.post("/auth/verifiers/token", json=credentials(secret))
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    return made


@pytest.fixture
async def school(accredit: Accredit) -> Headers:
    """A school that checks new pupils in and guards its gate."""
    return await accredit("enrolment", "gate", name="滨海小学")


def credentials(secret: verifiers.ClientSecret) -> dict[str, str]:
    """A client's secret as it is sent."""
    return {"clientId": secret.client_id, "clientSecret": secret.client_secret}


@pytest.fixture
def show(api: httpx.AsyncClient) -> Callable[[Notice], Awaitable[dict[str, Any]]]:
    """Shows a fresh code of a notice."""

    async def shown(notice: Notice) -> dict[str, Any]:
        answer = await api.post(
            "/codes", json={"kind": "certificate", "subjectId": str(notice.id)}, headers=notice.keeper
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return shown


@pytest.fixture
async def phone(api: httpx.AsyncClient, notice: Notice) -> Phone:
    """The phone of the parent, with no capsule yet."""
    me = (await api.get("/me", headers=notice.keeper)).json()
    return Phone(api, notice.keeper, UUID(me["accountId"]))


@pytest.fixture
def scan(api: httpx.AsyncClient, school: Headers) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Verifies a text as the school, or as `by`."""

    async def scanned(text: str, *, by: Headers | None = None, key: str | None = None, **more: Any) -> Any:
        headers = by or school
        answer = await api.post(
            "/verifications",
            json={"text": text, "purpose": "enrolment"} | more,
            headers=headers | ({"Idempotency-Key": key} if key else {}),
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return scanned
