"""What anybody can ask of the log without signing in."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import time

import httpx
import pytest
from sqlalchemy import func, select

from haiyiban import audit
from haiyiban.audit import merkle, notes
from haiyiban.audit.models import AuditCheckpoint, AuditLeaf, AuditRecord
from haiyiban.audit.notes import Checkpoint, PublicKey
from haiyiban.db import Database
from haiyiban.ids import new_id
from tests.sealed_log import grow


async def checkpoint(api: httpx.AsyncClient, address: str = "/audit/checkpoint") -> Checkpoint:
    keys = (await api.get("/audit/keys")).text.splitlines()
    answer = await api.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return notes.read(answer.text, [PublicKey.read(key) for key in keys])


async def test_anybody_reads_the_newest_checkpoint_and_an_earlier_one(
    api: httpx.AsyncClient, database: Database
) -> None:
    await grow(database)
    first = await checkpoint(api)
    await grow(database)
    second = await checkpoint(api)
    assert first.size < second.size
    assert await checkpoint(api, f"/audit/checkpoint?size={first.size}") == first
    assert first.origin == "haiyiban/460000/audit"


async def test_anybody_sees_that_the_log_only_grows(api: httpx.AsyncClient, database: Database) -> None:
    await grow(database)
    first = await checkpoint(api)
    await grow(database)
    second = await checkpoint(api)
    answer = await api.get(f"/audit/consistency/{first.size}/{second.size}")
    told = answer.json()
    assert (told["oldSize"], told["newSize"]) == (first.size, second.size)
    path = [base64.b64decode(each) for each in told["path"]]
    assert merkle.is_extended(first.size, first.root, second.size, second.root, path)


@pytest.mark.parametrize(
    "address",
    [
        "/audit/checkpoint?size=0",
        "/audit/checkpoint?size=-1",
        f"/audit/checkpoint?size={10**17}",
        f"/audit/checkpoint?size={10**30}",
        "/audit/consistency/0/1",
        f"/audit/consistency/2/{10**30}",
    ],
)
async def test_a_checkpoint_that_there_is_not_is_not_found(api: httpx.AsyncClient, address: str) -> None:
    answer = await api.get(address)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/audit/no-checkpoint"


async def test_the_later_size_must_be_that_of_a_checkpoint(
    api: httpx.AsyncClient, database: Database
) -> None:
    await grow(database)
    size = (await checkpoint(api)).size
    assert (await api.get(f"/audit/consistency/{size + 1}/{size}")).status_code == 404
    assert (await api.get(f"/audit/consistency/1/{size + 1_000_000}")).status_code == 404


async def test_the_worker_seals_a_record_within_a_minute(
    database: Database, worker: subprocess.Popen[bytes]
) -> None:
    mark = new_id().hex
    async with database.transaction() as session:
        await audit.record(session, "test.wait", reason=mark)
    size = select(func.max(AuditCheckpoint.size)).scalar_subquery()
    record_id = select(AuditRecord.id).where(AuditRecord.reason == mark).scalar_subquery()
    sealed = select(AuditLeaf.seq < size).where(AuditLeaf.record_id == record_id)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        async with database.reading() as session:
            if await session.scalar(sealed):
                return
        await asyncio.sleep(0.5)
    raise AssertionError("not sealed within 60 s")
