"""An application of a test's own controllers behind the real edge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar import Controller
from sqlalchemy import select

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.identity.callers import Level, ResidentCaller, StaffCaller
from haiyiban.identity.tokens import access_tokens
from haiyiban.ids import new_id
from haiyiban.runtime.app import assemble, behind_edge
from haiyiban.runtime.records import AccessLog
from haiyiban.settings import Settings


@dataclass
class EdgeApp:
    """A client of the application, and what its access log wrote."""

    http: httpx.AsyncClient
    database: Database
    written: bytearray = field(default_factory=bytearray)
    log: AccessLog = field(init=False)

    def records(self) -> list[dict[str, Any]]:
        """The access records so far."""
        self.log.flush()
        return [json.loads(line) for line in bytes(self.written).splitlines()]

    async def audited(self, answer: httpx.Response) -> list[AuditRecord]:
        """What the audit holds of the request that got this answer."""
        async with self.database.reading() as session:
            rows = await session.scalars(
                select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
            )
            return list(rows)


@asynccontextmanager
async def serving(
    settings: Settings, database: Database, *controllers: type[Controller]
) -> AsyncIterator[EdgeApp]:
    """Serve the controllers under /api/v1, against a database that is installed already."""
    written = bytearray()
    log = AccessLog(written.extend)
    edge = behind_edge(assemble(controllers), settings, database=database, access_log=log)
    transport = httpx.ASGITransport(app=edge, client=("192.0.2.7", 4711))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", timeout=30) as http:
        served = EdgeApp(http, database, written)
        served.log = log
        yield served


def slug(answer: httpx.Response) -> str:
    """What clients compare."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"].rsplit("/", 1)[-1])


def resident(level: Level = Level.L1) -> ResidentCaller:
    """A resident's caller; the session need not exist for what the edge alone decides."""
    return ResidentCaller(
        account_id=new_id(),
        session_id=new_id(),
        level=level,
        person_id=new_id() if level >= Level.L2 else None,
    )


def clerk() -> StaffCaller:
    """A clerk of Xiuying's education bureau."""
    return StaffCaller(
        staff_id=new_id(),
        session_id=new_id(),
        roles=frozenset({"clerk"}),
        agency="education",
        division="460105",
    )


def bearing(caller: ResidentCaller | StaffCaller) -> dict[str, str]:
    """The header that a caller's token is sent in."""
    return {"Authorization": "Bearer " + access_tokens().issue(caller, now=clock.now())}
