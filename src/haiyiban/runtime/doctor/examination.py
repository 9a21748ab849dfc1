"""The whole examination, in the order in which one thing stands on another."""

from __future__ import annotations

from dataclasses import replace

from haiyiban.errors import Words
from haiyiban.runtime.doctor import document_checks, key_checks, machine, servers, trust_checks
from haiyiban.runtime.doctor.findings import Finding, warning
from haiyiban.settings import Settings


async def examine(settings: Settings) -> list[Finding]:
    """Everything that is looked at, with what was found. Takes some seconds at most; raises nothing."""
    running = machine.servers_of(settings.home)
    settings = replace(
        settings,
        database_url=settings.database_url or running.get("databaseUrl", ""),
        redis_url=settings.redis_url or running.get("redisUrl", ""),
    )
    found = [
        *machine.programs(),
        *machine.folder(settings),
        *machine.secrecy(settings),
        *key_checks.signing(settings),
        *trust_checks.trust_list(settings),
        *document_checks.signing(settings),
        *machine.addresses(settings),
    ]
    if settings.clock_offset:
        found.append(
            warning(
                servers.CLOCK,
                Words(
                    f"HAIYIBAN_CLOCK_OFFSET 把时钟拨了 {settings.clock_offset:.0f} 秒",
                    f"HAIYIBAN_CLOCK_OFFSET moves the clock by {settings.clock_offset:.0f} s",
                ),
                Words("这只用于演示和测试。", "That is for demos and tests only."),
            )
        )
    for check in (servers.database, servers.cache, servers.outside):
        found += [finding async for finding in check(settings)]
    return found
