"""The load of the rush: python -m benchmarks.arrivals PORT PEOPLE SECONDS ANSWERS.

People come when they come, whether or not those before them were answered; as many arrive in the first
quarter of the time as in the rest. Of twenty, three click twice (the same Idempotency-Key) and three have two
devices (a key each), a tenth to a half of a second apart; kinds are dealt out evenly over the arrivals, so
that none comes earlier. Who finds all connections taken waits in line, as behind a load balancer; who is told
to come again does so when told. All answers are written to the file ANSWERS.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import os
import random
import re
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from benchmarks import load
from benchmarks.claimants import CAMPAIGNS, people_of, tokens_of
from haiyiban.ids import new_id

CONNECTIONS = 512
KINDS = ("once",) * 14 + ("twice",) * 3 + ("two devices",) * 3
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_AGAIN = re.compile(rb"retry-after: *([0-9]+)", re.IGNORECASE)


class Answer(msgspec.Struct):
    """One click and what it was told; seconds since the rush began."""

    number: int
    person: UUID
    kind: str
    arrived: float
    """When the person first clicked."""
    clicked: float
    request: bytes = b""
    answered: float = 0.0
    status: int = 0
    told: dict[str, Any] = {}
    times_sent: int = 0


class Line:
    """Who waits for a connection, and the connections that wait for somebody."""

    def __init__(self, clicks: Sequence[Answer]) -> None:
        self.coming = [(click.clicked, click.number) for click in clicks]
        heapq.heapify(self.coming)
        self.clicks = clicks
        self.waiting: deque[Answer] = deque()
        self.free: list[Connection] = []
        self.open = len(clicks)
        self.done = asyncio.get_running_loop().create_future()
        self.began = 0.0

    def now(self) -> float:
        return time.perf_counter() - self.began

    async def let_in(self) -> None:
        """Let everybody arrive in their time."""
        self.began = time.perf_counter()
        while not self.done.done():
            while self.coming and self.coming[0][0] <= self.now():
                self.waiting.append(self.clicks[heapq.heappop(self.coming)[1]])
            self.serve()
            await asyncio.sleep(0.001)

    def serve(self) -> None:
        while self.waiting and self.free:
            self.free.pop().send(self.waiting.popleft())

    def answered(self, click: Answer, head: bytes, body: bytes) -> None:
        click.status = int(head[9:12])
        if again := _AGAIN.search(head) if click.status in {429, 503} else None:
            heapq.heappush(self.coming, (self.now() + int(again[1]), click.number))
            return
        click.answered, click.told = self.now(), msgspec.json.decode(body)
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """One kept-alive connection, with one request under way at most."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._line.free.append(self)

    def send(self, click: Answer) -> None:
        self._click = click
        click.times_sent += 1
        self._transport.write(click.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._buffer = b""
        self._line.answered(self._click, head, body)
        self._line.free.append(self)
        self._line.serve()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._line.done.done():
            self._line.done.set_exception(error or ConnectionError("the server hung up"))


def clicks_of(people: Sequence[UUID], tokens: Sequence[str], *, seconds: float) -> Iterator[Answer]:
    """Every click of every person, by the moment of its arrival."""
    chance = random.Random(len(people))
    path = f"{CAMPAIGNS}/{os.environ['BENCH_CAMPAIGN']}/claims"
    kinds = [kind for _ in range(0, len(people), len(KINDS)) for kind in chance.sample(KINDS, len(KINDS))]
    numbers = count()
    arrivals = sorted(chance.random() ** 2 * seconds for _ in people)
    for person, token, kind, arrived in zip(people, tokens, kinds, arrivals, strict=False):
        first, second = str(new_id()), str(new_id())
        keys = {"once": [first], "twice": [first, first], "two devices": [first, second]}[kind]
        clicked = arrived
        for key in keys:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            request = load.request_bytes(path, {}, headers=headers)
            yield Answer(next(numbers), person, kind, arrived, clicked, request)
            clicked += chance.uniform(0.1, 0.5)


async def rush(port: int, clicks: Sequence[Answer]) -> None:
    """Let them all in; returns when everybody has an answer."""
    line, loop = Line(clicks), asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(line), "127.0.0.1", port)
    arriving = asyncio.create_task(line.let_in())
    await line.done
    await arriving


def main() -> None:
    """Sign everybody in and say so; at the line `go` let them in, write the answers, and say so."""
    port, people_count, seconds, answers = (
        int(sys.argv[1]),
        int(sys.argv[2]),
        float(sys.argv[3]),
        Path(sys.argv[4]),
    )
    sys.stdin.readline()
    people = asyncio.run(people_of(people_count, 0))
    clicks = list(clicks_of(people, tokens_of(people), seconds=seconds))
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(rush(port, clicks))
    for click in clicks:
        click.request = b""
    answers.write_bytes(msgspec.json.encode(clicks))
    print(json.dumps({"clicks": len(clicks)}), flush=True)


if __name__ == "__main__":
    main()
