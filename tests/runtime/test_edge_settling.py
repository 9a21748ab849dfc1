"""One request is one transaction: kept whole or not at all, its refusals recorded, its crashes silent."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from uuid import UUID

import pytest
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.db import Database
from haiyiban.errors import NotFound, Problem, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident, staff
from haiyiban.ids import new_id
from haiyiban.settings import Settings
from haiyiban.wire import Input
from tests.runtime import edge_app
from tests.runtime.edge_app import EdgeApp, bearing, clerk, serving, slug


class WrongTry(Problem):
    type = "things/wrong-try"
    title = Words("不对", "Wrong")
    commits = True


class NotToday(Problem):
    type = "things/not-today"
    title = Words("今天不行", "Not today")


class Name(Input):
    name: str


async def keep(session: AsyncSession, thing: UUID) -> None:
    await session.execute(text("INSERT INTO edge_thing (id, parent) VALUES (:id, :id)"), {"id": thing})


class Things(Controller):
    path = "/things"

    @post("/{thing:uuid}/{fate:str}", status_code=201)
    async def make(
        self,
        request: Request[object, object, object],
        session: NamedDependency[AsyncSession],
        thing: FromPath[UUID],
        fate: FromPath[str],
        data: JSONBody[Name],
    ) -> None:
        await keep(session, thing)
        match fate:
            case "refused":
                raise NotToday
            case "wrong-try":
                raise WrongTry
            case "missing":
                raise NotFound
            case "crashing":
                int(data.name)
            case "breaking-a-rule":
                await session.execute(
                    text("INSERT INTO edge_thing (id, parent) VALUES (:id, :id)"), {"id": thing}
                )
            case "failing-at-commit":
                await session.execute(
                    text("INSERT INTO edge_thing (id, parent) VALUES (:id, :parent)"),
                    {"id": new_id(), "parent": new_id()},
                )

    @get("/mine", guards=[resident(Level.L2)])
    async def mine(self, request: ResidentRequest) -> None:
        """Guarded."""

    @get("/desk", guards=[staff("officer")])
    async def desk(self) -> None:
        """Guarded."""


@pytest.fixture
async def served(settings: Settings, database: Database) -> AsyncIterator[EdgeApp]:
    async with database.transaction() as session:
        await session.execute(
            text(
                "CREATE TABLE IF NOT EXISTS edge_thing (id uuid PRIMARY KEY, parent uuid NOT NULL "
                "REFERENCES edge_thing DEFERRABLE INITIALLY DEFERRED)"
            )
        )
    async with serving(settings, database, Things) as app:
        yield app
    async with database.transaction() as session:
        await session.execute(text("DROP TABLE edge_thing"))


async def is_kept(served: EdgeApp, thing: UUID) -> bool:
    async with served.database.reading() as session:
        found = await session.scalar(text("SELECT count(*) FROM edge_thing WHERE id = :id"), {"id": thing})
    return bool(found)


@pytest.mark.parametrize(
    ("fate", "status", "kind", "kept", "audited"),
    [
        ("fine", 201, None, True, []),
        ("refused", 422, "not-today", False, ["not-today"]),
        ("missing", 404, "not-found", False, ["not-found"]),
        ("wrong-try", 422, "wrong-try", True, ["wrong-try"]),
        ("crashing", 500, "crashed", False, []),
        ("breaking-a-rule", 500, "crashed", False, []),
        ("failing-at-commit", 500, "crashed", False, []),
    ],
)
async def test_work_is_kept_whole_or_not_at_all(
    served: EdgeApp, fate: str, status: int, kind: str | None, kept: bool, audited: list[str]
) -> None:
    thing = new_id()
    answer = await served.http.post(f"/things/{thing}/{fate}", json={"name": "x"})
    assert answer.status_code == status, answer.text
    assert (slug(answer) if kind else None) == kind
    assert await is_kept(served, thing) is kept
    assert [row.outcome for row in await served.audited(answer)] == audited
    assert [record["status"] for record in served.records()] == [status]


async def test_a_refusal_is_recorded_with_who_what_and_from_where(served: EdgeApp) -> None:
    caller = edge_app.resident()
    answer = await served.http.post(
        f"/things/{new_id()}/refused", json={"name": "陈海"}, headers=bearing(caller)
    )
    (row,) = await served.audited(answer)
    assert (row.action, row.outcome) == ("POST /api/v1/things/{thing}/{fate}", "not-today")
    assert (row.actor_kind, row.actor_id, row.address) == ("resident", caller.account_id, "192.0.2.7")
    assert row.fields == []


@pytest.mark.usefixtures("served")
async def test_behind_our_proxy_the_address_is_the_clients(settings: Settings, database: Database) -> None:
    """The audit and the limits by address would else know the proxy alone, which is 192.0.2.7."""
    behind = replace(settings, proxies=(ip_network("192.0.2.0/24"),))
    for each, told in ((behind, "203.0.113.9"), (settings, "192.0.2.7")):
        async with serving(each, database, Things) as app:
            forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
            answer = await app.http.post(f"/things/{new_id()}/refused", json={"name": "x"}, headers=forwarded)
            (row,) = await app.audited(answer)
            assert row.address == told


async def test_no_record_is_made_of_what_could_not_be_read(served: EdgeApp) -> None:
    answer = await served.http.post(f"/things/{new_id()}/fine", json={"name": 5})
    assert answer.status_code == 400
    assert await served.audited(answer) == []


async def test_who_is_not_signed_in_gets_401_and_who_may_not_403(served: EdgeApp) -> None:
    anonymous = await served.http.get("/things/mine")
    assert (anonymous.status_code, slug(anonymous)) == (401, "not-signed-in")
    assert anonymous.headers["www-authenticate"] == "Bearer"
    forged = await served.http.get("/things/mine", headers={"Authorization": "Bearer a.b.c"})
    assert (forged.status_code, slug(forged)) == (401, "invalid-token")
    low = await served.http.get("/things/mine", headers=bearing(edge_app.resident()))
    assert (low.status_code, slug(low)) == (403, "step-up-needed")
    assert low.json()["needs"] == "L2"
    other_kind = await served.http.get("/things/mine", headers=bearing(clerk()))
    assert (other_kind.status_code, slug(other_kind)) == (403, "not-allowed")
    other_role = await served.http.get("/things/desk", headers=bearing(clerk()))
    assert (other_role.status_code, slug(other_role)) == (403, "not-allowed")
    for answer, kind in ((anonymous, "not-signed-in"), (forged, "invalid-token"), (low, "step-up-needed")):
        (row,) = await served.audited(answer)
        assert (row.action, row.outcome) == ("GET /api/v1/things/mine", kind)


async def test_a_crash_shows_the_request_id_alone_and_the_log_no_values(
    served: EdgeApp, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "46010519900307"
    with caplog.at_level(logging.DEBUG, logger="haiyiban"):
        for fate in ("crashing", "breaking-a-rule"):
            thing = new_id()
            answer = await served.http.post(f"/things/{thing}/{fate}", json={"name": secret + "X"})
            assert answer.status_code == 500
            assert answer.json().keys() == {"type", "title", "status", "requestId"}
            assert answer.json()["requestId"] == answer.headers["x-request-id"]
            logged = "\n".join(record.getMessage() for record in caplog.records if record.name == "haiyiban")
            assert answer.headers["x-request-id"] in logged
            assert "test_edge_settling.py" in logged, "the log says where it happened"
            assert secret not in logged
            assert str(thing) not in logged
        assert "builtins.ValueError" in logged
        assert "23505" in logged
        assert not any(record.exc_info for record in caplog.records if record.name == "haiyiban")


async def test_a_request_id_is_echoed_where_it_is_one(served: EdgeApp) -> None:
    given = await served.http.get("/things/mine", headers={"X-Request-Id": "trace-4711.a_b"})
    assert given.headers["x-request-id"] == "trace-4711.a_b"
    assert served.records()[-1]["id"] == "trace-4711.a_b"
    for odd in ("short", "a" * 65, 'a"b\\c\\d\\e', "陈海陈海"):
        answer = await served.http.get("/things/mine", headers={"X-Request-Id": odd.encode()})
        assert answer.headers["x-request-id"] != odd
        assert len(answer.headers["x-request-id"]) == 32


async def test_a_request_has_one_lean_record_without_its_values(served: EdgeApp) -> None:
    thing = new_id()
    answer = await served.http.post(f"/things/{thing}/fine?phone=13912345678", json={"name": "陈海"})
    (record,) = served.records()
    assert record.keys() == {"at", "id", "method", "route", "status", "ms", "caller", "bytes"}
    assert record["route"] == "/api/v1/things/{thing}/{fate}"
    assert record["id"] == answer.headers["x-request-id"]
    line = json.dumps(record)
    assert "139" not in line
    assert str(thing) not in line
    metrics = (await served.http.get("http://test/metrics")).text
    assert 'route="/api/v1/things/{thing}/{fate}",status="201"' in metrics
    assert str(thing) not in metrics


async def test_browsers_that_came_by_tls_are_told_to_come_so_again(
    settings: Settings, database: Database
) -> None:
    for url, told in (
        ("https://haiyiban.example", "max-age=63072000; includeSubDomains"),
        ("http://a", None),
    ):
        async with edge_app.serving(replace(settings, public_url=url), database) as served:
            for path in ("/health/live", "/api/v1/nowhere"):
                answer = await served.http.get(f"http://test{path}")
                assert answer.headers.get("strict-transport-security") == told


async def test_answers_are_not_kept_by_caches_nor_guessed_at(served: EdgeApp) -> None:
    answer = await served.http.get("/things/mine")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
