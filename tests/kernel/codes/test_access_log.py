"""The holder reads who looked."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import audit, context
from haiyiban.audit import keys, proofs, proving
from haiyiban.audit.models import AuditRecord
from haiyiban.context import Context
from haiyiban.db import Database
from haiyiban.ids import new_id
from haiyiban.settings import Settings
from tests import builders
from tests.sealed_log import grow


async def test_every_verification_is_in_the_holders_log(api, notice, show, scan, accredit) -> None:
    gate = await accredit("gate", name="滨海小学东门")
    await scan((await show(notice))["text"], by=gate, purpose="gate", place="东门")
    used = (await show(notice))["text"]
    await scan(used)
    await scan(used)
    answer = await api.get("/me/access-log", headers=notice.keeper)
    assert answer.status_code == 200
    again, accepted, at_the_gate = answer.json()["items"]
    assert [again["outcome"], accepted["outcome"]] == ["already_used", "valid"]
    assert at_the_gate["who"].startswith("滨海小学东门")
    assert at_the_gate["what"] == "小学新生录取通知书"
    assert at_the_gate["purpose"] == "门岗放行"
    assert at_the_gate["fields"] == ["school"]
    assert at_the_gate["place"] == "东门"
    assert at_the_gate["outcome"] == "valid"
    assert again["fields"] == []
    english = await api.get("/me/access-log", headers=notice.keeper | {"Accept-Language": "en"})
    assert english.json()["items"][2]["what"] == "Primary school admission notice"
    assert english.json()["items"][2]["purpose"] == "Letting someone in at a gate"


async def test_a_clerks_look_is_in_it_and_my_own_is_not(api, notice, database) -> None:
    await api.get(f"/certificates/{notice.id}", headers=notice.keeper)
    before = context.current()
    context.enter(Context(request_id="r", actor_kind="staff", actor_id=notice.id, actor_unit="education"))
    try:
        async with database.transaction() as session:
            await audit.record(
                session,
                "cases.read",
                subject=notice.child_id,
                object_kind="case",
                fields=["form"],
                reason="education.school-place",
            )
    finally:
        context.enter(before)
    (look,) = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert (look["who"], look["action"], look["fields"]) == ("海口市教育局", "cases.read", ["form"])
    assert look["purpose"] == "小学一年级学位申请"


async def test_it_comes_in_pages(api, notice, show, scan) -> None:
    text = (await show(notice))["text"]
    ids = [(await scan(text))["id"] for _ in range(5)]
    first = (await api.get("/me/access-log?limit=3", headers=notice.keeper)).json()
    rest = (await api.get(f"/me/access-log?limit=3&cursor={first['next']}", headers=notice.keeper)).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


async def test_it_is_mine_alone(api, sandbox, notice, show, scan) -> None:
    await scan((await show(notice))["text"])
    stranger = await builders.resident(api, sandbox)
    assert (await api.get("/me/access-log", headers=stranger)).json() == {"items": [], "next": None}
    assert (await api.get("/me/access-log")).status_code == 401


@pytest.fixture
def check(api: httpx.AsyncClient, tmp_path: Path) -> Callable[[bytes], Awaitable[tuple[int, str]]]:
    """`haiyiban audit check` with the file and the public key, and nothing else of the platform."""

    async def run(content: bytes) -> tuple[int, str]:
        (tmp_path / "file").write_bytes(content)
        (tmp_path / "key").write_bytes((await api.get("/audit/keys")).content)
        command = [sys.executable, "-m", "haiyiban.cli", "audit", "check", "--json"]
        done = await asyncio.to_thread(
            subprocess.run,
            [*command, str(tmp_path / "file"), "--key", str(tmp_path / "key")],
            env={"HAIYIBAN_HOME": str(tmp_path / "nowhere"), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


async def test_a_look_is_proved_by_a_file_and_the_public_key_alone(
    api, database, notice, show, scan, check
) -> None:
    await scan((await show(notice))["text"])
    await grow(database)
    (look,) = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    answer = await api.get(f"/me/access-log/{look['id']}/proof", headers=notice.keeper)
    assert answer.status_code == 200, answer.text
    assert (
        answer.headers["content-disposition"] == f'attachment; filename="audit-{look["number"]}.tlog-proof"'
    )
    code, said = await check(answer.content)
    assert code == 0, said
    told = json.loads(said)
    assert (told["number"], told["entry"]["id"]) == (look["number"], look["id"])
    assert (told["entry"]["action"], told["entry"]["outcome"]) == ("codes.verify", "valid")
    assert told["entry"]["fields"] == look["fields"]
    for name in ("actorId", "address", "requestId"):
        assert name not in told["entry"], "who of the staff it was, and from where, concerns nobody"
    code, said = await check(answer.content.replace(b"index ", b"index 1"))
    assert code == 1
    assert "不能证明" in said


async def test_the_record_of_a_childs_certificate_is_proved_to_its_keeper(api, database, notice) -> None:
    issued = await record_of(database, notice)
    await grow(database)
    answer = await api.get(f"/me/access-log/{issued}/proof", headers=notice.keeper)
    proved = proofs.check(answer.text, keys.public(Settings.from_env()))
    assert proved.entry["action"] == "certificates.issue"
    assert proved.entry["objectId"] == notice.id


async def test_a_record_that_waits_for_the_sealer_has_no_proof_yet(api, database, notice) -> None:
    async with database.transaction() as late:
        # While this one is open nothing after it is sealed.
        await audit.record(late, "test.late")
        async with database.transaction() as session:
            await audit.record(session, "cases.read", subject=notice.child_id, object_kind="case")
        async with database.reading() as session:
            newest = select(AuditRecord.id).where(AuditRecord.action == "cases.read").order_by(AuditRecord.id)
            record_id = (await session.scalars(newest)).all()[-1]
        answer = await api.get(f"/me/access-log/{record_id}/proof", headers=notice.keeper)
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/audit/not-sealed-yet"


async def test_a_log_that_does_not_add_up_proves_nothing(api, database, notice) -> None:
    issued = await record_of(database, notice)
    await grow(database)
    async with database.transaction() as session:
        await session.execute(update(AuditRecord).where(AuditRecord.id == issued).values(reason="another"))
    try:
        answer = await api.get(f"/me/access-log/{issued}/proof", headers=notice.keeper)
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/audit/log-broken"
    finally:
        async with database.transaction() as session:
            kept = update(AuditRecord).where(AuditRecord.id == issued).values(reason="admission-notice")
            await session.execute(kept)
    assert (await api.get(f"/me/access-log/{issued}/proof", headers=notice.keeper)).status_code == 200


async def test_nobody_else_gets_the_proof(api, sandbox, database, notice) -> None:
    issued = await record_of(database, notice)
    stranger = await builders.resident(api, sandbox)
    for record_id in (issued, new_id()):
        answer = await api.get(f"/me/access-log/{record_id}/proof", headers=stranger)
        assert answer.status_code == 404
    assert (await api.get(f"/me/access-log/{issued}/proof")).status_code == 401


async def record_of(database: Database, notice: Any) -> UUID:
    """The record of its issue."""
    async with database.reading() as session:
        found = await proving.record_of(
            session,
            ("certificates.issue",),
            subject=notice.child_id,
            object_kind="certificate",
            object_id=notice.id,
        )
    assert found is not None
    return found
