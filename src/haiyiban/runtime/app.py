"""The application: every feature and zone behind one edge."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import lru_cache

from litestar import Controller, Litestar, Router
from litestar.di import Provide
from litestar.types import ASGIApp, Scope
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import registers
from haiyiban.cases import tracking
from haiyiban.codes import challenges, nonces, streams
from haiyiban.db import Database
from haiyiban.hall import counting, watching
from haiyiban.identity import address_limit, revocations
from haiyiban.identity.tokens import access_tokens
from haiyiban.matters import catalogue
from haiyiban.runtime import contract, discovery, platform_metrics, replica
from haiyiban.runtime.body import StrictRequest
from haiyiban.runtime.edge import Edge
from haiyiban.runtime.exposition import Exposition
from haiyiban.runtime.moved_clock import dated
from haiyiban.runtime.problems import to_response
from haiyiban.runtime.records import AccessLog
from haiyiban.runtime.start import prepare
from haiyiban.runtime.stopping import on_stopping
from haiyiban.runtime.system import SystemController
from haiyiban.runtime.unit import Unit
from haiyiban.runtime.web import WebController
from haiyiban.runtime.zones_controller import ZonesController
from haiyiban.settings import Settings
from haiyiban.wire import API

log = logging.getLogger("haiyiban")

_REFRESH_SECONDS = 1.0
_COUNT_SECONDS = 5.0

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


async def provide_session(scope: Scope) -> AsyncSession:
    """The session of this request; it opens a connection when it is first used."""
    session: AsyncSession = scope["state"]["unit"].session
    return session


async def provide_reader(scope: Scope) -> AsyncSession:
    """A session of this request that reads without a transaction."""
    session: AsyncSession = scope["state"]["unit"].reader
    return session


async def provide_replica_reader(scope: Scope) -> AsyncSession:
    """The same for what may be some seconds old: from a replica, where there is one that keeps up."""
    unit: Unit = scope["state"]["unit"]
    return await unit.replica_reader()


def build(settings: Settings, *lifespan: Lifespan) -> Litestar:
    """The Litestar application without its edge; needs no database, as for writing the contract."""
    served = discovery.zones(settings.zones)
    zones = (*discovery.features(), *served)
    pages = [page for zone in zones for page in zone.pages]
    controllers = [controller for zone in zones for controller in zone.controllers]
    application = assemble([*controllers, ZonesController], *lifespan, pages=pages)
    application.state["exposition"] = Exposition(platform_metrics.of(zones))
    application.state["zones"] = served
    return application


def assemble(
    controllers: Sequence[type[Controller]], *lifespan: Lifespan, pages: Sequence[type[Controller]] = ()
) -> Litestar:
    """The application of these controllers, with everything that is the same for all of them."""
    application = Litestar(
        route_handlers=[Router(API, route_handlers=controllers), *pages, SystemController, WebController],
        dependencies={
            "session": Provide(provide_session),
            "reader": Provide(provide_reader),
            "replica_reader": Provide(provide_replica_reader),
        },
        exception_handlers={Exception: to_response},
        openapi_config=contract.config(),
        request_class=StrictRequest,
        logging_config=None,  # runtime/logs.py; Litestar's would print the words of exceptions
        request_max_body_size=None,
        lifespan=lifespan,
    )
    application.state["exposition"] = Exposition()
    application.state["contract"] = lru_cache(maxsize=1)(lambda: contract.document(application))
    return application


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The whole application of one process, ready for an ASGI server."""
    settings = settings or Settings.from_env()
    database = prepare(settings)
    access_log = AccessLog()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        # Before anybody is answered: compiling thousands of matters takes seconds, in which nobody would be.
        catalogue()
        works = [_refresh(database), _count_seen()]
        if (standby := replica.current()) is not None:
            works.append(standby.watch())
        working = [asyncio.create_task(work) for work in works]
        try:
            with on_stopping(streams.leave), on_stopping(watching.leave):
                yield
        finally:
            for work in working:
                work.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            with suppress(Exception):  # the last seconds of a count, with the database gone
                await counting.write_seen()
            await streams.end()
            access_log.flush()
            await registers.close()
            await address_limit.close()
            await tracking.close()
            await challenges.close()
            await nonces.close()
            if standby is not None:
                await standby.close()
            await database.close()

    application = build(settings, lifespan)
    edge = behind_edge(application, settings, database=database, access_log=access_log)
    served: ASGIApp = dated(edge) if settings.clock_offset else edge
    return served


def behind_edge(
    application: Litestar, settings: Settings, *, database: Database, access_log: AccessLog
) -> Edge:
    """The application as requests meet it."""
    application.state["settings"] = settings
    return Edge(
        application,
        database=database,
        tokens=access_tokens(),
        access_log=access_log,
        exposition=application.state["exposition"],
        body_limit=settings.body_limit,
        upload_limit=settings.upload_limit,
        over_tls=settings.public_url.startswith("https://"),
        proxies=settings.proxies,
    )


async def _refresh(database: Database) -> None:
    """Keep what each process must know within two seconds: whose tokens are refused, which keys exist."""
    while True:
        try:
            # A connection that hangs must not keep the list from the next try.
            async with asyncio.timeout(_REFRESH_SECONDS), database.reading() as session:
                await revocations.reload(session)
            access_tokens().reload()
        except Exception as error:  # noqa: BLE001 - the loop must outlive a restart of PostgreSQL
            log.warning("revocations could not be read: %s", type(error).__name__)
        await asyncio.sleep(_REFRESH_SECONDS)


async def _count_seen() -> None:
    """Write down what this process counts by itself, for the hall."""
    while True:
        await asyncio.sleep(_COUNT_SECONDS)
        try:
            async with asyncio.timeout(_COUNT_SECONDS):
                await counting.write_seen()
        except Exception as error:  # noqa: BLE001 - the loop must outlive a restart of PostgreSQL
            log.warning("counts could not be written: %s", type(error).__name__)
