"""The servers we stand on: PostgreSQL, Redis, the worker's queue, the registers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import redis.asyncio
from alembic.script import ScriptDirectory
from redis.exceptions import RedisError

from haiyiban import clock, registers
from haiyiban.errors import Words
from haiyiban.runtime import migrate
from haiyiban.runtime.doctor import audit_checks
from haiyiban.runtime.doctor.findings import Finding, fault, fine, unknown, warning
from haiyiban.settings import Settings

POSTGRES_LEAST, REDIS_LEAST = 15, 7
SKEW_WARNING, SKEW_FAULT = 1.0, 5.0
"""Seconds between two clocks; from five on, codes of one machine are refused by another."""
WAITING_WARNING, WAITING_FAULT = 60.0, 600.0
"""Seconds for which a job that is due may wait."""
_CONNECT_SECONDS = 5.0

DATABASE, CACHE = Words("数据库", "PostgreSQL"), Words("缓存", "Redis")
WORKER, CLOCK = Words("后台任务", "Worker"), Words("时钟", "Clock")


async def database(settings: Settings) -> AsyncIterator[Finding]:
    """PostgreSQL answers, is new enough, keeps what it acknowledges, and has our tables; then the queue."""
    if not settings.database_url:
        yield unknown(
            DATABASE,
            Words(
                "没有设置 DATABASE_URL，且本目录没有正在运行的内置数据库",
                "DATABASE_URL is not set, and no embedded database runs on this folder",
            ),
        )
        return
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=_CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        yield fault(
            DATABASE,
            Words(f"连不上（{type(error).__name__}）", f"cannot be reached ({type(error).__name__})"),
            Words(
                "请检查 DATABASE_URL、数据库是否运行、网络和密码；不通时所有业务都会返回 503。",
                "Check DATABASE_URL, that it runs, the network and the password; until then all is 503.",
            ),
        )
        return
    try:
        yield _version(DATABASE, await connection.fetchval("SHOW server_version_num"))
        yield skew(DATABASE, (await connection.fetchval("SELECT clock_timestamp()")).timestamp())
        async for finding in _keeping(connection):
            yield finding
        is_current = False
        async for finding in _tables(connection):
            is_current = finding.advice is None
            yield finding
        if is_current:
            yield await _queue(connection)
            yield await _outbox(connection)
            yield await audit_checks.sealing(connection)
            async for finding in audit_checks.rights(connection):
                yield finding
    finally:
        await connection.close()


async def cache(settings: Settings) -> AsyncIterator[Finding]:
    """Redis answers; without it the platform works with less comfort."""
    advice = Words(
        "没有缓存时平台仍可用：限流按进程计，绑定设备的新码暂时办不了，实时提示变慢。请恢复它。",
        "The platform works without it: limits count by process, no new device-bound codes, slower live "
        "updates. Bring it back.",
    )
    if not settings.redis_url:
        yield warning(CACHE, Words("没有设置 REDIS_URL", "REDIS_URL is not set"), advice)
        return
    client = redis.asyncio.from_url(
        settings.redis_url,
        socket_timeout=_CONNECT_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        retry=None,
    )
    try:
        about: dict[str, Any] = await client.info("server")
        seconds, micros = await client.time()
    except (RedisError, OSError) as error:
        name = type(error).__name__
        yield warning(CACHE, Words(f"连不上（{name}）", f"cannot be reached ({name})"), advice)
        return
    finally:
        await client.aclose()
    number = str(about["redis_version"])
    if int(number.split(".")[0]) < REDIS_LEAST:
        yield fault(
            CACHE,
            Words(f"版本 {number} 太旧", f"version {number} is too old"),
            Words(f"请升级到 Redis {REDIS_LEAST} 以上或 Valkey。", f"Take Redis {REDIS_LEAST} or Valkey."),
        )
    else:
        yield fine(CACHE, Words(f"可用，{number}", f"answers, {number}"))
    yield skew(CACHE, seconds + micros / 1e6)


async def outside(settings: Settings) -> AsyncIterator[Finding]:
    """The registers answer; what is away is left open in new cases and asked again later."""
    subject = Words("数据源", "Registers")
    if not settings.registers_url:
        yield fault(
            subject,
            Words("没有设置 HAIYIBAN_REGISTERS_URL", "HAIYIBAN_REGISTERS_URL is not set"),
            Words("请填写数据共享平台的地址和密钥。", "Give the address and key of the sharing platform."),
        )
        return
    try:
        found = await registers.health()
    finally:
        await registers.close()
    away = [each for each in found if not each.is_answering]
    if away:
        zh, en = "、".join(each.title.zh for each in away), ", ".join(each.title.en for each in away)
        yield warning(
            subject,
            Words(f"没有应答：{zh}", f"no answer from {en}"),
            Words(
                "群众仍可提交，相关事实标为「待核实」，恢复后自动补查；请联系数据提供部门。",
                "People can still apply, the facts stay open and are asked again; call the provider.",
            ),
        )
    if len(away) < len(found):
        number = len(found) - len(away)
        yield fine(subject, Words(f"{number} 个数据源应答正常", f"{number} answer"))


def skew(subject: Words, theirs: float) -> Finding:
    """How far another machine's clock is from ours; both in seconds since 1970."""
    apart = abs(theirs - clock.wall().timestamp())
    where = Words(f"{CLOCK.zh}（与{subject.zh}）", f"{CLOCK.en} (against {subject.en})")
    found = Words(f"相差 {apart:.1f} 秒", f"{apart:.1f} s apart")
    advice = Words(
        "请在所有机器上启用 NTP（chrony）；差 5 秒以上，一台机器签的码会被另一台拒绝。",
        "Run NTP (chrony) on every machine; from 5 s on, codes signed on one are refused by another.",
    )
    if apart >= SKEW_FAULT:
        return fault(where, found, advice)
    return warning(where, found, advice) if apart >= SKEW_WARNING else fine(where, found)


