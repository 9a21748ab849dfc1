"""Online verification and showing a code through the whole production stack, against bare Litestar.

Through everything: sign-in, strict JSON, Idempotency-Key, ES256, entitlement, live status, single use, audit,
metrics, access log. To reach: verifying 0.45 of the bare POST and 1.3 times the EU-DCC signature check alone,
showing (POST /codes: coalesced status, ES256) 0.37 of a bare GET. Why not all are:
docs/decisions/0015-what-the-speeds-of-codes-can-be.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.processes import cpu_seconds, loading, serving
from haiyiban import certificates, clock, verifiers
from haiyiban.errors import Words
from haiyiban.identity import persons
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.tokens import access_tokens
from haiyiban.ids import new_id
from haiyiban.residents import resident_check_digit
from haiyiban.runtime import ceremony, migrate, ports
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.start import running
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings

VARIANTS = ("bare", "verify", "dcc", "get", "sign", "show")
SEEN = {"get": "200", "sign": "201", "show": "201"}
ROUNDS = 5
COUNT = 3_000
CERTIFICATES = 500
TARGETS = {"verifyToBare": 0.45, "verifyToDcc": 1.3, "showToGet": 0.37}
RESULTS = Path(__file__).parent / "results" / "verify.json"


def main() -> None:
    """Measure, print, write benchmarks/results/verify.json."""
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
        prepared, secret = asyncio.run(_prepare())
        log = home / "servers.log"
        api, yardstick = ports.any_free(), ports.any_free()
        pids = dict.fromkeys(
            ("verify", "show"),
            stack.enter_context(
                serving(
                    "haiyiban.runtime.asgi:create_app", api, environ=environ, log=log, ready="/health/ready"
                )
            ),
        )
        pids["bare"] = pids["dcc"] = pids["get"] = pids["sign"] = stack.enter_context(
            serving("benchmarks.bare:create_app", yardstick, environ=environ, log=log, ready="/bare")
        )
        load = environ | prepared | {"BENCH_TOKEN": _token(api, secret)}
        ports_of = dict.fromkeys(VARIANTS, yardstick) | {"verify": api, "show": api}
        loads = {
            variant: stack.enter_context(
                loading(*("benchmarks.scanners", variant, str(ports_of[variant]), str(COUNT)), environ=load)
            )
            for variant in VARIANTS
        }
        rounds: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
        for number in range(ROUNDS + 1):
            for variant in VARIANTS:
                measured = _round(variant, loads[variant], pids[variant], postgres.process.popen.pid)
                if number:  # the first round warms up
                    rounds[variant].append(measured)
                print(f"\r{variant} {number}/{ROUNDS} ", end="", flush=True)
    print("\r", end="")
    _tell(_summary(rounds))


def _round(variant: str, load: subprocess.Popen[str], pid: int, postgres: int) -> dict[str, float]:
    assert load.stdin is not None
    assert load.stdout is not None
    before = cpu_seconds(pid), cpu_seconds(postgres)
    load.stdin.write("go\n")
    load.stdin.flush()
    told = json.loads(load.stdout.readline())
    after = cpu_seconds(pid), cpu_seconds(postgres)
    if told["seen"] != {SEEN.get(variant, "valid"): COUNT}:
        raise RuntimeError(f"{variant}: not every answer was good: {told['seen']}")
    return {
        "requestsPerSecond": COUNT / told["seconds"],
        "appCpuMicros": (after[0] - before[0]) / COUNT * 1e6,
        "postgresCpuMicros": (after[1] - before[1]) / COUNT * 1e6,
    }


async def _prepare() -> tuple[dict[str, str], verifiers.ClientSecret]:
    """Certificates and their holder as the load needs them, and a verifier with its secret."""
    secret = verifiers.new_secret()
    now = clock.now()
    first17 = "46010520200101001"
    claims = {
        "name": "陈小海",
        "idNumber": first17 + resident_check_digit(first17),
        "school": "秀英区滨海小学",
        "schoolYear": 2027,
        "reportFrom": "2027-08-25",
    }
    async with running(Settings.from_env()) as database, database.transaction() as session:
        child = await persons.find_or_create(session, "陈小海", id_number=claims["idNumber"])
        issued = [
            await certificates.issue(
                session,
                "admission-notice",
                holder_id=child.id,
                keeper_id=child.id,
                claims=claims,
                case_id=None,
                now=now,
                valid_until=date(2099, 9, 30),
            )
            for _ in range(CERTIFICATES)
        ]
        verifier = await verifiers.accredit(
            session,
            Words(f"滨海小学 {uuid4().hex[:6]}", "Binhai School"),
            unit="education",
            purposes=["enrolment"],
            now=now,
        )
        await verifiers.add_client(session, verifier, secret, now=now)
        holder = ResidentCaller(
            account_id=new_id(), session_id=new_id(), level=Level.L3, person_id=child.id, face_at=now
        )
        prepared = {
            "BENCH_REFS": ",".join(str(certificate.ref) for certificate in issued),
            "BENCH_CERTIFICATES": ",".join(str(certificate.id) for certificate in issued),
            "BENCH_HOLDER": access_tokens().issue(holder, now=now),
        }
    return prepared, secret


def _token(port: int, secret: verifiers.ClientSecret) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/v1/auth/verifiers/token",
        json={"clientId": secret.client_id, "clientSecret": secret.client_secret},
    )
    token: str = answer.raise_for_status().json()["accessToken"]
    return token


def _summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    figures: dict[str, dict[str, Any]] = {}
    for variant, measured in rounds.items():
        rates = [each["requestsPerSecond"] for each in measured]
        figures[variant] = {
            "requestsPerSecond": round(statistics.median(rates)),
            "spread": [round(min(rates)), round(max(rates))],
            "appCpuMicros": round(statistics.median(each["appCpuMicros"] for each in measured), 1),
            "postgresCpuMicros": round(statistics.median(each["postgresCpuMicros"] for each in measured), 1),
        }
    bare, verify, dcc, get, sign, show = (figures[name] for name in VARIANTS)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "loadAverage": os.getloadavg()[0],
        },
        "versions": {
            name: version(name)
            for name in ("litestar", "granian", "msgspec", "sqlalchemy", "asyncpg", "cryptography")
        },
        "connections": 64,
        "requestsPerRound": COUNT,
        "rounds": ROUNDS,
        "figures": figures,
        "ratios": {
            "requestsPerSecondToBare": round(verify["requestsPerSecond"] / bare["requestsPerSecond"], 3),
            "cpuToBare": round(bare["appCpuMicros"] / verify["appCpuMicros"], 3),
            "requestsPerSecondToDcc": round(verify["requestsPerSecond"] / dcc["requestsPerSecond"], 3),
            "cpuToDcc": round(dcc["appCpuMicros"] / verify["appCpuMicros"], 3),
            "showRequestsPerSecondToGet": round(show["requestsPerSecond"] / get["requestsPerSecond"], 3),
            "showCpuToGet": round(get["appCpuMicros"] / show["appCpuMicros"], 3),
            "showCpuToSign": round(sign["appCpuMicros"] / show["appCpuMicros"], 3),
            "signCpuToGet": round(get["appCpuMicros"] / sign["appCpuMicros"], 3),
            "targets": TARGETS,
        },
    }


def _tell(summary: dict[str, Any]) -> None:
    print(f"{'':8}{'req/s':>8}{'min':>8}{'max':>8}{'app µs':>9}{'PG µs':>8}")
    for variant, figure in summary["figures"].items():
        low, high = figure["spread"]
        print(
            f"{variant:8}{figure['requestsPerSecond']:>8}{low:>8}{high:>8}"
            f"{figure['appCpuMicros']:>9}{figure['postgresCpuMicros']:>8}"
        )
    ratios = summary["ratios"]
    print(
        f"verify ÷ bare: {ratios['requestsPerSecondToBare']} requests/s, {ratios['cpuToBare']} CPU "
        f"(to reach {TARGETS['verifyToBare']}); ÷ DCC check alone: {ratios['requestsPerSecondToDcc']}, "
        f"{ratios['cpuToDcc']} CPU ({TARGETS['verifyToDcc']})\n"
        f"show ÷ bare GET: {ratios['showRequestsPerSecondToGet']} requests/s, {ratios['showCpuToGet']} CPU "
        f"(to reach {TARGETS['showToGet']}); ÷ bare POST that signs: {ratios['showCpuToSign']} CPU, "
        f"which itself is {ratios['signCpuToGet']} of the bare GET"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
