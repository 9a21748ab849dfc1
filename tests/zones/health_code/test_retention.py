"""The end of the service: nothing of it is kept. Source: docs/domain.md §5 (PIPL art. 47)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from haiyiban import cli
from haiyiban.audit.models import AuditRecord
from haiyiban.codes.claims import Kind
from haiyiban.codes.models import Capsule
from haiyiban.db import Database
from services.health_code import retention
from tests import builders
from tests.terminal import accredited_for, enrolled_at
from tests.zones.health_code.test_appeals import APPEALS, DESK, SAID, corrected, positive
from tests.zones.health_code.test_appointments import opened
from tests.zones.health_code.test_checks import scan
from tests.zones.health_code.test_children import HERE as CHILDREN
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
    parent = well()
    parent.children = [builders.child()]
    theirs = await api.get(CHILDREN, headers=await builders.resident(api, sandbox, parent))
    assert len(theirs.json()["items"]) == 1
    sick = await builders.resident(api, sandbox, positive())
    assert (await api.post(APPEALS, json=SAID, headers=sick)).is_success
    answer = await api.get(APPEALS, headers=sick)
    await corrected(api, f"{DESK}/{answer.json()['items'][0]['id']}")
    booked = await api.post(await opened(api), headers=sick)
    assert booked.status_code == 201, booked.text
    terminal = await enrolled_at(api, database, await accredited_for(database, "gate", "enrolment"))
    assert await scan(api, terminal, (await shown(api, headers))["text"]) == "valid"
    phone = await (await phone_of(api, headers)).bind("health")
    before = await retention.kept()
    assert before["statuses"] >= 3
    assert min(before.values()) >= 1
    heard: list[Any] = []
    assert await retention.delete_all(heard.append) == before
    assert len(heard) >= 2, "batch by batch"
    assert not any((await retention.kept()).values())
    async with database.reading() as session:
        capsule = await session.scalar(
            select(Capsule).where(Capsule.kind == Kind.HEALTH, Capsule.id == phone.id)
        )
        assert capsule is not None
        assert capsule.withdrawn_at is not None
        assert await session.scalar(select(AuditRecord.id).where(AuditRecord.action == "health-code.delete"))
    assert await retention.delete_all() == {}, "a second run finds nothing"


@pytest.mark.parametrize(
    ("zone", "served", "words"),
    [
        ("health-code", "", "is still served"),
        ("health-code", "school_places,health_code", "is still served"),
        ("school-places", "health_code", "declares no data"),
        ("wonders", "health_code", "There is no zone wonders"),
    ],
)
def test_what_must_not_be_deleted_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, zone: str, served: str, words: str
) -> None:
    monkeypatch.setenv("HAIYIBAN_ZONES", served)
    answer = CliRunner().invoke(cli.main, ["end-zone", zone, "--yes"])
    assert answer.exit_code == 1
    assert words in answer.output
