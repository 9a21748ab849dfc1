"""A copy of all that is kept about me: who gets it, in which form, and that the audit knows. PIPL art. 45."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import sessions
from haiyiban.identity.models import SignIn
from haiyiban.own_data.export import Told
from haiyiban.own_data.page import page
from haiyiban.zone import Zone
from tests.people import Resident, SignedIn, at_level_three, sign_in, slug

ADDRESSES = ("/me/export", "/me/export/page")


@pytest.mark.parametrize("address", ADDRESSES)
async def test_nobody_and_a_low_level_get_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, address: str
) -> None:
    assert (await api.get(address)).status_code == 401
    resident = await Resident().register(sandbox)
    low = await sign_in(api, sandbox, resident.phone)
    refused = await api.get(address, headers=low.headers)
    assert (refused.status_code, slug(refused)) == (403, "step-up-needed")


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_face_of_six_minutes_ago_is_not_enough(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, address: str
) -> None:
    _, session = await at_level_three(api, sandbox)
    account = UUID(session.answer["accountId"])
    async with database.transaction() as work:
        long_ago = clock.now() - timedelta(minutes=6)
        await work.execute(update(SignIn).where(SignIn.account_id == account).values(face_at=long_ago))
        grant = await sessions.refresh(work, session.answer["refreshToken"])
    refused = await api.get(address, headers=SignedIn.by(grant).headers)
    assert (refused.status_code, slug(refused)) == (403, "step-up-needed")
    assert refused.json()["faceWithinSeconds"] == 300


async def test_a_resident_reads_what_is_kept_in_clear(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, session = await at_level_three(api, sandbox)
    answer = await api.get("/me/export", headers=session.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    folders = answer.json()["folders"]
    assert folders["identity"]["account"][0]["phone"] == resident.phone
    assert folders["identity"]["account"][0]["wechat"] is False
    assert folders["identity"]["person"]["idNumber"] == resident.id_number
    assert folders["unemployment"]["grants"] == []
    async with database.reading() as look:
        [record] = await look.scalars(
            select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
        )
    assert (record.action, record.outcome) == ("me.export", "done")
    assert record.subject is not None
    assert "health-code" in record.fields


async def test_the_page_reads_chinese_first_and_runs_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident, session = await at_level_three(api, sandbox)
    answer = await api.get("/me/export/page", headers=session.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert '<h2>身份 <small lang="en">Identity</small></h2>' in answer.text
    assert resident.name in answer.text
    assert "http" not in answer.text


def test_what_somebody_wrote_is_never_markup() -> None:
    folder = Zone(name="any", title=Words("任何 <b>", "Any"))
    told = [Told(folder, {"cases": [{"<i>": "<script>alert(1)</script>", "list": ["\"'&"]}]})]
    shown = page(told, made_at=clock.now())
    assert "<script" not in shown
    assert "<i>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
