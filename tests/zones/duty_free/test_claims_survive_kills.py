"""kill -9 in the middle of a claim rush: of the worker, the API's process, PostgreSQL and Valkey.

One start of the parts that claiming stands on, each killed once so many claims of a round are acknowledged.
People do what people do: they try again with the same Idempotency-Key until they are told. Then nothing that
was acknowledged is gone, nobody has two, and the books balance. Source: docs/domain.md §8.3.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from haiyiban import clock
from haiyiban.crypto import FileKeys
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.tokens import AccessTokens
from haiyiban.ids import new_id
from haiyiban.runtime import ceremony, migrate, ports
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings

PEOPLE = 90
"""In each round."""
STOCK = 330
"""Fewer than come in all rounds: the last ones find it sold out."""
KILL_AFTER = 25
"""Acknowledged claims of a round, after which its part is killed."""
AT_ONCE = 48
DEADLINE_SECONDS = 90


@dataclass
class Platform:
    """What claiming stands on, each part of it to be killed."""

    home: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    settings: Settings
    serve: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]

    def kill_worker(self) -> None:
        self.worker.kill()

    def kill_api(self) -> None:
        """The process that serves; `haiyiban serve` starts another."""
        [served] = [pid for pid in children(self.serve.pid) if b"resource_tracker" not in command_of(pid)]
        os.kill(served, signal.SIGKILL)

    def kill_postgres(self) -> None:
        self.postgres.process.popen.kill()
        self.postgres.process.popen.wait()

    def start_postgres_again(self) -> None:
        """As whoever keeps it does."""
        self.postgres.__exit__(None, None, None)
        self.postgres.__enter__()

    def kill_valkey(self) -> None:
        self.valkey.process.popen.kill()


@dataclass
class Round:
    """A part of the rush, and what was told to whom."""

    told: dict[UUID, str] = field(default_factory=dict)
    """Person → voucher."""
    outcomes: Counter[str] = field(default_factory=Counter)
    troubles: int = 0
    """Requests that broke off, or were asked to come again."""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """PostgreSQL with fsync, Valkey, the API and the worker, started as a province starts them."""
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(tmp_path))
        valkey = stack.enter_context(EmbeddedValkey(tmp_path))
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": str(tmp_path),
            "HAIYIBAN_PORT": str(ports.any_free()),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
        }
        settings = Settings.from_env(environ)
        migrate.upgrade(postgres.url)
        ceremony.play(settings, clock.now())
        log = stack.enter_context((tmp_path / "parts.log").open("wb"))
        started = []
        for part in ("serve", "worker"):
            command = [sys.executable, "-m", "haiyiban.cli", part]
            process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=log, stderr=log)
            stack.callback(end, process)
            started.append(process)
        yield Platform(tmp_path, postgres, valkey, settings, *started)


async def test_what_was_acknowledged_is_there_whatever_is_killed_and_the_books_balance(
    platform: Platform,
) -> None:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{platform.settings.port}",
        timeout=20,
        limits=httpx.Limits(max_connections=AT_ONCE),
    ) as api:
        await _is_ready(api)
        campaign = await _campaign(platform.postgres.url)
        told: dict[UUID, str] = {}
        outcomes: Counter[str] = Counter()
        for kill in (
            platform.kill_worker,
            platform.kill_api,
            platform.kill_postgres,
            platform.kill_valkey,
        ):
            of_round = await _rush(api, platform, campaign, kill)
            told |= of_round.told
            outcomes += of_round.outcomes
            assert (of_round.troubles > 0) == (kill in (platform.kill_api, platform.kill_postgres))
    kept = await _vouchers(platform.postgres.url, campaign)
    assert {person: voucher for person, voucher in kept.items() if person in told} == told
    assert outcomes == {"201": STOCK, "sold-out": 4 * PEOPLE - STOCK}
    assert len(kept) == len(told) == STOCK, "given out to the last, and to whom it was told alone"


async def _rush(
    api: httpx.AsyncClient, platform: Platform, campaign: UUID, kill: Callable[[], None]
) -> Round:
    """A round: everybody claims, and in the middle a part is killed."""
    of_round = Round()
    people = await _people(platform)
    gate = asyncio.Semaphore(AT_ONCE)

    async def claiming(person: UUID, token: str) -> None:
        async with gate:
            await _claim(api, campaign, person, token, of_round)
            if len(of_round.told) == KILL_AFTER:
                # At once, with everybody else's request under way: this loop sends nothing meanwhile.
                kill()
                if kill == platform.kill_postgres:
                    # People go on asking while it is away.
                    await asyncio.to_thread(platform.start_postgres_again)

    async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as group:
        for person, token in people.items():
            group.create_task(claiming(person, token))
    return of_round


async def _claim(api: httpx.AsyncClient, campaign: UUID, person: UUID, token: str, of_round: Round) -> None:
    """Claim as people do: again with the same key while nothing was told."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"claim-{person}"}
    path = f"/api/v1/zones/duty-free/campaigns/{campaign}/claims"
    while True:
        try:
            answer = await api.post(path, headers=headers)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == 201:
            of_round.told[person] = answer.json()["voucherId"]
            of_round.outcomes["201"] += 1
            return
        if answer is not None and answer.status_code < 500:
            of_round.outcomes[answer.json()["type"].rsplit("/", 1)[-1]] += 1
            return
        of_round.troubles += 1
        await asyncio.sleep(0.1)


