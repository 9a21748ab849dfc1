"""The rush for vouchers: 100,000 people for 10,000, through the whole production stack, fair and exact.

Everybody is signed in, with a token that the process has not seen, and arrives as benchmarks/arrivals.py has
it: faster than one process answers. Afterwards what every client was told is held against the tables, by SQL
of its own and by the program's `check_books`; one difference fails the run. The yardstick is a POST of
nothing behind the same edge, of people all at once.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.arrivals import CONNECTIONS, Answer
from benchmarks.claims import make_campaign, make_people
from benchmarks.processes import loading, serving
from benchmarks.report import Outcome, Ratio
from benchmarks.stack import empty_stack
from haiyiban.runtime import ports
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from services.duty_free.vouchers import books

SIZES = ((4_000, 400, 1.5), (100_000, 10_000, 30.0))
"""Quick, full: people, vouchers, seconds in which they arrive."""
YARDSTICK = 1_000
"""Requests that warm a server up, and requests that are the yardstick."""
TURN_SECONDS = 1.0
"""Who wins while somebody who came so much earlier goes away empty has won out of turn."""


class Person(NamedTuple):
    """One person and how it went."""

    kind: str
    arrived: float
    answered: float
    """When the first of their clicks was answered that told how it went for them."""
    won: bool


def measure(full: bool) -> Outcome:
    """One rush, looked at from both sides."""
    people, vouchers, seconds = SIZES[full]
    with ExitStack() as stack:
        home, postgres, environ = stack.enter_context(empty_stack())
        campaign, another = asyncio.run(_prepare(postgres.url, people, vouchers))
        edge, api, log = ports.any_free(), ports.any_free(), home / "servers.log"
        with serving("benchmarks.bare:create_edge_app", edge, environ=environ, log=log, ready="/get"):
            bare = [_claim(edge, environ | {"BENCH_CAMPAIGN": str(another)}) for _ in range(2)][-1]
        stack.enter_context(
            serving("haiyiban.runtime.asgi:create_app", api, environ=environ, log=log, ready="/health/ready")
        )
        _claim(api, environ | {"BENCH_CAMPAIGN": str(another)}, offset=people)
        environ["BENCH_CAMPAIGN"] = str(campaign)
        clicks = _rush(api, people, seconds, home / "answers.json", environ)
        asyncio.run(_check(postgres.url, campaign, vouchers, clicks))
    return Outcome(tuple(_ratios(_people(clicks), clicks, bare, seconds)))


async def _prepare(url: str, people: int, vouchers: int) -> tuple[UUID, UUID]:
    """The campaign, and another to warm up by, with people of its own."""
    connection = await asyncpg.connect(url)
    await make_people(connection, people + YARDSTICK)
    campaign = await make_campaign(connection, "rush", vouchers)
    another = await make_campaign(connection, "warm-up", 10**8)
    await connection.execute("ANALYZE")
    await connection.close()
    return campaign, another


def _claim(port: int, environ: dict[str, str], *, offset: int = 0) -> float:
    """As many claim as the yardstick has, all at once; requests a second."""
    arguments = ("benchmarks.claimants", "cold", str(port), str(YARDSTICK), str(CONNECTIONS))
    with loading(*arguments, environ=environ) as load:
        _say(load, str(offset), expect="ready")
        told = json.loads(_say(load, "go"))
    if told["seen"] != {"201": YARDSTICK}:
        raise RuntimeError(f"not every claim was answered as it must be: {told['seen']}")
    return float(YARDSTICK / told["seconds"])


def _rush(port: int, people: int, seconds: float, answers: Path, environ: dict[str, str]) -> list[Answer]:
    arguments = ("benchmarks.arrivals", str(port), str(people), str(seconds), str(answers))
    with loading(*arguments, environ=environ) as load:
        _say(load, "prepare", expect="ready")
        _say(load, "go")
    return msgspec.json.decode(answers.read_bytes(), type=list[Answer])


def _say(load: subprocess.Popen[str], line: str, *, expect: str | None = None) -> str:
    assert load.stdin is not None
    assert load.stdout is not None
    load.stdin.write(f"{line}\n")
    load.stdin.flush()
    answer = load.stdout.readline().strip()
    if not answer or expect not in (None, answer):
        raise RuntimeError(f"the load said {answer!r} to {line!r}")
    return answer


async def _check(url: str, campaign: UUID, vouchers: int, clicks: Sequence[Answer]) -> None:
    """Exactly as many as there were, nobody two, everybody told what is so, and the books balance."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT person_id, id, number FROM duty_free_voucher WHERE campaign_id = $1", campaign
    )
    left = await connection.fetchval("SELECT stock_left FROM duty_free_campaign WHERE id = $1", campaign)
    recorded = await connection.fetchval(
        "SELECT count(DISTINCT person_id) FROM duty_free_voucher WHERE campaign_id = $1", campaign
    )
    await connection.close()
    given = {row["person_id"]: (str(row["id"]), row["number"]) for row in rows}
    if (len(rows), len(given), recorded, left) != (vouchers, vouchers, vouchers, 0):
        raise RuntimeError(f"{len(rows)} vouchers for {len(given)} people, {left} left, of {vouchers}")
    wrong = [click for click in clicks if not is_true(click, given)]
    told = {click.person for click in clicks if click.status == 201}
    if wrong or told != given.keys():
        raise RuntimeError(f"{len(wrong)} were told what is not so: {wrong[:3]}; {len(told)} of a voucher")
    async with running(Settings.from_env()):
        if found := await books.look():
            raise RuntimeError(f"the books do not balance: {found}")


