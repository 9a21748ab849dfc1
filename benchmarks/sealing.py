"""The sealed audit: how fast records are sealed, and how fast the whole log is checked.

A million records are written, sealed by the worker's own task and checked by `haiyiban audit verify`, on a
PostgreSQL that waits for its disk. The yardsticks of the same run: hashing the same texts and their tree and
nothing else, and what a chain costs that is written with each record (one commit a row, one writer).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import processes
from benchmarks.report import Outcome, Ratio
from haiyiban import db
from haiyiban.audit import leaves, sealing
from haiyiban.audit.merkle import Tree, leaf_hash
from haiyiban.crypto import FileKeys
from haiyiban.db import Database
from haiyiban.runtime import migrate
from haiyiban.runtime.postgres import EmbeddedPostgres

RECORDS = 1_000_000
CHAINED = 2_000

# As a verification writes them, with ids in the order of their milliseconds.
_WRITE = """
INSERT INTO audit_record (id, at, action, outcome, actor_kind, actor_id, actor_unit, subject, object_kind,
  object_id, fields, reason, request_id, address)
SELECT overlay(overlay(gen_random_uuid()::text PLACING lpad(to_hex(1790000000000 + $1::bigint + n), 12, '0')
  FROM 1) PLACING '-' FROM 9)::uuid, now(), 'codes.verify', 'valid', 'verifier', gen_random_uuid(),
  '滨海小学东门', gen_random_uuid(), 'verification', gen_random_uuid(), '{school,name}', 'gate',
  md5(n::text), '10.0.0.1'
FROM generate_series(1, 10000) AS n
"""


def measure(full: bool) -> Outcome:
    """A log sealed and checked, and the yardsticks; in the quick form of a twentieth of the records."""
    records = RECORDS if full else RECORDS // 20
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # The server may run as another user.
        home.chmod(0o711)
        with EmbeddedPostgres(home) as postgres:
            migrate.upgrade(postgres.url)
            FileKeys.create(home / "keys")
            environ = {"HAIYIBAN_ENV": "test", "HAIYIBAN_HOME": str(home), "DATABASE_URL": postgres.url}
            os.environ.update(environ)
            figures = asyncio.run(_measure(postgres.url, postgres.process.popen.pid, records))
            figures |= _verify(postgres.process.popen.pid, records)
    return Outcome(
        (
            Ratio(
                name=f"seal {records:,} audit records",
                against="a chain written row by row",
                rounds=(round(figures["sealedPerSecond"] / figures["chainedRowByRowPerSecond"], 2),),
                reach=31,
                value=figures["sealedPerSecond"],
                unit="rows/s",
            ),
            Ratio(
                name=f"check {records:,} audit records, whole command",
                against="10 s a million",
                rounds=(round(figures["verifySeconds"] / 10 * 1_000_000 / records, 3),),
                better="less",
                reach=1.0 if full else None,  # starting the command is most of a twentieth
                value=figures["verifySeconds"],
                unit="s",
            ),
        )
    )


async def _measure(url: str, server: int, records: int) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    for first in range(0, records, 10_000):
        await connection.execute(_WRITE, first)
    # As autovacuum would have done over the days in which a million records come.
    await connection.execute("VACUUM ANALYZE audit_record")
    db.install(Database(url, pool_size=2))
    began, own, theirs = time.perf_counter(), time.process_time(), processes.cpu_seconds(server)
    await sealing.seal()
    took = time.perf_counter() - began
    figures = {
        "records": records,
        "sealedPerSecond": round(records / took),
        "sealingSeconds": round(took, 2),
        "sealingCpuSeconds": round(time.process_time() - own, 2),
        "sealingServerCpuSeconds": round(processes.cpu_seconds(server) - theirs, 2),
    }
    await connection.execute("VACUUM ANALYZE audit_leaf")
    figures |= await _bare(connection) | await _chained(connection)
    await db.database().close()
    await connection.close()
    return figures


async def _bare(connection: asyncpg.Connection) -> dict[str, Any]:
    entries = [each for each in await leaves.read(connection, 0, 100_000) if each is not None]
    began = time.process_time()
    tree = Tree()
    tree.append([leaf_hash(entry) for entry in entries])
    tree.root()
    return {"hashedAlonePerCpuSecond": round(len(entries) / (time.process_time() - began))}


async def _chained(connection: asyncpg.Connection) -> dict[str, Any]:
    await connection.execute("CREATE TABLE chained (seq bigint PRIMARY KEY, entry bytea, hash bytea)")
    before, began = b"", time.perf_counter()
    for number in range(CHAINED):
        before = sha256(before + b"x" * 300).digest()
        await connection.execute("INSERT INTO chained VALUES ($1, $2, $3)", number, b"x" * 300, before)
    return {"chainedRowByRowPerSecond": round(CHAINED / (time.perf_counter() - began))}


def _verify(server: int, records: int) -> dict[str, Any]:
    # Until the server has seen the connections before go.
    time.sleep(2)
    own, theirs, began = _ended(os.getpid()), _ended(server), time.perf_counter()
    command = [sys.executable, "-m", "haiyiban.cli", "audit", "verify", "--json"]
    answer = subprocess.run(command, check=True, capture_output=True)
    assert json.loads(answer.stdout)["size"] == records, answer.stdout
    return {
        "verifySeconds": round(time.perf_counter() - began, 2),
        "verifyCpuSeconds": round(_ended(os.getpid()) - own, 2),
        "verifyServerCpuSeconds": round(_ended(server) - theirs, 2),
    }


def _ended(pid: int) -> float:
    """Processor time of a process's children that have ended, such as the server's of a connection."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # Fields 16 and 17 of proc(5), of which the first two stand before the bracket.
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
