"""Every act after the results leaves its record, and no table holds what a family wrote in clear."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import select, text

from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from tests.zones.school_places.afterwards import PLACEMENTS, Results, results_of, undo_time_passes
from tests.zones.school_places.conftest import Headers, MakeRound

SECRET = "母亲住院，由外祖父接送"


async def records_of(database: Database, answer: httpx.Response) -> set[str]:
    """What the audit holds of one request; each says whom it concerns."""
    assert answer.is_success, answer.text
    async with database.reading() as session:
        found = (
            await session.scalars(
                select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
            )
        ).all()
    for record in found:
        assert record.subject is not None, record.action
        assert record.object_id is not None, record.action
        if record.action.endswith(".read"):
            assert record.fields, record.action
            assert record.reason, record.action
    return {record.action for record in found}


@pytest.fixture
async def two(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: Headers,
    officer: Headers,
) -> Results:
    return await results_of(
        api, sandbox, make_round, clerk, officer, seats={"A": 1, "B": 2}, wishes=["AB", "AB"]
    )


async def test_every_act_after_the_results_is_recorded(
    api: httpx.AsyncClient, database: Database, two: Results, clerk: Headers, officer: Headers
) -> None:
    placed = await two.by_school()
    [first], [second] = placed["A小学"], placed["B小学"]
    assert await records_of(database, await two.post(first, "acceptance")) == {"school-places.confirm-place"}
    refused = await two.post(first, "refusal", reason=SECRET)
    assert await records_of(database, refused) == {"school-places.refuse-place", "certificates.revoke"}
    path = f"{PLACEMENTS}/{(await two.place(first))['id']}/refusal"
    undone = await api.delete(path, headers=first.headers)
    assert await records_of(database, undone) == {"school-places.undo-refusal", "certificates.issue"}
    appealed = await two.post(second, "appeals", reason=SECRET, evidence=SECRET)
    assert await records_of(database, appealed) == {"school-places.appeal"}
    read = await api.get(f"{two.at}/appeals", headers=clerk)
    assert await records_of(database, read) == {"school-places.read"}
    appeal = appealed.json()["appeal"]["id"]
    decided = await api.post(
        f"{two.at}/appeals/{appeal}/decision",
        json={"decision": "dismissed", "reason": SECRET},
        headers=officer,
    )
    assert await records_of(database, decided) == {"school-places.dismiss-appeal"}
    await two.appeal_window_passes()
    await two.post(first, "refusal", reason=SECRET)
    await undo_time_passes()
    [offer] = await two.offers(second)
    for name in ("waiting-lists", "offers"):
        listed = await api.get(f"{two.at}/{name}", headers=officer)
        expected = {"school-places.read"} if listed.json()["items"] else set()
        assert await records_of(database, listed) == expected
    taken = await api.post(
        f"/zones/school-places/offers/{offer['id']}/acceptance", json={}, headers=second.headers
    )
    assert await records_of(database, taken) == {"school-places.accept-offer", "certificates.correct"}
    async with database.reading() as session:
        offers = await session.scalars(
            select(AuditRecord.subject).where(AuditRecord.action == "school-places.offer")
        )
        assert None not in offers.all()
        for table in ("answer", "appeal", "waiting", "roll_entry"):
            rows = (await session.execute(text(f"SELECT t::text FROM school_places_{table} t"))).scalars()
            for row in rows:
                assert SECRET not in row
                assert SECRET.encode().hex() not in row
