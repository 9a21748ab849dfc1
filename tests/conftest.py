"""Real PostgreSQL, Valkey, sandbox and worker for every test; the application in this process, edge and all.

`DATABASE_URL` and `REDIS_URL` use real servers instead: a database of our own is made there and dropped.
`DATABASE_POOLER`, host:port, has the API go there by way of a pooler (tests/pooling.py).
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import hypothesis
import pytest
from litestar.types import ASGIApp
from xdist.scheduler import LoadFileScheduling

from haiyiban import clock, db
from haiyiban.certificates import demo_authority
from haiyiban.db import Database
from haiyiban.runtime import ceremony, migrate, ports
from haiyiban.runtime.app import create_app
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings
from haiyiban.signatures import Suite
from tests.contracts import recording
from tests.contracts.documented import require_documented
from tests.serving import await_answer

API = "/api/v1"

pytest_plugins = ["tests.zones.cross_province.fixtures"]

# A busy machine is no failure.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
# As the processes of the platform have it (cli.py): searching all that stays for garbage is slow.
gc.set_threshold(50_000, 20, 20)


_PAIR = "cross_province"
"""In the names of the files that start two deployments: one process has them all, and one pair."""
_LONG = (_PAIR, "journeys/", "chaos/", "web/", "runtime/")
"""In the names of the files that take longest."""


class _ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file is one process's, and so are those of the pair together."""

    def _split_scope(self, nodeid: str) -> str:
        return _PAIR if _PAIR in nodeid else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    """Instead of `--dist loadfile`."""
    return _ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that the last one does not leave the other processes idle. What tests a property
    of ES256 is skipped where everything is run by SM2."""

    def rank(item: pytest.Item) -> int:
        return next((rank for rank, part in enumerate(_LONG) if part in item.nodeid), len(_LONG))

    items.sort(key=rank)
    if os.environ.get("HAIYIBAN_SUITE") == Suite.NATIONAL:
        for item in items:
            if any(map(item.get_closest_marker, ("same_signature", "es256_readers"))):
                item.add_marker(pytest.mark.skip(reason="of ES256 alone"))


def pytest_sessionfinish() -> None:
    """Keep what was recorded, if this run records."""
    recording.save()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State folder of this run."""
    return tmp_path_factory.mktemp("haiyiban")


@pytest.fixture(scope="session")
def database_url(home: Path) -> Iterator[str]:
    """A migrated database of our own."""
    given = os.environ.get("DATABASE_URL")
    if given:
        with _database_on(given) as url:
            migrate.upgrade(url)
            yield url
        return
    with EmbeddedPostgres(home, {"fsync": "off"}) as postgres:
        migrate.upgrade(postgres.url)
        yield postgres.url


@pytest.fixture(scope="session")
def redis_url(home: Path) -> Iterator[str]:
    """A Valkey of our own, or the server that REDIS_URL names."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    with EmbeddedValkey(home) as valkey:
        yield valkey.url


@pytest.fixture(scope="session")
def sandbox_url(home: Path) -> Iterator[str]:
    """The outside world, as a process of its own."""
    port = ports.any_free()
    command = [sys.executable, "-m", "haiyiban_sandbox", "--port", str(port), "--home", str(home / "sandbox")]
    with _process(command, {"HAIYIBAN_ENV": "test"}):
        url = f"http://127.0.0.1:{port}"
        await_answer(f"{url}/health")
        yield url


@pytest.fixture(scope="session")
def environ(home: Path, database_url: str, redis_url: str, sandbox_url: str) -> dict[str, str]:
    """The environment of every process of this run."""
    return {
        "HAIYIBAN_ENV": "test",
        "HAIYIBAN_HOME": str(home),
        "DATABASE_URL": _by_way_of(os.environ.get("DATABASE_POOLER"), database_url),
        "REDIS_URL": redis_url,
        "HAIYIBAN_REGISTERS_URL": sandbox_url,
        # All of the run's people sign in from one address within the hour.
        "HAIYIBAN_SMS_PER_ADDRESS": "100000",
        # Hundreds of staff sign in; what a password costs an attacker is not what these tests are about.
        "HAIYIBAN_PASSWORD_KIB": "64",
        # HAIYIBAN_SUITE=national runs everything by SM2, SM3 and SM4.
        "HAIYIBAN_SUITE": os.environ.get("HAIYIBAN_SUITE", "international"),
    }


@pytest.fixture(scope="session")
def settings(environ: dict[str, str]) -> Settings:
    """The settings of this run."""
    os.environ.update(environ)
    settings = Settings.from_env(environ)
    ceremony.play(settings, clock.now())
    demo_authority.prepare(settings, now=clock.now())
    return settings


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The whole application behind its edge, its lifespan running."""
    application = create_app(settings)
    async with _lifespan(application):
        yield application


@pytest.fixture(scope="session")
async def database(app: ASGIApp) -> Database:
    """The database of the application."""
    return db.database()


@pytest.fixture(scope="session")
def worker_port() -> int:
    """Where the worker tells how it is."""
    return ports.any_free()


@pytest.fixture(scope="session")
def worker(
    settings: Settings, environ: dict[str, str], worker_port: int, database_url: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The worker, as a process of its own: outbox and periodic tasks."""
    own = environ | {"HAIYIBAN_WORKER_PORT": str(worker_port), "DATABASE_URL": database_url}
    with _process([sys.executable, "-m", "haiyiban.runtime.worker"], own) as process:
        yield process


@pytest.fixture
async def api(app: ASGIApp, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, nobody signed in."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport,
        base_url=f"http://test{API}",
        timeout=30,
        event_hooks={"response": [require_documented, recording.record]},
    ) as client:
        yield client


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the outside world; a fault that a test caused is mended after it."""
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=30, verify=False) as client:
        yield client
        await client.post("/faults", json={"register": "all", "mode": "off"})


@asynccontextmanager
async def _lifespan(application: ASGIApp) -> AsyncIterator[None]:
    """Run an application's lifespan, which httpx leaves out."""
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(
        application({"type": "lifespan", "state": {}}, inbox.get, outbox.put)  # type: ignore[arg-type,misc]
    )
    for phase in ("startup", "shutdown"):
        await inbox.put({"type": f"lifespan.{phase}"})
        message = await outbox.get()
        assert message["type"] == f"lifespan.{phase}.complete", message
        if phase == "startup":
            yield
    await task


@contextmanager
def _process(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env={**os.environ, **environ}) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def _by_way_of(pooler: str | None, url: str) -> str:
    """The address of a database through a pooler; its own where there is none."""
    if pooler is None:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{pooler}"))


@contextmanager
def _database_on(server: str) -> Iterator[str]:
    """A fresh database on a given server, dropped at the end."""
    name = f"haiyiban_test_{os.getpid()}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run(f'CREATE DATABASE "{name}"'))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        asyncio.run(run(f'DROP DATABASE "{name}" WITH (FORCE)'))
