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
import re
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.processes import cpu_seconds, loading, pin, serving
from benchmarks.report import Outcome, Ratio, per_round
from benchmarks.stack import empty_stack
from haiyiban import clock
from haiyiban.runtime import ports
from haiyiban.runtime.postgres_seat import find_programs

VARIANTS = ("bare", "edge", "claim", "cold", "sold-out")
SEEN = {"bare": "201", "edge": "201", "claim": "201", "cold": "201", "sold-out": "409"}
CONNECTIONS = (64, 256)
ROUNDS = (2, 5)
COUNTS = (1_000, 3_000)
"""Quick, full."""
NAIVE_SECONDS = 2
_NAIVE = """
BEGIN;
UPDATE bench_stock SET stock_left = stock_left - 1 WHERE id = 1 AND stock_left > 0;
INSERT INTO bench_claim (id, person) VALUES (gen_random_uuid(), gen_random_uuid());
END;
"""


def measure(full: bool) -> Outcome:
    """All variants in turn, round after round."""
    wanted, count = ROUNDS[full], COUNTS[full]
    with ExitStack() as stack:
        home, postgres, environ = stack.enter_context(empty_stack())
        environ |= asyncio.run(_prepare(postgres.url, count * (wanted + 1)))
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
            arguments = ("benchmarks.claimants", variant, str(ports_of[variant]), str(count), str(clients))
            loads[variant, clients] = stack.enter_context(loading(*arguments, environ=environ))
        script = home / "naive.sql"
        script.write_text(_NAIVE)
        rounds: dict[str, list[dict[str, float]]] = {_name(*run): [] for run in runs} | {"naive": []}
        offset = 0
        for number in range(wanted + 1):
            for variant, clients in runs:
                measured = _round(
                    variant,
                    loads[variant, clients],
                    pids[variant],
                    postgres.process.popen.pid,
                    offset=offset,
                    count=count,
                )
                offset += count
                if number:  # the first round warms up
                    rounds[_name(variant, clients)].append(measured)
            if number:
                rounds["naive"].append({"requestsPerSecond": _naive(postgres.url, script)})
    return Outcome(tuple(_ratios(rounds)))


def _ratios(rounds: dict[str, list[dict[str, float]]]) -> Iterator[Ratio]:
    def column(name: str, figure: str = "requestsPerSecond") -> list[float]:
        return [each[figure] for each in rounds[name]]

    for clients in CONNECTIONS:
        claim = _name("claim", clients)
        for against, name, reach in (
            ("bare POST", _name("bare", clients), 0.8),
            ("a POST of nothing behind the edge", _name("edge", clients), None),
            ("pgbench's naive transaction", "naive", 5.0),
        ):
            cpu = None
            if name != "naive":
                cpu = statistics.median(column(name, "appCpuMicros")) / statistics.median(
                    column(claim, "appCpuMicros")
                )
            yield Ratio(
                name=f"claim a voucher, {clients} clients",
                against=against,
                rounds=per_round(column(claim), column(name)),
                reach=reach,
                value=round(statistics.median(column(claim))),
                unit="req/s",
                cpu_ratio=None if cpu is None else round(cpu, 3),
            )
        for variant, told in (("cold", "with a token not seen before"), ("sold-out", "after the end")):
            ours = column(_name(variant, clients))
            yield Ratio(
                name=f"claim {told}, {clients} clients",
                against="bare POST",
                rounds=per_round(ours, column(_name("bare", clients))),
                value=round(statistics.median(ours)),
                unit="req/s",
            )


def _round(
    variant: str, load: subprocess.Popen[str], pid: int, postgres: int, *, offset: int, count: int
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
    if told["seen"] != {SEEN[variant]: count}:
        raise RuntimeError(f"{variant}: not every answer was as it must be: {told['seen']}")
    return {
        "requestsPerSecond": count / told["seconds"],
        "appCpuMicros": (after[0] - before[0]) / count * 1e6,
        "postgresCpuMicros": (after[1] - before[1]) / count * 1e6,
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


async def _prepare(url: str, requests: int) -> dict[str, str]:
    """People as rows alone, a campaign that nobody empties and one that is empty, the naive tables."""
    connection = await asyncpg.connect(url)
    await make_people(connection, requests * len(VARIANTS) * len(CONNECTIONS))
    await connection.execute(
        "CREATE TABLE bench_stock (id int PRIMARY KEY, stock_left bigint NOT NULL);"
        "INSERT INTO bench_stock VALUES (1, 1000000000);"
        "CREATE TABLE bench_claim (id uuid PRIMARY KEY, person uuid NOT NULL UNIQUE)"
    )
    made = {
        name: str(await make_campaign(connection, name.lower(), stock))
        for name, stock in (("BENCH_CAMPAIGN", 10**8), ("BENCH_SOLD_OUT", 0))
    }
    await connection.execute("ANALYZE")
    await connection.close()
    return made


async def make_people(connection: Any, count: int) -> None:
    """People as rows alone, whom nobody looks up by their number."""
    await connection.execute(
        "INSERT INTO identity_person"
        " (id, name_sealed, id_type, id_number_sealed, id_number_index, created_at)"
        " SELECT gen_random_uuid(), '', '111', '', int8send(n), now() FROM generate_series(1, $1::int) n",
        count,
    )


async def make_campaign(connection: Any, code: str, stock: int) -> UUID:
    """One that is open, with so many vouchers, one a person."""
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