def _version(subject: Words, number: str) -> Finding:
    major = int(number) // 10_000
    if major >= POSTGRES_LEAST:
        return fine(subject, Words(f"可用，版本 {major}", f"answers, version {major}"))
    return fault(
        subject,
        Words(f"版本 {major} 太旧", f"version {major} is too old"),
        Words(f"请升级到 PostgreSQL {POSTGRES_LEAST} 以上。", f"Take PostgreSQL {POSTGRES_LEAST} or newer."),
    )


async def _keeping(connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    subject = Words("数据库持久性", "Durability")
    careless = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if await connection.fetchval("SELECT current_setting($1)", name) == "off"
    ]
    if careless:
        names = ", ".join(careless)
        yield fault(
            subject,
            Words(f"{names} 已关闭", f"{names} off"),
            Words(
                "断电会丢失已答复成功的办理。请在 postgresql.conf 中打开。",
                "A power cut would lose what people were told is done. Turn them on in postgresql.conf.",
            ),
        )
    else:
        yield fine(subject, Words("已答复的不会丢失", "what is acknowledged is kept"))
    oldest = await connection.fetchval(
        "SELECT extract(epoch FROM max(now() - xact_start))::float8 FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    if (oldest or 0) > WAITING_FAULT:
        yield warning(
            Words("长事务", "Long transaction"),
            Words(f"已开启 {oldest:.0f} 秒", f"open for {oldest:.0f} s"),
            Words(
                "请查看 pg_stat_activity；它阻止清理，表会越来越大。",
                "See pg_stat_activity; it keeps vacuum from working and tables grow.",
            ),
        )


async def _tables(connection: asyncpg.Connection) -> AsyncIterator[Finding]:
    subject = Words("表结构", "Schema")
    history = ScriptDirectory.from_config(migrate.config(""))
    known = {revision.revision for revision in history.walk_revisions()}
    newest = history.get_current_head()
    has_any = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    there = await connection.fetchval("SELECT version_num FROM alembic_version") if has_any else None
    if there == newest:
        yield fine(subject, Words(f"最新（{there}）", f"newest ({there})"))
    elif there is None or there in known:
        yield fault(
            subject,
            Words(f"是 {there or '空'}，程序需要 {newest}", f"is {there or 'empty'}, needed: {newest}"),
            Words("请先备份，再运行 haiyiban migrate。", "Back up, then run haiyiban migrate."),
        )
    else:
        yield fault(
            subject,
            Words(f"{there} 来自更新的程序", f"{there} is of a newer program"),
            Words("请运行同一版本或更新版本的程序。", "Run that version of the program, or a newer one."),
        )


async def _queue(connection: asyncpg.Connection) -> Finding:
    waiting, oldest = await connection.fetchrow(
        "SELECT count(*), extract(epoch FROM now() - min(execute_after))::float8 FROM pgqueuer"
        " WHERE status = 'queued' AND execute_after < now()"
    )
    late = await connection.fetchval(
        "SELECT extract(epoch FROM now() - min(next_run))::float8 FROM pgqueuer_schedules"
    )
    behind = max(oldest or 0.0, late or 0.0)
    if late is None:
        found = Words("从未运行过", "has never run here")
    else:
        found = Words(
            f"{waiting} 个任务到期未办，最久等了 {behind:.0f} 秒",
            f"{waiting} jobs are due, the oldest for {behind:.0f} s",
        )
    advice = Words(
        "请确认 haiyiban worker 在运行并查看 worker.log；它不在时短信不发、期限不走、公布不进行。",
        "See that haiyiban worker runs, and worker.log; without it no SMS is sent and no date is kept.",
    )
    if late is None or behind >= WAITING_FAULT:
        return fault(WORKER, found, advice)
    return warning(WORKER, found, advice) if behind >= WAITING_WARNING else fine(WORKER, found)


async def _outbox(connection: asyncpg.Connection) -> Finding:
    subject = Words("待发消息", "Outbox")
    tried, given_up = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE done_at IS NULL AND attempts >= 3),"
        " count(*) FILTER (WHERE outcome = 'given-up' AND done_at > now() - interval '1 day')"
        " FROM outbox_message"
    )
    if not tried and not given_up:
        return fine(subject, Words("没有积压", "nothing is stuck"))
    return warning(
        subject,
        Words(
            f"{tried} 条多次未发出，一天内放弃 {given_up} 条",
            f"{tried} failed again and again, {given_up} given up within a day",
        ),
        Words(
            "请检查短信网关；未发出的会继续重试。",
            "Check the SMS gateway; what is not sent is tried again.",
        ),
    )
