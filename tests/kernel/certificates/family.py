"""A family with certificates: builders for the tests of this folder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from haiyiban import certificates, clock
from haiyiban.certificates import Certificate
from haiyiban.db import Database
from haiyiban.identity import persons
from haiyiban.identity import staff as staff_accounts
from tests import builders

CHILD_NAME = "䶮㛃𠅤·买买提"


def notice_claims(**changes: Any) -> dict[str, Any]:
    """What an admission notice states."""
    return {
        "name": CHILD_NAME,
        "idNumber": builders.id_number(builders.school_age()),
        "school": "海口市秀英区长流中心小学",
        "schoolYear": 2027,
    } | changes


@dataclass
class Family:
    """A guardian at L3 and the notice of their child."""

    guardian: UUID
    child: UUID
    certificate: Certificate
    headers: dict[str, str] = field(default_factory=dict)
    phone: str = ""


async def family(database: Database, **issued: Any) -> Family:
    """A guardian and a child in our tables alone, and the child's notice."""
    claims = notice_claims()
    async with database.transaction() as session:
        guardian = await persons.find_or_create(session, "陈海", id_number=builders.id_number())
        child = await persons.find_or_create(session, claims["name"], id_number=claims["idNumber"])
        made = await issue(session, guardian.id, child.id, claims, **issued)
    return Family(guardian.id, child.id, made)


async def family_at_home(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database) -> Family:
    """The same with the guardian signed in."""
    parent = builders.Somebody()
    headers = await builders.resident(api, sandbox, parent)
    claims = notice_claims()
    async with database.transaction() as session:
        guardian = await persons.by_id_number(session, parent.id_number)
        assert guardian is not None
        child = await persons.find_or_create(session, claims["name"], id_number=claims["idNumber"])
        made = await issue(session, guardian.id, child.id, claims)
    return Family(guardian.id, child.id, made, headers, parent.phone)


async def issue(
    session: Any, guardian: UUID, child: UUID, claims: dict[str, Any], **more: Any
) -> Certificate:
    """An admission notice of the education bureau in Xiuying."""
    given = {"agency": "education", "division": "460105", "case_id": None, "now": clock.now()} | more
    return await certificates.issue(
        session, "admission-notice", holder_id=child, keeper_id=guardian, claims=claims, **given
    )


async def clerk(
    api: httpx.AsyncClient,
    database: Database,
    *,
    agency: str = "education",
    division: str = "460105",
    role: str = "clerk",
) -> dict[str, str]:
    """A clerk signed in; the headers of the session."""
    username, password = f"clerk-{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    async with database.transaction() as session:
        await staff_accounts.create(
            session, username, password=password, roles=[role], agency=agency, division=division
        )
    answer = await api.post(
        "/auth/sessions", json={"method": "staff", "username": username, "password": password}
    )
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def audited(database: Database, certificate: UUID, action: str) -> list[Any]:
    """The audit records of an act about a certificate."""
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT * FROM audit_record WHERE object_id = :id AND action = :action ORDER BY id"),
            {"id": certificate, "action": action},
        )
        return list(rows)


async def promised(database: Database, certificate: UUID) -> list[Any]:
    """The messages about a certificate that the outbox holds."""
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT * FROM outbox_message WHERE about = :id ORDER BY id"), {"id": certificate}
        )
        return list(rows)
