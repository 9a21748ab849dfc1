"""How long people wait, on the data of a city or a province: an open loop at half of what the machine can do.

`python -m benchmarks.latency HOME [SECONDS]`, where HOME is a state folder whose own PostgreSQL was filled by
`haiyiban seed --scale`. First as many requests as go through in a closed loop, which is the capacity; then
requests that come as they come (a Poisson process of half that rate) whether or not the ones before are
answered. Each is timed from the instant at which it was **due**, so a server that stalls is not excused
from those that it kept from being sent (coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks import report
from benchmarks.processes import loading, serving
from haiyiban import clock, verifiers
from haiyiban.crypto import FileKeys
from haiyiban.errors import Words
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.tokens import AccessTokens
from haiyiban.ids import new_id
from haiyiban.population import World
from haiyiban.runtime import ceremony, migrate, ports
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.scale import plan
from haiyiban.runtime.start import running
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings

CONNECTIONS = 64
PEOPLE = 5_000
"""Whoever asks is one of these, drawn from all over the table, so that rows come from disk and cache as they
do; more tokens would take longer to sign than they live."""
WARM_UP_SECONDS, CLOSED_SECONDS, OPEN_SECONDS = 5.0, 10.0, 60.0
SHARE = {"show": 50, "verify": 35, "vouchers": 10, "cases": 5}
"""Of a hundred requests. A verification is of a code that was shown a moment ago."""
RESULTS = Path(__file__).parent / "results" / "latency.json"


class Answered(NamedTuple):
    """A request that was answered."""

    operation: str
    status: int
    seconds: float
    """From when it was due."""


def main() -> None:
    """Measure, print, write benchmarks/results/latency.json."""
    home = Path(sys.argv[1]).absolute()
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else OPEN_SECONDS
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(home, {"shared_buffers": "2GB"}))
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": str(home),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": stack.enter_context(EmbeddedValkey(home)).url,
        }
        os.environ.update(environ)
        migrate.upgrade(postgres.url)
        ceremony.play(Settings.from_env(environ), clock.now())
        secret, people = asyncio.run(_prepare())
        log, port = home / "latency.log", ports.any_free()
        factory = "haiyiban.runtime.asgi:create_app"
        stack.enter_context(serving(factory, port, environ=environ, log=log, ready="/health/ready"))
        environ |= {"BENCH_VERIFIER": _token(port, secret), "BENCH_PEOPLE": str(people)}
        load = stack.enter_context(loading("benchmarks.latency", "load", str(port), environ=environ))
        assert load.stdin is not None
        assert load.stdout is not None
        told: dict[str, Any] = {}
        rate = 0.0
        for order in ("closed", "open"):
            load.stdin.write(f"{order} {seconds if order == 'open' else CLOSED_SECONDS} {rate / 2}\n")
            load.stdin.flush()
            told[order] = json.loads(load.stdout.readline())
            rate = told[order]["requestsPerSecond"]
    summary = {
        "at": report.now().isoformat(),
        "machine": report.machine(),
        "versions": report.versions(),
        "people": people,
        "share": SHARE,
        **told,
    }
    print(json.dumps(summary, indent=1))
    RESULTS.write_text(json.dumps(summary, indent=1) + "\n")


async def _prepare() -> tuple[verifiers.ClientSecret, int]:
    """A verifier, and how many residents the city has."""
    settings = Settings.from_env()
    secret = verifiers.new_secret()
    async with running(settings) as database, database.transaction() as session:
        verifier = await verifiers.accredit(
            session,
            Words(f"测速 {new_id()}", "Benchmark"),
            unit="education",
            purposes=["counter"],
            now=clock.now(),
        )
        await verifiers.add_client(session, verifier, secret, now=clock.now())
    connection = await plan.connect(settings.database_url)
    world = await plan.world_of(connection)
    await connection.close()
    return secret, world.sizes.residents


def _token(port: int, secret: verifiers.ClientSecret) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/v1/auth/verifiers/token",
        json={"clientId": secret.client_id, "clientSecret": secret.client_secret},
    )
    token: str = answer.raise_for_status().json()["accessToken"]
    return token


class Crowd:
    """The people who ask, over kept-alive connections."""

    def __init__(self, port: int, world: World, people: int) -> None:
        self._port = port
        self._chance = random.Random(7)
        settings, now = Settings.from_env(), clock.now()
        tokens = AccessTokens(FileKeys(settings.keys_dir), issuer=settings.issuer)
        self._residents = [
            tokens.issue(_caller(world, self._chance.randrange(people)), now=now) for _ in range(PEOPLE)
        ]
        self._verifier = os.environ["BENCH_VERIFIER"]
        self._shown: list[str] = []
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()

    async def connect(self) -> None:
        """Open all connections."""
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))

    def operations(self) -> Iterator[str]:
        """What is asked, in the shares of a day."""
        names, weights = list(SHARE), list(SHARE.values())
        while True:
            yield self._chance.choices(names, weights)[0]

    async def ask(self, operation: str, due: float) -> Answered:
        """One request, timed from when it was due."""
        if operation == "verify" and not self._shown:
            operation = "show"
        request = self._request(operation)
        reader, writer = await self._free.get()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        body = await reader.readexactly(length)
        self._free.put_nowait((reader, writer))
        status = int(head[9:12])
        if operation == "show" and status == 201:
            self._shown.append(json.loads(body)["text"])
        return Answered(operation, status, time.perf_counter() - due)

    def _request(self, operation: str) -> bytes:
        if operation == "verify":
            body = {"text": self._shown.pop(), "purpose": "counter", "place": "东门"}
            return _post("/api/v1/verifications", body, self._verifier, key=str(new_id()))
        token = self._chance.choice(self._residents)
        if operation == "show":
            return _post("/api/v1/codes", {"kind": "identity"}, token)
        path = {"vouchers": "/api/v1/zones/duty-free/vouchers", "cases": "/api/v1/cases"}[operation]
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _caller(world: World, place: int) -> ResidentCaller:
    return ResidentCaller(
        account_id=new_id(),
        session_id=new_id(),
        level=Level.L3,
        person_id=world.person_id(world.adult(place % world.sizes.adults)),
        face_at=clock.now(),
    )


def _post(path: str, body: dict[str, str], token: str, *, key: str | None = None) -> bytes:
    content = json.dumps(body, ensure_ascii=False).encode()
    named = f"Idempotency-Key: {key}\r\n" if key else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{named}"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content


async def _load(port: int) -> None:
    connection = await plan.connect(Settings.from_env().database_url)
    world = await plan.world_of(connection)
    await connection.close()
    while line := await asyncio.to_thread(sys.stdin.readline):
        order, seconds, rate = line.split()
        crowd = Crowd(port, world, int(os.environ["BENCH_PEOPLE"]))  # tokens live five minutes
        await crowd.connect()
        if order == "closed":
            await _closed(crowd, WARM_UP_SECONDS)
            answered, took = await _closed(crowd, float(seconds))
        else:
            answered, took = await _open(crowd, float(seconds), float(rate))
        print(json.dumps(_told(answered, took)), flush=True)


async def _closed(crowd: Crowd, seconds: float) -> tuple[list[Answered], float]:
    """Everybody asks again as soon as they are answered."""
    answered: list[Answered] = []
    began = time.perf_counter()

    async def one() -> None:
        for operation in crowd.operations():
            if time.perf_counter() - began > seconds:
                return
            answered.append(await crowd.ask(operation, time.perf_counter()))

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return answered, time.perf_counter() - began


async def _open(crowd: Crowd, seconds: float, rate: float) -> tuple[list[Answered], float]:
    """People come when they come."""
    chance, asked = random.Random(11), []
    began = due = time.perf_counter()
    for operation in crowd.operations():
        due += chance.expovariate(rate)
        if due - began > seconds:
            break
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        asked.append(asyncio.create_task(crowd.ask(operation, due)))
    answered = await asyncio.gather(*asked)
    return list(answered), time.perf_counter() - began


def _told(answered: list[Answered], took: float) -> dict[str, Any]:
    by_operation: dict[str, list[float]] = defaultdict(list)
    for each in answered:
        if each.status >= 400:
            raise RuntimeError(f"{each.operation} was answered {each.status}")
        by_operation[each.operation].append(each.seconds)
    every = [each.seconds for each in answered]
    return {
        "requestsPerSecond": round(len(answered) / took, 1),
        "milliseconds": {name: _percentiles(found) for name, found in {"all": every, **by_operation}.items()},
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"count": len(ordered)} | {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 2)
        for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999))
    }


if __name__ == "__main__":
    if sys.argv[1] == "load":
        asyncio.run(_load(int(sys.argv[2])))
    else:
        main()
