"""Claiming a voucher through the whole production stack, against bare Litestar and a naive transaction.

Through everything: sign-in, Idempotency-Key, limits, stock, audit, commit with fsync, metrics, access log.
`claim` with a token that the process has seen, as of people who looked at the campaign before; `cold` with
one that it has not (one ES256 check more); `sold-out` after the end, without a key; `edge` is a claim of
nothing behind the same edge. `naive` is PostgreSQL's own pgbench: UPDATE of the stock, INSERT of the claim,
prepared, 16 clients, no HTTP. To reach: 0.8 of the bare POST and 5 times the naive transaction.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.processes import cpu_seconds, loading, pin, serving
from haiyiban import clock
from haiyiban.runtime import ceremony, migrate, ports
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.postgres_seat import find_programs
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings

VARIANTS = ("bare", "edge", "claim", "cold", "sold-out")
SEEN = {"bare": "201", "edge": "201", "claim": "201", "cold": "201", "sold-out": "409"}
CONNECTIONS = (64, 256)
ROUNDS = 5
COUNT = 3_000
NAIVE_SECONDS = 2
TARGETS = {"claimToBare": 0.8, "claimToNaive": 5}
RESULTS = Path(__file__).parent / "results" / "claims.json"
_NAIVE = """
BEGIN;
UPDATE bench_stock SET stock_left = stock_left - 1 WHERE id = 1 AND stock_left > 0;
INSERT INTO bench_claim (id, person) VALUES (gen_random_uuid(), gen_random_uuid());
END;
"""


def main() -> None:
    """Measure, print, write benchmarks/results/claims.json."""
    with tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        postgres = stack.enter_context(EmbeddedPostgres(home))
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": folder,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": stack.enter_context(EmbeddedValkey(home)).url,
        }
        os.environ.update(environ)
        migrate.upgrade(postgres.url)
        ceremony.play(Settings.from_env(environ), clock.now())
        environ |= asyncio.run(_prepare(postgres.url))
        log = home / "servers.log"
        api, yardstick = ports.any_free(), ports.any_free()
        served = stack.enter_context(
            serving("haiyiban.runtime.asgi:create_app", api, environ=environ, log=log, ready="/health/ready")
        )
        edge = ports.any_free()
        pids = dict.fromkeys(VARIANTS, served) | {
            name: stack.enter_context(
                serving(f"benchmarks.bare:{factory}", port, environ=environ, log=log, ready="/get")
            )
            for name, factory, port in (
                ("bare", "create_app", yardstick),
                ("edge", "create_edge_app", edge),
            )
        }
        ports_of = dict.fromkeys(VARIANTS, api) | {"bare": yardstick, "edge": edge}
        runs = [(variant, clients) for clients in CONNECTIONS for variant in VARIANTS]
        loads = {}
        for variant, clients in runs:
            arguments = ("benchmarks.claimants", variant, str(ports_of[variant]), str(COUNT), str(clients))
            loads[variant, clients] = stack.enter_context(loading(*arguments, environ=environ))
        script = home / "naive.sql"
        script.write_text(_NAIVE)
        rounds: dict[str, list[dict[str, float]]] = {_name(*run): [] for run in runs} | {"naive": []}
        offset = 0
        for number in range(ROUNDS + 1):
            for variant, clients in runs:
                measured = _round(
                    variant,
                    loads[variant, clients],
                    pids[variant],
                    postgres.process.popen.pid,
                    offset=offset,
                )
                offset += COUNT
                if number:  # the first round warms up
                    rounds[_name(variant, clients)].append(measured)
                print(f"\r{variant} {clients} {number}/{ROUNDS}    ", end="", flush=True)
            if number:
                rounds["naive"].append({"requestsPerSecond": _naive(postgres.url, script)})
    print("\r", end="")
    _tell(_summary(rounds))


def _round(
    variant: str, load: subprocess.Popen[str], pid: int, postgres: int, *, offset: int
) -> dict[str, float]:
    assert load.stdin is not None
    assert load.stdout is not None
    load.stdin.write(f"{offset}\n")
    load.stdin.flush()
    assert load.stdout.readline() == "ready\n"
    before = cpu_seconds(pid), cpu_seconds(postgres)
    load.stdin.write("go\n")
    load.stdin.flush()
    told = json.loads(load.stdout.readline())
    after = cpu_seconds(pid), cpu_seconds(postgres)
    if told["seen"] != {SEEN[variant]: COUNT}:
        raise RuntimeError(f"{variant}: not every answer was as it must be: {told['seen']}")
    return {
        "requestsPerSecond": COUNT / told["seconds"],
        "appCpuMicros": (after[0] - before[0]) / COUNT * 1e6,
        "postgresCpuMicros": (after[1] - before[1]) / COUNT * 1e6,
    }


def _naive(url: str, script: Path) -> float:
    program = str(find_programs() / "pgbench")
    options = ["-n", "-M", "prepared", "-c", "16", "-j", "1", "-T", str(NAIVE_SECONDS), "-f", str(script)]
    process = subprocess.Popen([program, *options, url], stdout=subprocess.PIPE, text=True)
    pin(process.pid, 1)
    said, _ = process.communicate()
    found = re.search(r"tps = ([0-9.]+)", said)
    if found is None:
        raise RuntimeError(f"pgbench: {said}")
    return float(found[1])


async def _prepare(url: str) -> dict[str, str]:
    """People as rows alone, a campaign that nobody empties and one that is empty, the naive tables."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO identity_person"
        " (id, name_sealed, id_type, id_number_sealed, id_number_index, created_at)"
        " SELECT gen_random_uuid(), '', '111', '', int8send(n), now() FROM generate_series(1, $1::int) n",
        COUNT * (ROUNDS + 1) * len(VARIANTS) * len(CONNECTIONS),
    )
    await connection.execute(
        "CREATE TABLE bench_stock (id int PRIMARY KEY, stock_left bigint NOT NULL);"
        "INSERT INTO bench_stock VALUES (1, 1000000000);"
        "CREATE TABLE bench_claim (id uuid PRIMARY KEY, person uuid NOT NULL UNIQUE)"
    )
    made = {
        name: str(await _campaign(connection, name.lower(), stock))
        for name, stock in (("BENCH_CAMPAIGN", 10**8), ("BENCH_SOLD_OUT", 0))
    }
    await connection.execute("ANALYZE")
    await connection.close()
    return made


