"""Online verification and showing a code through the whole production stack, against bare Litestar.

Through everything: sign-in, strict JSON, Idempotency-Key, ES256, entitlement, live status, single use, audit,
metrics, access log. To reach: verifying 0.45 of the bare POST and 1.3 times the EU-DCC signature check alone,
showing (POST /codes: coalesced status, ES256) 0.37 of a bare GET. Why not all are:
docs/decisions/0015-what-the-speeds-of-codes-can-be.md.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
from contextlib import ExitStack
from datetime import date
from uuid import uuid4

import httpx

from benchmarks.processes import cpu_seconds, loading, serving
from benchmarks.report import Outcome, Ratio, per_round
from benchmarks.stack import empty_stack
from haiyiban import certificates, clock, verifiers
from haiyiban.errors import Words
from haiyiban.identity import persons
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.tokens import access_tokens
from haiyiban.ids import new_id
from haiyiban.residents import resident_check_digit
from haiyiban.runtime import ports
from haiyiban.runtime.start import running
from haiyiban.settings import Settings

VARIANTS = ("bare", "verify", "dcc", "get", "sign", "show")
SEEN = {"get": "200", "sign": "201", "show": "201"}
ROUNDS = (2, 7)
COUNTS = (1_000, 3_000)
"""Quick, full."""
CERTIFICATES = 500


def measure(full: bool) -> Outcome:
    """All variants in turn, round after round."""
    count = COUNTS[full]
    with ExitStack() as stack:
        home, postgres, environ = stack.enter_context(empty_stack())
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
                loading(*("benchmarks.scanners", variant, str(ports_of[variant]), str(count)), environ=load)
            )
            for variant in VARIANTS
        }
        rounds: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
        for number in range(ROUNDS[full] + 1):
            for variant in VARIANTS:
                measured = _round(variant, loads[variant], pids[variant], postgres.process.popen.pid, count)
                if number:  # the first round warms up
                    rounds[variant].append(measured)
    return Outcome(
        (
            _ratio("verify online, committed", "bare POST", "verify", "bare", rounds, reach=0.45),
            _ratio("verify online, committed", "EU-DCC check alone", "verify", "dcc", rounds, reach=1.3),
            _ratio("show a code", "bare GET", "show", "get", rounds, reach=0.37),
            _ratio("show a code", "bare POST that signs", "show", "sign", rounds),
        )
    )


def _ratio(
    name: str,
    against: str,
    ours: str,
    theirs: str,
    rounds: dict[str, list[dict[str, float]]],
    *,
    reach: float | None = None,
) -> Ratio:
    def column(variant: str, figure: str) -> list[float]:
        return [each[figure] for each in rounds[variant]]

    cpu = [statistics.median(column(variant, "appCpuMicros")) for variant in (theirs, ours)]
    return Ratio(
        name=name,
        against=against,
        rounds=per_round(column(ours, "requestsPerSecond"), column(theirs, "requestsPerSecond")),
        reach=reach,
        value=round(statistics.median(column(ours, "requestsPerSecond"))),
        unit="req/s",
        cpu_ratio=round(cpu[0] / cpu[1], 3),
    )


def _round(
    variant: str, load: subprocess.Popen[str], pid: int, postgres: int, count: int
) -> dict[str, float]:
    assert load.stdin is not None
    assert load.stdout is not None
    before = cpu_seconds(pid), cpu_seconds(postgres)
    load.stdin.write("go\n")
    load.stdin.flush()
    told = json.loads(load.stdout.readline())
    after = cpu_seconds(pid), cpu_seconds(postgres)
    if told["seen"] != {SEEN.get(variant, "valid"): count}:
        raise RuntimeError(f"{variant}: not every answer was good: {told['seen']}")
    return {
        "requestsPerSecond": count / told["seconds"],
        "appCpuMicros": (after[0] - before[0]) / count * 1e6,
        "postgresCpuMicros": (after[1] - before[1]) / count * 1e6,
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
