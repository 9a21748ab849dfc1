"""The phone that shows a code hears what happens to it."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from haiyiban import clock
from haiyiban.codes import streams, wakeups
from haiyiban.codes.streams import LOOK_SECONDS, STREAMS_PER_ACCOUNT
from haiyiban.db import Database
from tests import builders
from tests.kernel.codes.listening import Line, following

ASKED = ["school", "name"]


def at(code: dict[str, Any]) -> str:
    return f"/codes/{code['id']}/events"


async def test_the_state_comes_first_and_a_scan_at_once(app, notice, show, scan) -> None:
    code = await show(notice)
    async with following(app, at(code), notice.keeper) as line:
        assert await line.answered() == 200
        assert line.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert line.headers["cache-control"] == "no-store"
        name, state = await line.event()
        assert (name, state["state"], state["id"]) == ("state", "shown", code["id"])
        await asyncio.sleep(0.3)  # until it is heard at Valkey
        seen = await scan(code["text"], place="东门")
        name, told = await line.event(within=LOOK_SECONDS - 0.5)
        assert name == "scanned"
        assert told["verificationId"] == seen["id"]
        assert told["usedBy"].startswith("滨海小学")
        assert (told["purpose"], told["place"]) == ("新生报到核验", "东门")
        assert await line.ended() == []


async def test_consent_is_asked_and_answered_on_the_stream(api, app, notice, show, scan) -> None:
    code = await show(notice)
    english = notice.keeper | {"Accept-Language": "en"}
    async with following(app, at(code), notice.keeper) as one, following(app, at(code), english) as other:
        assert (await one.event())[0] == (await other.event())[0] == "state"
        asked = await scan(code["text"], fields=ASKED)
        name, told = await one.event()
        assert (name, told["id"], told["codeId"]) == ("consent-asked", asked["id"], code["id"])
        assert [field["title"] for field in told["fields"]] == ["录取学校", "学生姓名"]
        assert [field["title"] for field in (await other.event())[1]["fields"]] == [
            "School",
            "Name of the child",
        ]
        body = {"decision": "allow", "fields": ["name"]}
        await api.post(f"/verifications/{asked['id']}/consent", json=body, headers=notice.keeper)
        for line in (one, other):
            answered = {"id": asked["id"], "decision": "allow", "fields": ["name"], "outcome": "valid"}
            assert await line.event() == ("consent-answered", answered)
            assert await line.ended() == []


async def test_who_comes_back_misses_nothing(api, app, notice, show, scan) -> None:
    code = await show(notice)
    asked = await scan(code["text"], fields=ASKED)
    state = (await api.get(f"/codes/{code['id']}", headers=notice.keeper)).json()
    assert (state["state"], state["consent"]["id"]) == ("consent_asked", asked["id"])
    async with following(app, at(code), notice.keeper) as line:
        assert await line.event() == ("state", state)
        await api.post(
            f"/verifications/{asked['id']}/consent", json={"decision": "refuse"}, headers=notice.keeper
        )
        assert (await line.event())[1]["decision"] == "refuse"
    async with following(app, at(code), notice.keeper) as line:
        ((name, state),) = await line.ended()
        assert (name, state["state"]) == ("state", "consent_refused")
        assert "consent" not in state


async def test_an_unused_code_expires_and_the_stream_ends(app, notice, show) -> None:
    code = await show(notice)
    async with following(app, at(code), notice.keeper) as line:
        await line.event()
        try:
            clock.shift(67)
            name, told = await line.event()
            assert (name, told["id"]) == ("expired", code["id"])
            assert await line.ended() == []
        finally:
            clock.shift(0)


async def test_nobody_answers_in_time(app, notice, show, scan) -> None:
    code = await show(notice)
    async with following(app, at(code), notice.keeper) as line:
        await line.event()
        asked = await scan(code["text"], fields=ASKED)
        await line.event()
        try:
            clock.shift(62)
            nobody = {"id": asked["id"], "decision": "none", "fields": [], "outcome": "consent_refused"}
            assert await line.event() == ("consent-answered", nobody)
            assert await line.ended() == []
        finally:
            clock.shift(0)


async def test_without_wake_ups_a_scan_is_found_all_the_same(app, notice, show, scan, monkeypatch) -> None:
    monkeypatch.setattr(wakeups.current(), "send", lambda _: None)
    code = await show(notice)
    async with following(app, at(code), notice.keeper) as line:
        await line.event()
        await scan(code["text"])
        assert (await line.event(within=LOOK_SECONDS + 2))[0] == "scanned"


async def test_valkey_away_costs_nobody_an_answer(app, notice, show, scan, monkeypatch) -> None:
    nowhere = wakeups.Wakeups("redis://127.0.0.1:1")
    monkeypatch.setattr(wakeups, "_wakeups", nowhere)
    monkeypatch.setattr(streams, "_streams", streams.Streams(nowhere))
    code = await show(notice)
    async with following(app, at(code), notice.keeper) as line:
        await line.event()
        assert (await scan(code["text"]))["outcome"] == "valid"
        assert (await line.event(within=LOOK_SECONDS + 2))[0] == "scanned"
    await nowhere.close()


async def test_a_line_is_kept_alive(app, notice, show, monkeypatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.1)
    async with following(app, at(await show(notice)), notice.keeper) as line:
        await line.event()
        await asyncio.sleep(LOOK_SECONDS + 0.5)
        assert line.comments >= 1


async def test_somebody_elses_code_is_not_found(api, app, sandbox, notice, show, school) -> None:
    code = await show(notice)
    stranger = await builders.resident(api, sandbox)
    for headers, path, status in (
        (stranger, at(code), 404),
        (notice.keeper, f"/codes/{uuid4()}/events", 404),
        (school, at(code), 403),
        ({}, at(code), 401),
    ):
        line = Line(app, path, headers)
        assert await line.answered() == status
        await line.task
        assert line.headers["content-type"] == "application/problem+json"


async def test_a_sign_in_that_ends_takes_its_streams_along(api, app, notice, show) -> None:
    code = await show(notice)
    async with following(app, at(code), notice.keeper) as line:
        await line.event()
        ended = await api.delete("/auth/sessions/current", headers=notice.keeper)
        assert ended.status_code == 204
        assert await line.ended() == []


async def test_an_account_has_four_streams_and_gives_them_back(app, notice, show) -> None:
    code = await show(notice)
    lines = [Line(app, at(code), notice.keeper) for _ in range(STREAMS_PER_ACCOUNT)]
    for line in lines:
        assert await line.answered() == 200
    fifth = Line(app, at(code), notice.keeper)
    assert await fifth.answered() == 429
    assert int(fifth.headers["retry-after"]) > 0
    assert json.loads(fifth.body)["type"].endswith("/too-many-streams")
    for line in lines:
        await line.hang_up()
    async with following(app, at(code), notice.keeper) as line:
        assert await line.answered() == 200


async def test_of_two_hundred_streams_those_beyond_the_cap_are_told_so(
    app, notice, show, monkeypatch
) -> None:
    monkeypatch.setattr(streams, "STREAMS_PER_ACCOUNT", 1000)
    monkeypatch.setattr(streams, "STREAMS_MOST", 150)
    code = await show(notice)
    lines = [Line(app, at(code), notice.keeper) for _ in range(200)]
    statuses = [await line.answered() for line in lines]
    assert sorted(statuses) == [200] * 150 + [503] * 50
    full = next(line for line in lines if line.status == 503)
    assert json.loads(full.body)["type"].endswith("/streams-full")
    assert "retry-after" in full.headers
    await asyncio.gather(*(line.hang_up() for line in lines))


async def test_an_open_stream_holds_no_connection_to_the_database(
    app, notice, show, scan, database: Database
) -> None:
    pool: Any = database.engine.pool
    code = await show(notice)
    before = pool.checkedout()
    lines = [Line(app, at(code), notice.keeper) for _ in range(STREAMS_PER_ACCOUNT)]
    for line in lines:
        await line.event()
    await asyncio.sleep(0.2)
    assert pool.checkedout() == before
    await scan(code["text"])
    for line in lines:
        assert (await line.event())[0] == "scanned"
        await line.ended()


async def test_when_the_process_stops_every_stream_ends_at_once(app, notice, show) -> None:
    async with following(app, at(await show(notice)), notice.keeper) as line:
        await line.event()
        await streams.end()
        assert await line.ended(within=0.5) == []


async def test_head_of_a_stream_ends_by_itself(app, notice, show) -> None:
    line = Line(app, at(await show(notice)), notice.keeper, method="HEAD")
    assert await line.answered() == 200
    await line.task
    assert line.body == b""


async def test_how_long_a_stream_lasts_is_not_how_slow_we_are(app, notice, show, monkeypatch) -> None:
    records: list[Any] = []
    monkeypatch.setattr(app._access_log, "add", records.append)
    async with following(app, at(await show(notice)), notice.keeper) as line:
        await line.event()
        await asyncio.sleep(0.6)
    (record,) = [record for record in records if record.route.endswith("/events")]
    assert record.ms < 500
    assert record.bytes > 0


@pytest.fixture(autouse=True)
async def nobody_stays():
    """Every place is given back."""
    yield
    assert not streams.current()._open
    assert not streams.current()._by_account
