"""The audit: sealed in time, and out of reach of those who write it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg

from haiyiban import clock
from haiyiban.audit import leaves
from haiyiban.errors import Words
from haiyiban.runtime.doctor.findings import Finding, fault, fine, warning

_WARNING_SECONDS, _FAULT_SECONDS = 60.0, 600.0
"""For which a record may wait to be sealed."""


async def sealing(connection: asyncpg.Connection) -> Finding:
    """Every record is sealed within a minute."""
    subject = Words("审计封存", "Sealing of the audit")
    count, since = await leaves.waiting(connection)
    age = (clock.now() - since).total_seconds() if since is not None else 0.0
    if age < _WARNING_SECONDS:
        return fine(subject, Words("一分钟内都已封存", "everything is sealed within a minute"))
    found = Words(
        f"{count} 条记录等待封存，最早的等了 {age:.0f} 秒",
        f"{count} records wait to be sealed, the oldest for {age:.0f} s",
    )
    advice = Words(
        "未封存的记录还可能被改动而不被发现。请看 worker.log 中的 audit.seal，并运行 haiyiban audit verify。",
        "What is not sealed could be changed unseen. See worker.log (audit.seal); run haiyiban audit verify.",
    )
    return (fault if age >= _FAULT_SECONDS else warning)(subject, found, advice)


async def rights(connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    """Of the processes that serve now, none may change what the audit says."""
    subject = Words("数据库权限", "Database rights")
    rows = await connection.fetch(
        "SELECT usename, has_table_privilege(usename, 'audit_record', 'UPDATE, DELETE, TRUNCATE') AS may"
        " FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'haiyiban'"
        " GROUP BY usename"
    )
    if able := [row["usename"] for row in rows if row["may"]]:
        names = ", ".join(able)
        yield warning(
            subject,
            Words(f"以 {names} 连接的进程可以改动审计记录", f"what connects as {names} may change the audit"),
            Words(
                "请让 API 和后台任务各用自己的角色连接（docs/audit.md），只用属主做迁移。",
                "Let API and worker connect by roles of their own (docs/audit.md); the owner only migrates.",
            ),
        )
    elif rows:
        yield fine(subject, Words("没有进程可以改动审计记录", "no process may change the audit"))
