"""A register that is away, slow, crowded or talks nonsense: facts are unknown, and nothing is said aloud."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from haiyiban.registers import REGISTERS, Question, RegisterClient
from haiyiban.registers.health import NOBODY
from tests.kernel.registers.conftest import Outside, http

HEAD = b'"source": "some register", "asOf": "2026-01-01T00:00:00Z"'
OTHER = b'"460105198801010710"'
HUKOU = b'"address": "somewhere", "division": "460105", "since": "2020-01-01"'
NONSENSE = {
    "nothing": b"",
    "not JSON": b'{"found": tr',
    "not UTF-8": b'{"found": false, "source": "\xff\xfe", "asOf": "2026-01-01T00:00:00Z"}',
    "a list": b"[]",
    "null": b"null",
    "no time": b'{"found": false, "source": "some register"}',
    "a time without a zone": b'{"found": false, "source": "some register", "asOf": "2026-01-01T00:00:00"}',
    "no source": b'{"found": false, "source": "", "asOf": "2026-01-01T00:00:00Z"}',
    "found, and no more": b'{"found": true, %s}' % HEAD,
    "a booklet of others": b'{"found": true, %s, %s, "members": '
    b'[{"name": "Somebody Else", "idNumber": %s, "relation": "self"}]}' % (HEAD, HUKOU, OTHER),
    "a relation unheard of": b'{"found": true, %s, %s, "members": '
    b'[{"name": "Somebody Else", "idNumber": %s, "relation": "Mister Secret"}]}' % (HEAD, HUKOU, OTHER),
    "a 30 February": b'{"found": true, %s, "address": "somewhere", "division": "460105",'
    b' "since": "2020-02-30", "members": []}' % HEAD,
    "too deep": b"[" * 100_000,
    "too long": b'{"found": false, %s, "more": "%s"}' % (HEAD, b"x" * 300_000),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_leaves_the_fact_unknown(
    body: bytes, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer() -> AsyncIterator[bytes]:
        yield http(body)

    with caplog.at_level(logging.DEBUG):
        async with outside(answer) as client:
            found = await client.ask("household", NOBODY)
    assert found.state == "unknown"
    assert found.fact("/address").state == "unknown"
    assert found.source == REGISTERS["household"].title.zh
    assert "does not answer: garbage" in caplog.text
    for value in (NOBODY, OTHER.decode().strip('"'), "Somebody", "Secret"):
        assert value not in caplog.text


@pytest.mark.parametrize("status", ["500 Oops", "503 Away", "401 Who", "403 No", "429 Busy", "302 Elsewhere"])
async def test_a_failing_register_leaves_the_fact_unknown(status: str, outside: Outside) -> None:
    async def answer() -> AsyncIterator[bytes]:
        yield http(b"{}", status)

    async with outside(answer) as client:
        assert (await client.ask("property", NOBODY)).state == "unknown"
        assert client.lines["property"].circuit.failures == 1


@pytest.mark.parametrize("status", ["400 What", "404 Where", "422 How"])
async def test_a_question_that_is_refused_is_no_failure_of_the_register(
    status: str, outside: Outside
) -> None:
    async def answer() -> AsyncIterator[bytes]:
        yield http(b"{}", status)

    async with outside(answer) as client:
        assert (await client.ask("property", NOBODY)).state == "unknown"
        assert client.lines["property"].circuit.failures == 0


async def test_a_register_that_is_away_leaves_the_fact_unknown() -> None:
    client = RegisterClient("http://127.0.0.1:1", key="any")
    assert (await client.ask("birth", NOBODY)).state == "unknown"
    await client.aclose()


async def test_a_wrong_key_opens_nothing(sandbox_url: str) -> None:
    client = RegisterClient(sandbox_url, key="wrong")
    assert (await client.ask("birth", NOBODY)).state == "unknown"
    await client.aclose()


async def test_a_slow_register_costs_two_seconds_and_holds_up_no_other(
    client: RegisterClient, sandbox: httpx.AsyncClient
) -> None:
    await sandbox.post("/faults", json={"register": "property", "mode": "slow", "seconds": 9})
    started = time.monotonic()
    answers = await client.ask_many(
        {name: Question(name, NOBODY) for name in ("property", "birth", "household")}
    )
    assert 1.9 < time.monotonic() - started < 6
    assert {name: answer.state for name, answer in answers.items()} == {
        "property": "unknown",
        "birth": "absent",
        "household": "absent",
    }


async def test_a_register_that_drips_is_as_slow_as_one_that_sleeps(outside: Outside) -> None:
    async def answer() -> AsyncIterator[bytes]:
        yield http(b"")
        while True:
            yield b" "
            await asyncio.sleep(0.2)

    async with outside(answer) as client:
        started = time.monotonic()
        assert (await client.ask("property", NOBODY)).state == "unknown"
        assert 1.9 < time.monotonic() - started < 6


@pytest.mark.parametrize("mode", ["error", "garbage"])
async def test_a_register_out_of_order_is_left_alone_then_tried_again(
    mode: str, client: RegisterClient, sandbox: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await sandbox.post("/faults", json={"register": "property", "mode": mode})
    states = [(await client.ask("property", NOBODY)).state for _ in range(6)]
    assert states == ["unknown"] * 6
    assert len([line for line in caplog.messages if "does not answer" in line]) == 5
    await sandbox.post("/faults", json={"register": "property", "mode": "off"})

    assert (await client.ask("property", NOBODY)).state == "unknown", "it rests although it is well again"
    assert (await client.ask("birth", NOBODY)).state == "absent", "each register has a circuit of its own"
    line = client.lines["property"]
    line.circuit = replace(line.circuit, retry_at=asyncio.get_running_loop().time())
    assert (await client.ask("property", NOBODY)).state == "absent"
    assert line.circuit.is_closed


async def test_at_most_twenty_questions_are_in_flight_to_one_register(outside: Outside) -> None:
    now = most = 0

    async def answer() -> AsyncIterator[bytes]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.1)
        now -= 1
        yield http(b'{"found": false, %s}' % HEAD)

    async with outside(answer) as client:
        answers = await client.ask_many({number: Question("birth", NOBODY) for number in range(40)})
    assert {found.state for found in answers.values()} == {"absent"}
    assert most == 20


async def test_a_crowd_that_waits_too_long_is_told_so_and_not_held_against_the_register(
    outside: Outside,
) -> None:
    async def answer() -> AsyncIterator[bytes]:
        await asyncio.sleep(1.25)
        yield http(b'{"found": false, %s}' % HEAD)

    async with outside(answer) as client:
        answers = await client.ask_many({number: Question("birth", NOBODY) for number in range(25)})
        assert client.lines["birth"].circuit.failures == 0
    assert [found.state for found in answers.values()].count("absent") == 20
    assert [found.state for found in answers.values()].count("unknown") == 5


async def test_who_hangs_up_gives_the_turn_back(outside: Outside) -> None:
    arrived = 0
    all_arrived = asyncio.Event()

    async def answer() -> AsyncIterator[bytes]:
        nonlocal arrived
        arrived += 1
        if arrived == 20:
            all_arrived.set()
        if arrived <= 20:
            await asyncio.sleep(1.5)
        yield http(b'{"found": false, %s}' % HEAD)

    async with outside(answer) as client:
        questions = [asyncio.create_task(client.ask("birth", NOBODY)) for _ in range(20)]
        await all_arrived.wait()
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)
        assert (await client.ask("birth", NOBODY)).state == "absent"
        assert client.lines["birth"].circuit.failures == 0
