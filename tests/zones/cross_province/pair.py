"""Two deployments for tests, Hainan and Guangdong, and a line between them that can be cut."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx

from haiyiban.runtime import migrate, ports, tls_line
from haiyiban_sandbox.identity import identity_number
from tests.contracts import recording
from tests.contracts.documented import require_documented

HAINAN, GUANGDONG = "460000", "440000"
PARTIES = {HAINAN: ("海南省", "12460000MB1H0B024H"), GUANGDONG: ("广东省", "124400004558592254")}
MATTER = "social-insurance.proof"
PUMP = (
    "cross-province.report",
    "cross-province.deliver-due",
    "cross-province.process-waiting",
)


@dataclass
class Line:
    """TLS before one deployment. `deaf`: what is asked goes through, what is answered does not."""

    target: int
    tls: ssl.SSLContext
    mode: Literal["open", "cut", "deaf"] = "open"
    port: int = 0
    _server: asyncio.Server | None = None
    _passing: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            if self.mode != "cut":
                await self._both_ways(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()
            self._passing.discard(task)

    async def _both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)

        async def asked() -> None:
            while data := await reader.read(65536):
                back.write(data)
                await back.drain()

        asking = asyncio.create_task(asked())
        try:
            while data := await there.read(65536):
                if self.mode == "deaf":
                    return
                writer.write(data)
                await writer.drain()
        finally:
            asking.cancel()
            back.close()


@dataclass
class Deployment:
    """One of the two, as a process, with a client of its API."""

    division: str
    line: Line
    process: asyncio.subprocess.Process
    answers: asyncio.StreamReader
    api: httpx.AsyncClient
    offset: float = 0.0

    async def do(self, command: str, *arguments: Any) -> Any:
        """Have it do something inside its process."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([command, arguments]).encode() + b"\n")
        await self.process.stdin.drain()
        answer = json.loads(await asyncio.wait_for(self.answers.readline(), 30))
        assert "ok" in answer, answer
        return answer["ok"]

    async def count(self, query: str) -> int:
        return int((await self.do("rows", query))[0][0])

    async def clerk(self, agency: str, division: str) -> dict[str, str]:
        username, password = await self.do("clerk", agency, division)
        answer = await self.api.post(
            "/auth/sessions", json={"method": "staff", "username": username, "password": password}
        )
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


