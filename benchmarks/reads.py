"""Reading through the whole production stack, against bare Litestar and against raw asyncpg.

`edge` is nothing behind the same edge (request id, sign-in, limits, metrics, access log). `me` reads a
session, its account and its person. `cases` and `queue` give twenty rows; their ceiling is a bare endpoint in
which asyncpg runs the very statements and the rows are written as they come. `matter`, `trust-list`: 304.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from benchmarks import load
from benchmarks.processes import cpu_seconds, loading, serving
from benchmarks.report import Outcome, Ratio, per_round
from benchmarks.stack import empty_stack
from haiyiban import clock
from haiyiban.cases import access
from haiyiban.cases.models import Case
from haiyiban.cases.summaries import LISTED
from haiyiban.identity.callers import Level, ResidentCaller, StaffCaller
from haiyiban.identity.models import Account, Person, SignIn
from haiyiban.identity.tokens import access_tokens
from haiyiban.ids import new_id
from haiyiban.matters import catalogue
from haiyiban.residents import resident_check_digit
from haiyiban.runtime import ports
from haiyiban.runtime.start import running
from haiyiban.settings import Settings

PEOPLE = 50
CASES_EACH = 40
"""Two pages: a list that ends on its first page is cheaper than most."""
ROUNDS = (3, 7)
COUNTS = (800, 2_000)
"""Quick, full."""
MATTER = "education.school-place"
AGENCY, DIVISION = "education", "460105"
_READS: dict[str, tuple[str, str, float | None, str]] = {
    "edge": ("nothing behind the edge", "get", None, "bare GET"),
    "me": ("GET /me", "get", 0.45, "bare GET"),
    "cases": ("my cases, 20 rows", "cases raw", 0.5, "asyncpg, bare endpoint"),
    "queue": ("a clerk's queue, 20 rows", "queue raw", 0.5, "asyncpg, bare endpoint"),
    "search": ("search the catalogue", "get", None, "bare GET"),
    "matter": ("a matter that is held already, 304", "get", None, "bare GET"),
    "trust-list": ("the trust list that is held already, 304", "get", None, "bare GET"),
}
"""By variant: what it is, its ceiling, the ratio to reach, and the ceiling in words."""
EDGE_TO_BARE = 0.77
"""30 µs where a bare GET takes 39, as it was promised."""


def measure(full: bool) -> Outcome:
    """All reads in turn, round after round."""
    count = COUNTS[full]
    with ExitStack() as stack:
        home, _, environ = stack.enter_context(empty_stack())
        said = asyncio.run(_prepare())
        environ |= said
        log = home / "servers.log"
        api, edge, bare = (ports.any_free() for _ in range(3))
        pids = {
            port: stack.enter_context(serving(factory, port, environ=environ, log=log, ready=ready))
            for factory, port, ready in (
                ("haiyiban.runtime.asgi:create_app", api, "/health/ready"),
                ("benchmarks.bare:create_edge_app", edge, "/get"),
                ("benchmarks.bare:create_reading_app", bare, "/get"),
            )
        }
        port_of = dict.fromkeys(_READS, api) | {"edge": edge}
        port_of |= dict.fromkeys(("get", "cases raw", "queue raw"), bare)
        environ["BENCH_REQUESTS"] = json.dumps(_requests(api, said))
        loads = {
            variant: stack.enter_context(
                loading("benchmarks.reads", variant, str(port), str(count), environ=environ)
            )
            for variant, port in port_of.items()
        }
        rounds: dict[str, list[dict[str, float]]] = {variant: [] for variant in port_of}
        for number in range(ROUNDS[full] + 1):
            for variant, port in port_of.items():
                measured = _round(variant, loads[variant], pids[port], count)
                if number:  # the first round warms up
                    rounds[variant].append(measured)
    return Outcome((*(_ratio(variant, rounds) for variant in _READS), _edge(rounds)))


def _ratio(variant: str, rounds: dict[str, list[dict[str, float]]]) -> Ratio:
    name, ceiling, reach, words = _READS[variant]
    ours, theirs = rounds[variant], rounds[ceiling]
    return Ratio(
        name=name,
        against=words,
        rounds=per_round(_column(ours, "rate"), _column(theirs, "rate")),
        reach=reach,
        value=round(statistics.median(_column(ours, "rate"))),
        unit="req/s",
        cpu_ratio=round(
            statistics.median(_column(theirs, "cpuMicros")) / statistics.median(_column(ours, "cpuMicros")), 3
        ),
    )


def _edge(rounds: dict[str, list[dict[str, float]]]) -> Ratio:
    """What all layers of the edge cost beside the bare request."""
    bare, behind = (_column(rounds[variant], "cpuMicros") for variant in ("get", "edge"))
    return Ratio(
        name="all layers of the edge, CPU over bare",
        against="bare GET",
        rounds=tuple(round(ours / theirs - 1, 3) for ours, theirs in zip(behind, bare, strict=True)),
        better="less",
        reach=EDGE_TO_BARE,
        value=round(statistics.median(behind) - statistics.median(bare), 1),
        unit="µs",
    )


def _column(rounds: Sequence[dict[str, float]], name: str) -> list[float]:
    return [each[name] for each in rounds]


def _round(variant: str, generator: subprocess.Popen[str], pid: int, count: int) -> dict[str, float]:
    assert generator.stdin is not None
    assert generator.stdout is not None
    before = cpu_seconds(pid)
    generator.stdin.write("go\n")
    generator.stdin.flush()
    told = json.loads(generator.stdout.readline())
    good = {"matter": "304", "trust-list": "304"}.get(variant, "200")
    if told["seen"] != {good: count}:
        raise RuntimeError(f"{variant}: not every answer was good: {told['seen']}")
    return {"rate": count / told["seconds"], "cpuMicros": (cpu_seconds(pid) - before) / count * 1e6}


def _requests(api: int, said: dict[str, str]) -> dict[str, list[str]]:
    """By variant, the requests that its load sends in turn: path and headers in one text."""
    people = [f"Authorization: Bearer {token}" for token in json.loads(said["BENCH_RESIDENTS"])]
    clerk = f"Authorization: Bearer {said['BENCH_CLERK']}"
    tag = {
        path: httpx.get(f"http://127.0.0.1:{api}{path}").raise_for_status().headers["etag"]
        for path in (f"/api/v1/matters/{MATTER}", "/api/v1/trust-list")
    }
    words = ("小孩上学", "领失业金", "免税券", "社保", "入学")
    lists = {"cases": "/api/v1/cases", "me": "/api/v1/me", "edge": "/api/v1/nothing"}
    return {
        **{variant: [f"{path}\r\n{person}" for person in people] for variant, path in lists.items()},
        "queue": [f"/api/v1/desk/cases\r\n{clerk}"],
        "get": ["/get\r\nX-Nothing: 1"],
        "cases raw": [f"/cases/{number}\r\nX-Nothing: 1" for number in range(len(people))],
        "queue raw": ["/queue\r\nX-Nothing: 1"],
        "search": [f"/api/v1/matters?{httpx.QueryParams({'q': word})}\r\nX-Nothing: 1" for word in words],
        "matter": [f"/api/v1/matters/{MATTER}\r\nIf-None-Match: {tag[f'/api/v1/matters/{MATTER}']}"],
        "trust-list": [f"/api/v1/trust-list\r\nIf-None-Match: {tag['/api/v1/trust-list']}"],
    }


async def _prepare() -> dict[str, str]:
    """People with their cases, signed in; a clerk; and the statements that the lists send."""
    async with running(Settings.from_env()) as database:
        tokens = []
        people = []
        for number in range(PEOPLE):
            async with database.transaction() as session:
                person_id, token = await _person(session, number)
            people.append(person_id)
            tokens.append(token)
        clerk = _clerk()
        async with database.autocommit.connect() as connection:
            await connection.exec_driver_sql("ANALYZE")
        # As of now, for a clerk's token lives five minutes too.
        desk = access_tokens().issue(clerk, now=clock.now())
    return {
        "BENCH_RESIDENTS": json.dumps(tokens),
        "BENCH_CLERK": desk,
        "BENCH_PEOPLE": json.dumps([str(one) for one in people]),
    }


def _clerk() -> StaffCaller:
    return StaffCaller(
        staff_id=new_id(),
        session_id=new_id(),
        roles=frozenset({"clerk"}),
        agency=AGENCY,
        division=DIVISION,
    )


async def _person(session: Any, number: int) -> tuple[UUID, str]:
    now = clock.now()
    first17 = f"46010519900101{number:03}"
    person = Person(id=new_id(), id_type="111", created_at=now)
    person.name = f"测试{chr(0x4E00 + number)}"
    person.id_number = first17 + resident_check_digit(first17)
    person.id_number_index = secrets.token_bytes(32)
    account = Account(id=new_id(), person_id=person.id, level="L3", language="zh-CN", created_at=now)
    account.phone = f"139{number:08}"
    account.phone_index = secrets.token_bytes(32)
    sign_in = SignIn(
        id=new_id(),
        account_id=account.id,
        level="L3",
        label="bench",
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=1),
    )
    session.add(person)
    await session.flush()
    session.add(account)
    await session.flush()
    session.add(sign_in)
    version = catalogue().get(MATTER).version
    for place in range(CASES_EACH):
        case = Case(
            id=new_id(),
            number=f"BENCH{number:04}{place:04}",
            matter=MATTER,
            matter_version=version,
            state="accepted",
            version=3,
            applicant_id=person.id,
            subject_id=person.id,
            agency=AGENCY,
            division=DIVISION,
            prefill={},
            locked=[],
            created_at=now,
            updated_at=now,
            submitted_at=now,
        )
        case.form = {"child": {"name": person.name}}
        session.add(case)
    caller = ResidentCaller(
        account_id=account.id, session_id=sign_in.id, level=Level.L3, person_id=person.id, face_at=now
    )
    return person.id, access_tokens().issue(caller, now=now)


def list_statement(person_id: UUID | None) -> tuple[str, list[Any]]:
    """The statement of a person's list, or of the clerk's queue, and its values, as asyncpg takes them."""
    query: Select[*tuple[Any, ...]] = select(*LISTED)
    if person_id is not None:
        query = query.where(access.of_applicant(person_id)).order_by(Case.id.desc())
    else:
        clerk = _clerk()
        query = query.where(access.of_staff(clerk)).order_by(Case.id)
    compiled = query.limit(21).compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


def main() -> None:
    """The load (VARIANT PORT COUNT): for each line that comes in, send and report."""
    variant, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    texts = json.loads(os.environ["BENCH_REQUESTS"])[variant]
    requests = [_bytes(texts[number % len(texts)]) for number in range(count)]
    for _ in sys.stdin:
        load.report(*asyncio.run(load.send(port, requests)))


def _bytes(text: str) -> bytes:
    path, header = text.split("\r\n")
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()


if __name__ == "__main__":
    main()
