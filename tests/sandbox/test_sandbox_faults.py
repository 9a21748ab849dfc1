"""Bad days begin and end on request."""

import asyncio
import time
from typing import Any

import httpx
import pytest

ANYBODY = {"idNumber": "460105199003070017"}
SMS = {"phone": "13900000001", "text": "您好", "messageId": "1"}


async def set_fault(sandbox: httpx.AsyncClient, **fault: Any) -> list[dict[str, Any]]:
    answer = await sandbox.post("/faults", json=fault)
    assert answer.status_code == 200, answer.text
    in_force: list[dict[str, Any]] = answer.json()
    return in_force


async def ask(sandbox: httpx.AsyncClient, register: str) -> httpx.Response:
    return await sandbox.post(f"/registers/{register}/query", json=ANYBODY)


async def test_a_failing_register_fails_alone_until_told_otherwise(sandbox: httpx.AsyncClient) -> None:
    assert await set_fault(sandbox, register="social_insurance", mode="error") == [
        {"register": "social_insurance", "mode": "error", "delay": 0}
    ]
    assert (await ask(sandbox, "social-insurance")).status_code == 503
    assert (await ask(sandbox, "household")).status_code == 200
    assert await set_fault(sandbox, register="social_insurance", mode="off") == []
    assert (await ask(sandbox, "social-insurance")).status_code == 200


async def test_matching_fails_with_the_population_register(sandbox: httpx.AsyncClient) -> None:
    await set_fault(sandbox, register="population", mode="error")
    body = ANYBODY | {"name": "甲"}
    assert (await sandbox.post("/registers/population/match", json=body)).status_code == 503


async def test_a_slow_register_answers_late(sandbox: httpx.AsyncClient) -> None:
    await set_fault(sandbox, register="birth", mode="slow", seconds=0.2)
    started = time.monotonic()
    assert (await ask(sandbox, "birth")).json()["found"] is False
    assert time.monotonic() - started >= 0.2


async def test_slow_is_slower_than_anybody_waits_unless_told(sandbox: httpx.AsyncClient) -> None:
    ((fault),) = await set_fault(sandbox, register="birth", mode="slow")
    assert fault["delay"] == 5


async def test_garbage_is_broken_json_and_wrong_shapes_in_turn(sandbox: httpx.AsyncClient) -> None:
    await set_fault(sandbox, register="property", mode="garbage")
    answers = [await ask(sandbox, "property") for _ in range(4)]
    assert {answer.status_code for answer in answers} == {200}
    readable = [answer for answer in answers if answer.text.endswith("}")]
    assert len(readable) == 2
    assert all(answer.json()["found"] not in (True, False) for answer in readable)


async def test_a_fault_ends_by_itself_after_its_seconds(sandbox: httpx.AsyncClient) -> None:
    await set_fault(sandbox, register="trips", mode="error", seconds=0.1)
    assert (await ask(sandbox, "trips")).status_code == 503
    await asyncio.sleep(0.12)
    assert (await ask(sandbox, "trips")).status_code == 200


async def test_all_breaks_everything_and_off_mends_one_by_one(sandbox: httpx.AsyncClient) -> None:
    await set_fault(sandbox, register="all", mode="error")
    assert (await sandbox.post("/sms", json=SMS)).status_code == 503
    assert (await sandbox.post("/face/sessions", json={"reference": "1"})).status_code == 503
    await set_fault(sandbox, register="sms", mode="off")
    assert (await sandbox.post("/sms", json=SMS)).status_code == 200
    assert (await ask(sandbox, "employment")).status_code == 503
    assert (await sandbox.get("/sms?phone=13900000001")).status_code == 200
    assert await set_fault(sandbox, register="all", mode="off") == []
    assert (await ask(sandbox, "employment")).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"register": "horoscope", "mode": "error"},
        {"register": "birth", "mode": "explode"},
        {"register": "birth", "mode": "slow", "seconds": 0},
        {"register": "birth", "mode": "slow", "seconds": "5"},
        {"register": "birth"},
    ],
)
async def test_an_unknown_fault_is_refused(sandbox: httpx.AsyncClient, fault: dict[str, Any]) -> None:
    assert (await sandbox.post("/faults", json=fault)).status_code == 400
