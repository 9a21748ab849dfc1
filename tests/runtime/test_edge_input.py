"""Bad input meets the edge: every kind is refused in plain words, none is let pass or crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from haiyiban.db import Database
from haiyiban.runtime import body
from haiyiban.settings import Settings
from haiyiban.wire import Input, Output
from tests.runtime.edge_app import EdgeApp, bearing, resident, serving, slug


class Home(Input):
    rooms: int
    tags: list[str] = []


class ThingCreate(Input):
    name: Annotated[str, Meta(max_length=8)]
    count: int | None = None
    colour: Literal["red", "blue"] = "red"
    home: Home | None = None
    anything: dict[str, Any] = {}


class ThingRead(Output):
    name: str
    count: int | None


class Things(Controller):
    path = "/things"

    @post("", status_code=200)
    async def make(self, data: JSONBody[ThingCreate]) -> ThingRead:
        return ThingRead(name=data.name, count=data.count)

    @get("/{thing_id:uuid}")
    async def read(self, thing_id: FromPath[UUID], limit: FromQuery[int | None] = None) -> ThingRead:
        return ThingRead(name=str(thing_id), count=limit)


@pytest.fixture
async def served(settings: Settings, database: Database) -> AsyncIterator[EdgeApp]:
    async with serving(settings, database, Things) as app:
        yield app


async def send(served: EdgeApp, body: bytes | str, **headers: str) -> httpx.Response:
    return await served.http.post(
        "/things", content=body, headers={"Content-Type": "application/json"} | headers
    )


async def test_a_good_body_is_taken(served: EdgeApp) -> None:
    answer = await send(served, '{"name": "陈𠅤·海", "count": 5, "home": {"rooms": 2}}')
    assert (answer.status_code, answer.json()) == (200, {"name": "陈𠅤·海", "count": 5})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "malformed"),
        (b"{", "malformed-json"),
        (b"nonsense", "malformed-json"),
        (b'{"name": "a"} {}', "malformed-json"),
        (b'{"name": "\xff"}', "malformed-json"),
        (b'{"name": "a", "name": "b"}', "malformed-json"),
        (b'{"name": "a", "anything": {"x": 1, "x": 2}}', "malformed-json"),
        (b'{"name": "a", "anything": ' + b'{"a":' * 40 + b"1" + b"}" * 41, "malformed-json"),
        (b'{"name": "a", "anything": ' + b"[" * 100_000, "malformed-json"),
        (b'{"name": "a", "count": NaN}', "malformed-json"),
        (b'{"name": "a", "count": 123456789012345678901234567890}', "malformed-json"),
        (b'{"name": "\\ud800"}', "malformed-json"),
        (b'{"name": "\\u0000"}', "malformed-json"),
        (b"[]", "malformed"),
        (b"null", "malformed"),
        (b'"name"', "malformed"),
    ],
)
async def test_what_is_no_good_json_is_refused(served: EdgeApp, body: bytes, kind: str) -> None:
    answer = await send(served, body)
    assert (answer.status_code, slug(answer)) == (400, kind)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"name": 5}', "/name"),
        ('{"name": "a", "count": "5"}', "/count"),
        ('{"name": "a", "count": 5.5}', "/count"),
        ('{"name": "a", "count": true}', "/count"),
        ('{"name": "a", "colour": "green"}', "/colour"),
        ('{"name": "123456789"}', "/name"),
        ('{"name": null}', "/name"),
        ('{"name": "a", "home": {"rooms": "2"}}', "/home/rooms"),
        ('{"name": "a", "home": {"rooms": 2, "tags": ["a", 5]}}', "/home/tags/1"),
        ('{"name": "a", "home": {}}', "/home/rooms"),
        ('{"name": "a", "home": {"rooms": 2, "roms": 2}}', "/home/roms"),
        ('{"name": "a", "cuont": 5}', "/cuont"),
        ('{"count": 5}', "/name"),
    ],
)
async def test_a_wrong_field_is_named_by_its_pointer(served: EdgeApp, body: str, pointer: str) -> None:
    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = await send(served, body, **{"Content-Type": content_type})
        assert (answer.status_code, slug(answer)) == (400, "malformed"), content_type
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert "green" not in answer.text
        assert "123456789" not in answer.text


async def test_a_duplicate_is_refused_whatever_the_content_type_says(served: EdgeApp) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await send(served, '{"name": "a", "name": "b"}', **{"Content-Type": content_type})
        assert (answer.status_code, slug(answer)) == (400, "malformed-json")


async def test_a_body_over_the_limit_is_refused(served: EdgeApp, settings: Settings) -> None:
    answer = await send(served, b'"' + b"a" * settings.body_limit + b'"')
    assert (answer.status_code, slug(answer)) == (413, "too-large")
    assert [row.outcome for row in await served.audited(answer)] == ["too-large"]


async def test_a_body_that_does_not_tell_its_length_is_counted(served: EdgeApp, settings: Settings) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 65_536

    answer = await served.http.post("/things", content=endless())
    assert (answer.status_code, slug(answer)) == (413, "too-large")
    assert taken <= settings.body_limit // 65_536 + 2


async def test_who_sends_a_byte_now_and_then_is_sent_away(
    served: EdgeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "GRACE_SECONDS", 0.2)
    sent = 0

    async def dripping() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" "
            await asyncio.sleep(0.05)

    answer = await served.http.post("/things", content=dripping())
    assert (answer.status_code, slug(answer)) == (408, "too-slow")
    assert answer.headers["connection"] == "close"
    assert sent < 20
    assert not await served.audited(answer), "a flood of these must not fill the audit"


async def test_who_is_slow_and_goes_on_is_waited_for(
    served: EdgeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "GRACE_SECONDS", 0.2)

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b" " * body.BYTES_A_SECOND
            await asyncio.sleep(0.1)
        yield b'{"name": 5}'

    answer = await served.http.post("/things", content=slow())
    assert answer.status_code == 400, "0.6 s after the grace was over, it was read"


async def test_bad_parameters_are_named(served: EdgeApp) -> None:
    thing = "0192b0e5-0000-7000-8000-000000000000"
    answer = await served.http.get(f"/things/{thing}?limit=many")
    assert (answer.status_code, slug(answer)) == (400, "malformed")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/limit"]
    assert (await served.http.get(f"/things/{thing}?limit=5")).json()["count"] == 5
    assert (await served.http.get("/things/not-an-id")).status_code == 404
    for odd in (f"/things/{thing}?q=%00", "/things/%00"):
        assert slug(await served.http.get(odd)) == "malformed"


async def test_an_unknown_address_is_not_found_and_a_wrong_method_not_allowed(served: EdgeApp) -> None:
    missing = await served.http.get("/nothing-here")
    assert (missing.status_code, slug(missing)) == (404, "not-found")
    wrong = await served.http.put("/things", json={})
    assert (wrong.status_code, slug(wrong)) == (405, "method-not-allowed")
    assert "POST" in wrong.headers["allow"]
    assert await served.audited(missing) == []
    assert [record["route"] for record in served.records()] == ["unmatched", "unmatched"]


async def test_an_invented_method_is_no_figure_of_its_own(served: EdgeApp) -> None:
    answer = await served.http.request("BREW", "/things")
    assert (answer.status_code, slug(answer)) == (405, "method-not-allowed")
    assert served.records()[-1]["method"] == "other"


async def test_head_answers_like_get_without_the_body(served: EdgeApp) -> None:
    thing = "/things/0192b0e5-0000-7000-8000-000000000000"
    full, bare = await served.http.get(thing), await served.http.head(thing)
    assert (bare.status_code, bare.content) == (200, b"")
    assert bare.headers["content-length"] == full.headers["content-length"]
    assert [record["method"] for record in served.records()] == ["GET", "HEAD"]


async def test_words_are_chinese_unless_english_is_asked_for(served: EdgeApp) -> None:
    for language, title in (
        ("", "请求格式不对"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "请求格式不对"),
        ("en;q=0.1, zh;q=0.9", "请求格式不对"),
        ("fr, en;q=0", "请求格式不对"),
        ("fr;q=0.9, en;q=0.5", "The request is malformed"),
        ("en-GB,en;q=0.9", "The request is malformed"),
    ):
        answer = await send(served, '{"count": 5}', **{"Accept-Language": language})
        document = answer.json()
        assert document["title"] == title
        assert document["type"] == "/problems/kernel/malformed"
        assert document["status"] == 400
        assert ("缺少" in document["errors"][0]["message"]) == title.startswith("请求")


async def test_an_odd_authorization_is_nobody_and_what_is_public_stays_open(served: EdgeApp) -> None:
    token = bearing(resident())["Authorization"]
    for header in ("Basic YTpi", "Bearer", "Bearer ", "Bearer a.b.c", token + "x", "Bearer \x80\xff", "x"):
        answer = await served.http.post(
            "/things", json={"name": "a"}, headers={"Authorization": header.encode("latin-1")}
        )
        assert answer.status_code == 200, header
        assert served.records()[-1]["caller"] == "anonymous"
