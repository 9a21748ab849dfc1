"""Idempotency-Key: the same key and body, the same answer, and the work once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import msgspec
import pytest
from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody
from sqlalchemy import select, text, update

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.errors import NotSignedIn, Problem, TooMany, Unavailable, Words
from haiyiban.ids import new_id
from haiyiban.runtime import idempotency
from haiyiban.runtime.idempotency import StoredAnswer
from haiyiban.settings import Settings
from haiyiban.wire import Input, Output
from tests.retention import delete_due
from tests.runtime import edge_app
from tests.runtime.edge_app import EdgeApp, bearing, serving, slug


class NotToday(Problem):
    type = "things/not-today"
    title = Words("今天不行", "Not today")


class WrongTry(NotToday):
    type = "things/wrong-try"
    commits = True


class Order(Input):
    name: str


class Receipt(Output):
    name: str
    number: int


_REFUSALS: dict[str, Exception] = {
    "unauthorized": NotSignedIn(),
    "too-many": TooMany(5),
    "away": Unavailable(),
    "refused": NotToday(),
    "wrong-try": WrongTry(),
}


class Orders(Controller):
    path = ""
    served: ClassVar[list[str]] = []
    pause: ClassVar[float] = 0.0

    @post("/orders/{fate:str}", status_code=201)
    async def order(self, fate: FromPath[str], data: JSONBody[Order]) -> Response[Receipt]:
        self.served.append(data.name)
        await asyncio.sleep(Orders.pause)
        if fate in _REFUSALS:
            raise _REFUSALS[fate]
        if fate == "crashing":
            raise RuntimeError
        receipt = Receipt(name=data.name, number=len(self.served))
        return Response(receipt, status_code=201, headers={"location": f"/orders/{len(self.served)}"})

    @post("/auth/orders", status_code=201)
    async def token(self, data: JSONBody[Order]) -> Receipt:
        self.served.append(data.name)
        return Receipt(name=data.name, number=len(self.served))


@pytest.fixture
async def served(settings: Settings, database: Database) -> AsyncIterator[EdgeApp]:
    Orders.served.clear()
    Orders.pause = 0.0
    async with serving(settings, database, Orders) as app:
        app.http.headers.update(bearing(edge_app.resident()))
        yield app


async def rows(database: Database) -> list[UUID]:
    async with database.reading() as session:
        return list(await session.scalars(select(StoredAnswer.id)))


async def test_five_at_once_do_the_work_once_and_are_answered_alike(served: EdgeApp) -> None:
    Orders.pause = 0.2
    key = {"Idempotency-Key": "five at once, 五次 ✓".encode()}
    answers = await asyncio.gather(
        *(served.http.post("/orders/fine", json={"name": "陈海"}, headers=key) for _ in range(5))
    )
    assert len(Orders.served) == 1
    told = {(a.status_code, a.content, a.headers["content-type"], a.headers["location"]) for a in answers}
    assert told == {
        (201, answers[0].content, "application/json", "/orders/1"),
    }
    assert answers[0].json() == {"name": "陈海", "number": 1}
    assert len({a.headers["x-request-id"] for a in answers}) == 5
    assert len(served.records()) == 5


async def test_the_key_with_another_body_is_refused_and_recorded(served: EdgeApp) -> None:
    key = {"Idempotency-Key": "another-body"}
    assert (await served.http.post("/orders/fine", json={"name": "a"}, headers=key)).status_code == 201
    answer = await served.http.post("/orders/fine", json={"name": "b"}, headers=key)
    assert (answer.status_code, slug(answer)) == (422, "idempotency-mismatch")
    assert [(row.action, row.outcome) for row in await served.audited(answer)] == [
        ("POST /api/v1/orders/{fate}", "idempotency-mismatch")
    ]
    assert Orders.served == ["a"]


async def test_a_key_belongs_to_its_caller_and_its_address(served: EdgeApp) -> None:
    key = {"Idempotency-Key": "shared"}
    body = {"name": "a"}
    await served.http.post("/orders/fine", json=body, headers=key)
    await served.http.post("/orders/fine", json=body, headers=key | bearing(edge_app.resident()))
    await served.http.post("/orders/other", json=body, headers=key)
    assert Orders.served == ["a"] * 3


async def test_strangers_share_no_key(served: EdgeApp) -> None:
    del served.http.headers["Authorization"]
    for _ in range(2):
        await served.http.post("/orders/fine", json={"name": "a"}, headers={"Idempotency-Key": "x"})
    assert Orders.served == ["a"] * 2


async def test_sign_in_keeps_no_answer(served: EdgeApp, database: Database) -> None:
    before = await rows(database)
    for _ in range(2):
        await served.http.post("/auth/orders", json={"name": "a"}, headers={"Idempotency-Key": "x"})
    assert Orders.served == ["a"] * 2
    assert set(await rows(database)) == set(before)


@pytest.mark.parametrize("length", [0, 129])
async def test_a_key_without_or_with_too_many_characters_is_malformed(served: EdgeApp, length: int) -> None:
    answer = await served.http.post(
        "/orders/fine", json={"name": "a"}, headers={"Idempotency-Key": "k" * length}
    )
    assert (answer.status_code, slug(answer)) == (400, "malformed")
    assert Orders.served == []


@pytest.mark.parametrize("fate", ["unauthorized", "too-many", "away", "crashing"])
async def test_what_may_be_different_next_time_is_not_kept(
    served: EdgeApp, database: Database, fate: str
) -> None:
    before = await rows(database)
    for times in (1, 2):
        answer = await served.http.post(
            f"/orders/{fate}", json={"name": "a"}, headers={"Idempotency-Key": f"again-{fate}"}
        )
        assert answer.status_code in {401, 429, 500, 503}
        assert len(Orders.served) == times
    assert set(await rows(database)) == set(before)


@pytest.mark.parametrize("fate", ["refused", "wrong-try"])
async def test_a_refusal_is_kept_and_recorded_once(served: EdgeApp, fate: str) -> None:
    answers = [
        await served.http.post(
            f"/orders/{fate}", json={"name": "a"}, headers={"Idempotency-Key": f"kept-{fate}"}
        )
        for _ in range(2)
    ]
    assert [slug(answer) for answer in answers] == [_slug_of(fate)] * 2
    assert Orders.served == ["a"]
    assert [len(await served.audited(answer)) for answer in answers] == [1, 0]


def _slug_of(fate: str) -> str:
    return {"refused": "not-today"}.get(fate, fate)


async def test_who_waits_too_long_for_the_first_is_told_so(
    served: EdgeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    Orders.pause = 1.0
    key = {"Idempotency-Key": "slow"}
    first = asyncio.create_task(served.http.post("/orders/fine", json={"name": "a"}, headers=key))
    await asyncio.sleep(0.2)
    second = await served.http.post("/orders/fine", json={"name": "a"}, headers=key)
    assert (second.status_code, slug(second)) == (409, "idempotency-in-flight")
    assert (await first).status_code == 201
    third = await served.http.post("/orders/fine", json={"name": "a"}, headers=key)
    assert third.content == (await first).content
    assert Orders.served == ["a"]


async def test_waiting_is_promised_for_five_seconds_and_answers_for_a_day() -> None:
    assert idempotency.WAIT_SECONDS == 5
    assert timedelta(hours=24) <= idempotency.KEPT


async def test_the_claim_of_a_process_that_died_is_taken_over(served: EdgeApp, database: Database) -> None:
    caller = edge_app.resident()
    own = idempotency.scope_of(caller.id, "POST", "/api/v1/orders/fine", "dead")
    body = b'{"name":"a"}'
    claimed = await idempotency.claim(database, own, body)
    assert isinstance(claimed, idempotency.Claim)
    async with database.transaction() as session:
        await session.execute(
            update(StoredAnswer)
            .where(StoredAnswer.id == claimed.row)
            .values(claimed_until=clock.now() - timedelta(seconds=1))
        )
    headers = bearing(caller) | {"Idempotency-Key": "dead", "Content-Type": "application/json"}
    answer = await served.http.post("/orders/fine", content=body, headers=headers)
    assert answer.status_code == 201
    async with database.reading() as session:
        with pytest.raises(idempotency.ClaimLost):
            await idempotency.store(session, claimed, idempotency.Answer(201, [], b"late"), caller=caller)


async def test_work_whose_claim_was_taken_over_is_undone(served: EdgeApp, database: Database) -> None:
    Orders.pause = 0.5
    key = {"Idempotency-Key": "overtaken"}
    running = asyncio.create_task(served.http.post("/orders/fine", json={"name": "a"}, headers=key))
    await asyncio.sleep(0.2)
    async with database.transaction() as session:
        await session.execute(
            update(StoredAnswer).where(StoredAnswer.answer_sealed.is_(None)).values(claim=new_id())
        )
    answer = await running
    assert (answer.status_code, slug(answer)) == (409, "idempotency-in-flight")
    assert [row.outcome for row in await served.audited(answer)] == ["idempotency-in-flight"]


async def test_kept_answers_are_unreadable_in_the_database(served: EdgeApp, database: Database) -> None:
    key = {"Idempotency-Key": "key-of-a-person"}
    answer = await served.http.post("/orders/fine", json={"name": "欧阳小海"}, headers=key)
    async with database.reading() as session:
        newest = await session.scalar(select(StoredAnswer).order_by(StoredAnswer.id.desc()).limit(1))
        dump = str((await session.execute(text("SELECT i.*::text FROM idempotency_answer i"))).all())
    assert newest is not None
    kept = msgspec.json.encode(newest.answer)
    assert base64.b64encode(answer.content) in kept, "what is sealed is this answer"
    for readable in (answer.content, base64.b64encode(answer.content), b"application/json"):
        assert readable not in (newest.answer_sealed or b"")
        assert readable.hex() not in dump
    assert "key-of-a-person" not in dump


async def test_answers_are_forgotten_when_their_time_is_over(served: EdgeApp, database: Database) -> None:
    await served.http.post("/orders/fine", json={"name": "a"}, headers={"Idempotency-Key": "old"})
    kept = await rows(database)
    async with database.transaction() as session:
        await session.execute(update(StoredAnswer).values(created_at=clock.now() - idempotency.KEPT * 2))
    await served.http.post("/orders/fine", json={"name": "a"}, headers={"Idempotency-Key": "new"})
    await delete_due(idempotency.TERM)
    left = await rows(database)
    assert len(left) == 1
    assert left[0] not in kept