async def _campaign(connection: Any, code: str, stock: int) -> UUID:
    campaign, now = uuid4(), clock.now()
    await connection.execute(
        "INSERT INTO duty_free_campaign (id, code, name, name_en, opens_at, closes_at, face_fen,"
        " threshold_fen, stock, stock_left, per_person, per_person_day, valid_hours, state, min_level,"
        " for_visitors, stack_most)"
        " VALUES ($1, $2, '消费券', 'Voucher', $3, $4, 20000, 200000, $5, $5, 1, 1, 72, 'open', 'L3',"
        " true, 1)",
        campaign,
        code,
        now - timedelta(hours=1),
        now + timedelta(days=1),
        stock,
    )
    return campaign


def _name(variant: str, clients: int) -> str:
    return f"{variant} {clients}"


def _summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    figures: dict[str, dict[str, Any]] = {}
    for name, measured in rounds.items():
        rates = [each["requestsPerSecond"] for each in measured]
        figures[name] = {
            "requestsPerSecond": round(statistics.median(rates)),
            "spread": [round(min(rates)), round(max(rates))],
        } | {
            key: round(statistics.median(each[key] for each in measured), 1)
            for key in ("appCpuMicros", "postgresCpuMicros")
            if key in measured[0]
        }
    ratios = {}
    for clients in CONNECTIONS:
        bare, edge = figures[_name("bare", clients)], figures[_name("edge", clients)]
        for variant in VARIANTS[1:]:
            figure = figures[_name(variant, clients)]
            ratios[_name(variant, clients)] = {
                "toBare": round(figure["requestsPerSecond"] / bare["requestsPerSecond"], 3),
                "cpuToBare": round(bare["appCpuMicros"] / figure["appCpuMicros"], 3),
                "toEdge": round(figure["requestsPerSecond"] / edge["requestsPerSecond"], 3),
                "cpuToEdge": round(edge["appCpuMicros"] / figure["appCpuMicros"], 3),
                "toNaive": round(figure["requestsPerSecond"] / figures["naive"]["requestsPerSecond"], 2),
            }
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "loadAverage": os.getloadavg()[0],
        },
        "versions": {name: version(name) for name in ("litestar", "granian", "msgspec", "asyncpg")},
        "requestsPerRound": COUNT,
        "rounds": ROUNDS,
        "figures": figures,
        "ratios": ratios,
        "targets": TARGETS,
    }


def _tell(summary: dict[str, Any]) -> None:
    heads = ("req/s", "min", "max", "app µs", "PG µs", "÷bare", "CPU", "÷edge", "CPU", "÷naive")
    print(f"{'':14}" + "".join(f"{head:>8}" for head in heads))
    for name, figure in summary["figures"].items():
        ratio = summary["ratios"].get(name, {})
        told = [
            figure["requestsPerSecond"],
            *figure["spread"],
            *(figure.get(key, "") for key in ("appCpuMicros", "postgresCpuMicros")),
            *(ratio.get(key, "") for key in ("toBare", "cpuToBare", "toEdge", "cpuToEdge", "toNaive")),
        ]
        print(f"{name:14}" + "".join(f"{value:>8}" for value in told))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