def is_true(click: Answer, given: dict[UUID, tuple[str, str]]) -> bool:
    """What a click may be told: its voucher; of another device's that one has it; of an empty stock only who
    has none, or has it from another device."""
    voucher = given.get(click.person)
    if click.status == 201:
        return voucher == (click.told["voucherId"], click.told["number"])
    if click.status != 409:
        return False
    refusal = click.told["type"].rsplit("/", 1)[-1]
    if voucher is None:
        return bool(refusal == "sold-out")
    return click.kind == "two devices" and refusal in {"already-claimed", "sold-out"}


def _people(clicks: Sequence[Answer]) -> list[Person]:
    """In the order of their arrival."""
    of_person: defaultdict[UUID, list[Answer]] = defaultdict(list)
    for click in clicks:
        of_person[click.person].append(click)
    found = []
    for own in of_person.values():
        won = [click for click in own if click.status == 201]
        told = min(click.answered for click in won or own)
        found.append(Person(own[0].kind, own[0].arrived, told, bool(won)))
    return sorted(found, key=lambda person: person.arrived)


def _ratios(people: list[Person], clicks: Sequence[Answer], bare: float, seconds: float) -> list[Ratio]:
    winners = [person for person in people if person.won]
    name = f"the rush of {len(people):,} for {len(winners):,}"
    last = max(person.answered for person in winners)
    first = min(person.arrived for person in people)
    claims = len(winners) / (last - first)
    answers = len(clicks) / (max(click.answered for click in clicks) - first)
    in_turn = sum(won_in_turn(people))
    waits = statistics.quantiles((click.answered - click.clicked for click in clicks), n=100)
    rates = _rates(people)
    ratios = [
        Ratio(
            name=f"{name}: {told}",
            against="a POST of nothing behind the edge",
            rounds=(round(rate / bare, 4),),
            value=round(rate),
            unit=unit,
        )
        for told, rate, unit in (
            ("vouchers given until the last was gone", claims, "claims/s"),
            ("everybody answered", answers, "answers/s"),
        )
    ]
    ratios += [
        Ratio(
            name=f"{name}: {told} until an answer",
            against=f"{seconds:g} s in which they came",
            rounds=(round(wait / seconds, 4),),
            better="less",
            value=round(wait * 1000),
            unit="ms",
        )
        for told, wait in (("p50", waits[49]), ("p99", waits[98]))
    ]
    ratios.append(
        Ratio(
            name=f"{name}: won in turn, within {TURN_SECONDS:g} s",
            against="all who won",
            rounds=(round(in_turn / len(winners), 4),),
            reach=1.0,
            value=len(winners) - in_turn,
            unit="out of turn",
        )
    )
    ratios += [
        Ratio(
            name=f"{name}: chance of who {told}",
            against="of who clicked once",
            rounds=(round(rates[kind] / rates["once"], 4),),
            better="less",
            reach=1.05,
            value=round(rates[kind] * 100, 2),
            unit="% won",
        )
        for kind, told in (("twice", "clicked twice"), ("two devices", "had two devices"))
    ]
    return ratios


def won_in_turn(people: Sequence[Person]) -> list[bool]:
    """Of each who won, whether nobody went away empty who came so much earlier."""
    empty_since = min((person.arrived for person in people if not person.won), default=float("inf"))
    return [person.arrived <= empty_since + TURN_SECONDS for person in people if person.won]


def _rates(people: Sequence[Person]) -> dict[str, float]:
    """Which part of each kind won."""
    all_, won = (Counter(person.kind for person in some) for some in (people, [p for p in people if p.won]))
    return {kind: won[kind] / all_[kind] for kind in all_}