@dataclass
class Pair:
    """Hainan receives, Guangdong handles."""

    hainan: Deployment
    guangdong: Deployment
    sandbox: httpx.AsyncClient
    serial: int = 0
    people: list[tuple[dict[str, str], tuple[str, ...]]] = field(default_factory=list)
    """Who is signed in, by the headers that the tests hold."""

    async def pass_time(self, **units: float) -> None:
        """Move the clock of both."""
        for one in (self.hainan, self.guangdong):
            one.offset += timedelta(**units).total_seconds()
            await one.do("shift", one.offset)
        for headers, who in self.people:
            # A sign-in lasts for minutes.
            headers["Authorization"] = f"Bearer {await self.hainan.do('arrive', *who)}"

    async def pump(self) -> None:
        """What two workers do within some seconds."""
        for _ in range(3):
            for one in (self.hainan, self.guangdong):
                await one.do("run", *PUMP)

    async def resident(self, *, insured: bool = True, **facts: Any) -> tuple[dict[str, str], str]:
        """Somebody of Haikou who was insured in Guangzhou; the headers and the identity number."""
        self.serial += 1
        born = datetime(1985, 1, 1).date() + timedelta(days=self.serial)
        number = identity_number("460105", born, sequence=self.serial)
        insurance = {"socialInsurance": {"months": 70, "division": "440100"}} if insured else {}
        somebody = {
            "name": "符南北",
            "idNumber": number,
            "phone": f"139{self.serial:08d}",
            "division": "460105",
            "hukou": {"address": "海口市秀英区1号", "division": "460105", "since": "2010-01-01"},
        }
        answer = await self.sandbox.post("/residents", json=somebody | insurance | facts)
        assert answer.is_success, answer.text
        who = ("符南北", number, str(somebody["phone"]))
        headers = {"Authorization": f"Bearer {await self.hainan.do('arrive', *who)}"}
        self.people.append((headers, who))
        return headers, number

    async def apply(self, headers: dict[str, str], **form: Any) -> dict[str, Any]:
        """Apply in Hainan for Guangdong's proof."""
        body = {"division": GUANGDONG, "matter": MATTER, "version": 1, "form": {"purpose": "loan"} | form}
        answer = await self.hainan.api.post("/zones/cross-province/cases", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def read(self, case_id: str, headers: dict[str, str]) -> dict[str, Any]:
        answer = await self.hainan.api.get(f"/zones/cross-province/cases/{case_id}", headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def desk_case(self, cross_id: str) -> str:
        """The ordinary case that came of one, in Guangdong."""
        [[found]] = await self.guangdong.do(
            "rows", f"SELECT case_id FROM cross_province_case WHERE id = '{cross_id}'"
        )
        return str(found)

    async def act(self, clerk: dict[str, str], case_id: str, verb: str, **given: Any) -> dict[str, Any]:
        """What Guangdong's clerk does at the ordinary desk."""
        shown = await self.guangdong.api.get(f"/desk/cases/{case_id}", headers=clerk)
        assert shown.status_code == 200, shown.text
        answer = await self.guangdong.api.post(
            f"/desk/cases/{case_id}/{verb}",
            json={"version": shown.json()["version"], **given},
            headers=clerk,
        )
        assert answer.is_success, answer.text
        return dict(answer.json())


@asynccontextmanager
async def two(home: Path, database_url: str, redis_url: str, sandbox_url: str) -> AsyncIterator[Pair]:
    """Start both, with an agreement that each has signed."""
    databases = await _databases(database_url)
    started: list[Deployment] = []
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=30) as sandbox:
        try:
            for division, url in databases.items():
                started.append(await _start(division, home / division, url, redis_url, sandbox_url))
            pair = Pair(*started, sandbox)
            await _wait_for(started)
            document = await agreement(pair)
            for one in started:
                await one.do("accept", document)
                await one.do("run", "cross-province.refresh")
            yield pair
        finally:
            for one in started:
                await _stop(one)


async def agreement(pair: Pair, *, tls_roots: Sequence[str] = (), **members: Any) -> dict[str, Any]:
    """What both sign. `tls_roots`: the authorities of Guangdong's certificate, where not its own."""
    both = (pair.hainan, pair.guangdong)
    parties = [await one.do("party", *PARTIES[one.division]) for one in both]
    if tls_roots:
        parties[1]["tlsRoots"] = list(tls_roots)
    now = datetime.now(UTC)
    document: dict[str, Any] = {
        "agreement": {
            "version": 1,
            "parties": parties,
            "validFrom": (now - timedelta(days=1)).isoformat(),
            "validUntil": (now + timedelta(days=365)).isoformat(),
            "joint": [],
        }
        | members
    }
    for one in both:
        document = await one.do("sign", document)
    return document


async def _databases(url: str) -> dict[str, str]:
    """A fresh one for each, on one server; the second is a copy of the first."""
    urls = {
        division: urlunsplit(urlsplit(url)._replace(path=f"/cross_{division}_{os.getpid()}"))
        for division in PARTIES
    }
    connection = await asyncpg.connect(url)
    try:
        first, second = (urlsplit(each).path[1:] for each in urls.values())
        await connection.execute(f'CREATE DATABASE "{first}"')
        await asyncio.to_thread(migrate.upgrade, urls[HAINAN])
        await connection.execute(f'CREATE DATABASE "{second}" TEMPLATE "{first}"')
    finally:
        await connection.close()
    return urls


async def _start(division: str, home: Path, database: str, redis: str, sandbox: str) -> Deployment:
    held = tls_line.identity(home / "tls", now=datetime.now(UTC))
    line = Line(ports.any_free(), held.context())
    await line.start()
    read, write = os.pipe()
    environ = os.environ | {
        "HAIYIBAN_ENV": "test",
        "HAIYIBAN_HOME": str(home),
        "HAIYIBAN_ISSUER": division,
        "HAIYIBAN_PORT": str(line.target),
        "HAIYIBAN_PUBLIC_URL": f"https://127.0.0.1:{line.port}",
        "TLS_ROOT": str(held.root),
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "HAIYIBAN_REGISTERS_URL": sandbox,
        "HAIYIBAN_PASSWORD_KIB": "64",
        "HAIYIBAN_POOL_SIZE": "4",
        "ANSWERS": str(write),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.zones.cross_province.deployment",
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        pass_fds=(write,),
    )
    os.close(write)
    answers = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(answers), os.fdopen(read, "rb")
    )
    api = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{line.target}/api/v1",
        timeout=30,
        trust_env=False,
        event_hooks={"response": [_read, require_documented, recording.record]},
    )
    return Deployment(division, line, process, answers, api)


async def _read(answer: httpx.Response) -> None:
    """The hooks after this one look at the body."""
    await answer.aread()


async def _wait_for(started: list[Deployment]) -> None:
    for one in started:
        for _ in range(2400):
            with suppress(httpx.HTTPError):
                if (await one.api.get("/matters")).status_code == 200:
                    break
            assert one.process.returncode is None, "it ended"
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(f"{one.division} did not start")


async def _stop(one: Deployment) -> None:
    await one.api.aclose()
    await one.line.stop()
    with suppress(ProcessLookupError):
        # It holds nothing but these tests' databases.
        one.process.kill()
    await one.process.wait()
