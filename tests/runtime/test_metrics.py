"""What /metrics tells: by one convention, true, seldom asked, and not to the public."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from haiyiban import clock, db
from haiyiban.db import Database
from haiyiban.ids import new_id
from haiyiban.metrics import Asked, Count, Gauge
from haiyiban.outbox import OutboxMessage
from haiyiban.runtime import discovery, platform_metrics
from haiyiban.runtime.exposition import Exposition, may_read
from haiyiban.settings import Settings

SITE = "http://test"
PLATFORM = {"worker", "outbox", "queue", "database", "keys"}
ZONES = (*discovery.features(), *discovery.all_zones())
DECLARED = platform_metrics.of(ZONES)


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels, which come in the order of their names."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def told(exposition: Exposition) -> dict[tuple[str, tuple[str, ...]], float]:
    return samples((await exposition.text())[0].decode())


@pytest.mark.parametrize("metric", DECLARED, ids=lambda metric: metric.name)
def test_a_metric_is_named_by_the_convention(metric: Count | Gauge | Asked) -> None:
    owners = {zone.name.replace("-", "_"): zone for zone in ZONES if metric in zone.metrics}
    features = owners or dict.fromkeys(PLATFORM)
    assert any(metric.name.startswith(f"haiyiban_{feature}_") for feature in features)
    assert metric.name.endswith("_total") == isinstance(metric, Count)
    assert re.search(r"_(total|seconds|messages|jobs|circuits|replicas)$", metric.name), (
        "the name ends with its unit"
    )
    assert not {"person", "account", "id", "number", "name"} & set(metric.labels)
    assert metric.what.zh != metric.what.en


def test_no_two_metrics_have_one_name() -> None:
    assert len({metric.name for metric in DECLARED}) == len(DECLARED)


async def test_requests_and_refusals_are_counted_by_operation(api: httpx.AsyncClient) -> None:
    before = samples((await api.get(f"{SITE}/metrics")).text)
    assert (await api.get("/matters/no.such.matter")).status_code == 404
    after = samples((await api.get(f"{SITE}/metrics")).text)
    route = "/api/v1/matters/{code}"
    for name, labels in (
        ("haiyiban_http_requests_total", ("GET", route, "404")),
        ("haiyiban_http_refusals_total", ("matters/matter-unknown", route)),
        ("haiyiban_http_request_seconds_bucket", ("+Inf", "GET", route)),
    ):
        assert after[name, labels] == before.get((name, labels), 0) + 1, (name, labels)


async def test_what_waits_is_told_with_its_age_and_asked_seldom(database: Database, worker: object) -> None:
    """A message of a topic that nobody sends: due, and there for as long as the test."""
    first, at = Exposition(DECLARED, patience_seconds=30), clock.now() - timedelta(minutes=5)
    await told(first)
    message = OutboxMessage(id=new_id(), topic="test.nobody", payload={}, created_at=at, due_at=at)
    async with database.transaction() as session:
        session.add(message)
    try:
        assert ("haiyiban_outbox_due_messages", ("test.nobody",)) not in await told(first), "asked again"
        after = await told(Exposition(DECLARED, patience_seconds=30))
        assert after["haiyiban_outbox_due_messages", ("test.nobody",)] == 1
        assert 300 <= after["haiyiban_outbox_oldest_due_seconds", ("test.nobody",)] < 400
        assert after["haiyiban_database_answers", ()] == 1
        assert after["haiyiban_codes_trust_list_remaining_seconds", ()] > 0
        assert after["haiyiban_codes_deny_list_age_seconds", ()] < 60
        assert after["haiyiban_audit_unsealed_seconds", ()] >= 0
        assert after["haiyiban_keys_age_seconds", ("code",)] >= 0
        assert not any(name == "haiyiban_metrics_failures_total" for name, _ in after)
    finally:
        async with database.transaction() as session:
            await session.delete(await session.get_one(OutboxMessage, message.id))


async def test_without_a_database_the_rest_is_told(database: Database) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    db.install(away)
    try:
        found = await told(Exposition(DECLARED, patience_seconds=30))
    finally:
        db.install(database)
        await away.close()
    assert found["haiyiban_database_answers", ()] == 0
    assert found["haiyiban_codes_trust_list_remaining_seconds", ()] > 0
    assert not any(name.startswith("haiyiban_outbox") for name, _ in found)


async def test_one_metric_that_takes_long_keeps_none_of_the_others(database: Database) -> None:
    async def never(_: object) -> list[tuple[float]]:
        await asyncio.sleep(60)
        return []

    slow = Asked(name="haiyiban_test_slow_seconds", what=DECLARED[0].what, ask=never)
    found = await told(Exposition((slow, *DECLARED), patience_seconds=1))
    assert found["haiyiban_metrics_failures_total", (slow.name,)] == 1
    assert "haiyiban_codes_deny_list_age_seconds" in {name for name, _ in found}


@pytest.mark.parametrize(
    ("env", "token", "shown", "may"),
    [
        ("demo", "", b"", True),
        ("production", "", b"", False),
        ("production", "", b"Bearer ", False),
        ("production", "a-token", b"Bearer a-token", True),
        ("production", "a-token", b"Bearer a-tokem", False),
        ("production", "a-token", b"", False),
        ("demo", "a-token", b"", False),
    ],
)
def test_in_production_who_reads_them_shows_the_token(
    settings: Settings, env: str, token: str, shown: bytes, may: bool
) -> None:
    assert may_read(replace(settings, env=env, metrics_token=token), shown) is may


async def test_the_worker_tells_how_it_is(worker: object, worker_port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{worker_port}", timeout=10) as door:
        assert (await _once_there(door, "/health/ready")).text == "ready\n"
        assert (await door.get("/health/live")).text == "live\n"
        for _ in range(100):
            found = samples((await door.get("/metrics")).text)
            if any(name == "haiyiban_worker_tasks_total" for name, _ in found):
                break
            await asyncio.sleep(0.3)
        assert found["haiyiban_database_answers", ()] == 1
        assert any(key[0] == "haiyiban_worker_tasks_total" and key[1][0] == "done" for key in found)
        assert (await door.get("/api/v1/matters")).status_code == 404


async def _once_there(door: httpx.AsyncClient, path: str) -> httpx.Response:
    for _ in range(100):
        try:
            answer = await door.get(path)
        except httpx.TransportError:
            pass
        else:
            if answer.status_code == 200:
                return answer
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} was never good")
