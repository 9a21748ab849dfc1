"""The end of the service: nothing of it is kept. Source: docs/domain.md §5 (PIPL art. 47)."""

from __future__ import annotations

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from haiyiban.audit.models import AuditRecord
from haiyiban.codes.claims import Kind
from haiyiban.codes.models import Capsule
from haiyiban.db import Database
from services.health_code import retention
from services.health_code.commands import health_code
from services.health_code.retention import Kept
from tests import builders
from tests.zones.health_code.test_code import DECLARATIONS, phone_of, shown, well


async def test_deleting_leaves_no_row_and_no_living_code(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    for _ in range(2):
        headers = await builders.resident(api, sandbox, well())
        said = {"symptoms": True, "feverClinic": False, "riskTravel": False}
        assert (await api.post(DECLARATIONS, json=said, headers=headers)).is_success
        await shown(api, headers)
    phone = await (await phone_of(api, headers)).bind("health")
    before = await retention.kept()
    assert before.statuses >= 2
    assert before.declarations >= 2
    heard: list[Kept] = []
    assert await retention.delete_all(passing=heard.append) == before
    assert len(heard) >= 2, "batch by batch"
    assert await retention.kept() == Kept()
    async with database.reading() as session:
        capsule = await session.scalar(
            select(Capsule).where(Capsule.kind == Kind.HEALTH, Capsule.id == phone.id)
        )
        assert capsule is not None
        assert capsule.withdrawn_at is not None
        assert await session.scalar(select(AuditRecord.id).where(AuditRecord.action == "health-code.delete"))
    assert await retention.delete_all() == Kept(), "a second run finds nothing"


def test_what_is_still_served_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    for zones in ("", "school_places,health_code"):
        monkeypatch.setenv("HAIYIBAN_ZONES", zones)
        answer = CliRunner().invoke(health_code, ["delete", "--yes"])
        assert answer.exit_code == 1
        assert "HAIYIBAN_ZONES" in answer.output
