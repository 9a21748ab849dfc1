"""The sandbox as a process: starts, stops, comes back, and says plainly why it cannot."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from haiyiban_sandbox.app import NotInProduction, create_app

TRIES = 100


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def start(home: Path, *, port: int, **environment: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "haiyiban_sandbox", "--port", str(port), "--home", str(home))
    return await asyncio.create_subprocess_exec(
        *command, env=os.environ | environment, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def running(home: Path, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    process = await start(home, port=port, **environment)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        try:
            for _ in range(TRIES):
                try:
                    assert (await client.get("/health")).json() == {"status": "ok"}
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            yield client
        finally:
            process.send_signal(signal.SIGINT)
            _, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")


async def test_what_was_delivered_survives_a_restart(tmp_path: Path) -> None:
    sms = {"phone": "13900000001", "text": "验证码123456", "messageId": "1"}
    async with running(tmp_path, HAIYIBAN_SANDBOX_KEY="secret") as client:
        before = (await client.get("/world")).json()
        assert (await client.post("/sms", json=sms)).status_code == 401
        assert (await client.post("/sms", json=sms, headers={"X-Api-Key": "secret"})).status_code == 200
    async with running(tmp_path) as client:
        assert (await client.get("/world")).json() == before
        (message,) = (await client.get("/sms?phone=13900000001")).json()
        assert message["code"] == "123456"


async def test_the_clock_moves_with_the_offset(tmp_path: Path) -> None:
    sms = {"phone": "13900000001", "text": "您好", "messageId": "1"}
    async with running(tmp_path, HAIYIBAN_CLOCK_OFFSET="864000") as client:
        await client.post("/sms", json=sms, headers={"X-Api-Key": "sandbox"})
        (message,) = (await client.get("/sms?phone=13900000001")).json()
    ahead = datetime.fromisoformat(message["at"]) - datetime.now(UTC)
    assert 863900 < ahead.total_seconds() < 864100


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HAIYIBAN_ENV": "production"}, "生产环境"),
        ({"HAIYIBAN_CLOCK_OFFSET": "soon"}, "HAIYIBAN_CLOCK_OFFSET"),
    ],
)
async def test_it_says_why_it_does_not_start(tmp_path: Path, environment: dict[str, str], words: str) -> None:
    process = await start(tmp_path, port=free_port(), **environment)
    _, complaints = await process.communicate()
    assert process.returncode == 2
    assert words in complaints.decode()
    assert "Traceback" not in complaints.decode()
    assert not (tmp_path / "sandbox.db").exists()


async def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await start(tmp_path, port=taken.getsockname()[1])
        _, complaints = await process.communicate()
    assert process.returncode == 2
    assert "已被占用" in complaints.decode()


async def test_a_port_that_does_not_exist_is_said_plainly(tmp_path: Path) -> None:
    process = await start(tmp_path, port=99999)
    _, complaints = await process.communicate()
    assert process.returncode == 2
    assert "1 to 65535" in complaints.decode()


def test_production_has_no_sandbox_however_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIYIBAN_ENV", "production")
    with pytest.raises(NotInProduction):
        create_app(tmp_path)


def of_another_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def damaged(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE person (id_number TEXT)")
    connection.executemany("INSERT INTO person VALUES (?)", [("x" * 500,)] * 200)
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    whole = bytearray(path.read_bytes())
    whole[4096:12288] = b"\xa5" * 8192
    path.write_bytes(whole)


def no_database(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)


@pytest.mark.parametrize("spoil", [no_database, damaged, of_another_version])
async def test_an_unusable_database_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: type[None]
) -> None:
    database = tmp_path / "sandbox.db"
    spoil(database)
    before = database.read_bytes()
    app = create_app(tmp_path)
    async with app.lifespan(), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        assert len((await client.get("http://sandbox/world")).json()["residents"]) > 15
    (aside,) = tmp_path.glob("sandbox.db.broken-*")
    assert aside.read_bytes() == before
    assert str(aside) in caplog.text


async def test_a_start_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "sandbox.db").touch()
    app = create_app(tmp_path)
    async with app.lifespan(), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        assert len((await client.get("http://sandbox/world")).json()["residents"]) > 15