async def _people(platform: Platform) -> dict[UUID, str]:
    """Persons at L3, as rows alone, and their tokens."""
    now = clock.now()
    tokens = AccessTokens(FileKeys(platform.settings.keys_dir), issuer=platform.settings.issuer)
    people = [new_id() for _ in range(PEOPLE)]
    connection = await asyncpg.connect(platform.postgres.url)
    await connection.executemany(
        "INSERT INTO identity_person"
        " (id, name_sealed, id_type, id_number_sealed, id_number_index, created_at)"
        " VALUES ($1, '', '111', '', $2, $3)",
        [(person, person.bytes, now) for person in people],
    )
    await connection.close()
    return {
        person: tokens.issue(
            ResidentCaller(
                account_id=new_id(), session_id=new_id(), level=Level.L3, person_id=person, face_at=now
            ),
            now=now,
        )
        for person in people
    }


async def _campaign(url: str) -> UUID:
    campaign, now = uuid4(), clock.now()
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO duty_free_campaign (id, code, name, name_en, opens_at, closes_at, face_fen,"
        " threshold_fen, stock, stock_left, per_person, per_person_day, valid_hours, state, min_level,"
        " for_visitors, stack_most)"
        " VALUES ($1, 'rush', '消费券', 'Voucher', $2, $3, 20000, 200000, $4, $4, 1, 1, 72, 'open', 'L3',"
        " true, 1)",
        campaign,
        now - timedelta(hours=1),
        now + timedelta(hours=1),
        STOCK,
    )
    await connection.close()
    return campaign


async def _vouchers(url: str, campaign: UUID) -> dict[UUID, str]:
    """Person → voucher, once what must be equal was found equal."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT person_id, id FROM duty_free_voucher WHERE campaign_id = $1", campaign
    )
    left = await connection.fetchval("SELECT stock_left FROM duty_free_campaign WHERE id = $1", campaign)
    by_day = await connection.fetchval(
        "SELECT sum(claimed) FROM duty_free_campaign_day WHERE campaign_id = $1", campaign
    )
    audited = await connection.fetchval("SELECT count(*) FROM audit_record WHERE action = 'duty-free.claim'")
    await connection.close()
    kept = {row["person_id"]: str(row["id"]) for row in rows}
    assert len(kept) == len(rows), "nobody has two"
    assert (len(rows) + left, by_day, audited) == (STOCK, len(rows), len(rows))
    return kept


async def _is_ready(api: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if (await api.get("/health/live")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the API did not come up")


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a part, if it is there still."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
