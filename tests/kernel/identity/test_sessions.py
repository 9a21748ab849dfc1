"""One's own sessions: listed, ended from afar."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import text

from haiyiban.db import Database
from haiyiban.identity import revocations
from tests.people import Resident, sign_in, slug

NOBODYS = "01a1fbb2-4883-776a-a820-89688781117f"


async def test_a_session_ended_from_another_device_is_refused(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    phone = Resident().phone
    lost = await sign_in(api, sandbox, phone)
    kept = await sign_in(api, sandbox, phone)
    listed = (await api.get("/auth/sessions", headers=kept.headers)).json()
    assert listed["next"] is None
    assert [row["current"] for row in listed["items"]] == [True, False]
    ended = await api.delete(f"/auth/sessions/{listed['items'][1]['id']}", headers=kept.headers)
    assert ended.status_code == 204
    assert (await api.get("/me", headers=lost.headers)).status_code == 401
    refresh = await api.post("/auth/sessions/refresh", json={"refreshToken": lost.answer["refreshToken"]})
    assert (refresh.status_code, slug(refresh)) == (401, "invalid-refresh-token")
    assert len((await api.get("/auth/sessions", headers=kept.headers)).json()["items"]) == 1


async def test_signing_out_ends_the_current_session(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    assert (await api.delete("/auth/sessions/current", headers=session.headers)).status_code == 204
    answer = await api.get("/me", headers=session.headers)
    assert (answer.status_code, slug(answer)) == (401, "invalid-token")


async def test_another_accounts_session_is_not_found(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    mine = await sign_in(api, sandbox, Resident().phone)
    theirs = await sign_in(api, sandbox, Resident().phone)
    row = (await api.get("/auth/sessions", headers=theirs.headers)).json()["items"][0]
    for session_id in (row["id"], NOBODYS):
        answer = await api.delete(f"/auth/sessions/{session_id}", headers=mine.headers)
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert (await api.get("/me", headers=theirs.headers)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions/current"),
        ("DELETE", f"/auth/sessions/{NOBODYS}"),
        ("GET", "/me"),
        ("POST", "/me/real-name"),
        ("POST", "/me/face-checks"),
        ("POST", f"/me/face-checks/{NOBODYS}/result"),
    ],
)
async def test_nobody_signed_in_is_asked_to_sign_in(api: httpx.AsyncClient, method: str, path: str) -> None:
    bodies = {"real-name": {"name": "王", "idNumber": "1"}, "result": {"faceToken": "pass"}}
    answer = await api.request(method, path, json=bodies.get(path.rsplit("/", 1)[-1]))
    assert (answer.status_code, slug(answer)) == (401, "not-signed-in")


async def test_a_reading_that_began_before_the_end_does_not_let_it_in_again(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    async with database.reading() as early:
        # The snapshot is taken here, before the session ends.
        await early.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await early.execute(text("SELECT 1 FROM identity_revocation"))
        assert (await api.delete("/auth/sessions/current", headers=session.headers)).status_code == 204
        await revocations.reload(early)
    assert (await api.get("/me", headers=session.headers)).status_code == 401
