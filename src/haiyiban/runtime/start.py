"""What every process of the platform does first: settings, keys, database, tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from haiyiban import clock, crypto, db, registers, tallies, terms
from haiyiban.cases import handlers
from haiyiban.codes import kinds
from haiyiban.crypto import FileKeys, Vault
from haiyiban.db import Database
from haiyiban.identity import tokens
from haiyiban.identity.tokens import AccessTokens
from haiyiban.own_data import folders
from haiyiban.runtime import discovery, replica, retention_task
from haiyiban.runtime.replica import Replica
from haiyiban.settings import InvalidSetting, Settings


def prepare(settings: Settings) -> Database:
    """Install this process's clock, vault, tokens and database. Raises InvalidSetting, KeyMissing."""
    if not settings.database_url:
        raise InvalidSetting("DATABASE_URL is not set; `haiyiban up` sets it, or point it at your PostgreSQL")
    if not settings.registers_url or not settings.registers_key:
        raise InvalidSetting(
            "HAIYIBAN_REGISTERS_URL and HAIYIBAN_REGISTERS_KEY are not set; production asks real registers"
        )
    if not settings.public_url:
        raise InvalidSetting(
            "HAIYIBAN_PUBLIC_URL is not set; printed codes carry the address of this API for years"
        )
    clock.shift(settings.clock_offset)
    keys = (
        FileKeys(settings.keys_dir)
        if settings.is_production
        else FileKeys.create(settings.keys_dir, settings.suite)
    )
    crypto.install(Vault(keys))
    tokens.install(AccessTokens(keys, issuer=settings.issuer))
    database = Database(settings.database_url, pool_size=settings.pool_size)
    db.install(database)
    replica.install(_replica_of(settings))
    zones = discovery.zones(settings.zones)
    kinds.install(kind for zone in (*discovery.features(), *zones) for kind in zone.code_kinds)
    # Of every zone, whichever are served here: one worker counts for all processes, and a zone that is
    # switched off keeps people's data until it is ended.
    everything = (*discovery.features(), *discovery.all_zones())
    tallies.install(tally for zone in everything for tally in zone.tallies)
    folders.install(everything)
    terms.install(retention_task.declared())
    handlers.install_before_approval(zone.before_approval for zone in zones if zone.before_approval)
    handlers.install({code: handler for zone in zones for code, handler in zone.handlers.items()})
    return database


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Database]:
    """`prepare`, and the connections given back at the end: for tasks, seeds and scripts."""
    database = prepare(settings)
    try:
        yield database
    finally:
        await registers.close()
        await database.close()


def _replica_of(settings: Settings) -> Replica | None:
    if not settings.replica_url:
        return None
    return Replica(settings.replica_url, most_seconds=settings.replica_lag, pool_size=settings.pool_size)
