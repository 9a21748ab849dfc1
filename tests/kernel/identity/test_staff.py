"""Staff sign in by password and one-time password."""

from __future__ import annotations

import asyncio
import json
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyotp
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.db import Database
from haiyiban.identity import revocations, staff
from haiyiban.identity.models import Staff, StaffFailure
from haiyiban.identity.seed import credentials, credentials_path, seed
from haiyiban.settings import Settings
from tests.people import Resident, sign_in, slug

PASSWORD = "a long and quiet password"


@dataclass
class Member:
    """A staff member with what they sign in with."""

    username: str
    otp_secret: str | None

    def body(self, **members: str) -> dict[str, str]:
        body = {"method": "staff", "username": self.username, "password": PASSWORD}
        if self.otp_secret:
            body["otp"] = pyotp.TOTP(self.otp_secret).at(clock.wall())
        return body | members


async def employ(database: Database, otp_secret: str | None = None) -> Member:
    username = f"clerk-{secrets.token_hex(4)}"
    async with database.transaction() as session:
        await staff.create(
            session,
            username,
            password=PASSWORD,
            roles=["clerk"],
            agency="education",
            division="460105",
            otp_secret=otp_secret,
        )
    return Member(username, otp_secret)


async def test_a_clerk_signs_in_with_password_and_otp(api: httpx.AsyncClient, database: Database) -> None:
    clerk = await employ(database, pyotp.random_base32())
    answer = await api.post("/auth/sessions", json=clerk.body())
    assert answer.status_code == 201, answer.text
    bearer = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
    listed = (await api.get("/auth/sessions", headers=bearer)).json()["items"]
    assert [row["current"] for row in listed] == [True]
    assert "assurance" not in listed[0]
    body = {"refreshToken": answer.json()["refreshToken"]}
    refreshed = await api.post("/auth/sessions/refresh", json=body)
    assert refreshed.json()["accountId"] == answer.json()["accountId"]


async def test_unknown_name_wrong_password_and_wrong_otp_get_the_same_answer(
    api: httpx.AsyncClient, database: Database
) -> None:
    clerk = await employ(database, pyotp.random_base32())
    answers = [
        await api.post("/auth/sessions", json=body)
        for body in (
            clerk.body(username=f"nobody-{secrets.token_hex(4)}"),
            clerk.body(password="wrong"),
            clerk.body(otp="000000"),
            clerk.body(otp="not digits ٣"),
        )
    ]
    assert {(answer.status_code, slug(answer)) for answer in answers} == {(401, "wrong-credentials")}
    assert len({answer.text for answer in answers}) == 1


async def test_a_missing_otp_is_asked_for_once_the_password_is_right(
    api: httpx.AsyncClient, database: Database
) -> None:
    clerk = await employ(database, pyotp.random_base32())
    body = clerk.body()
    del body["otp"]
    answer = await api.post("/auth/sessions", json=body)
    assert (answer.status_code, slug(answer)) == (401, "otp-required")
    answer = await api.post("/auth/sessions", json=body | {"password": "wrong"})
    assert (answer.status_code, slug(answer)) == (401, "wrong-credentials")


async def test_a_one_time_password_is_good_once(api: httpx.AsyncClient, database: Database) -> None:
    clerk = await employ(database, pyotp.random_base32())
    body = clerk.body()
    answers = await asyncio.gather(*(api.post("/auth/sessions", json=body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401]
    assert {slug(answer) for answer in answers if answer.status_code == 401} == {"otp-used"}
    replay = await api.post("/auth/sessions", json=body)
    assert (replay.status_code, slug(replay)) == (401, "otp-used")
    assert 0 < int(replay.headers["retry-after"]) <= 30


async def test_five_wrong_passwords_stop_one_address_and_nobody_else(
    api: httpx.AsyncClient, database: Database
) -> None:
    clerk = await employ(database)
    for _ in range(5):
        wrong = await api.post("/auth/sessions", json=clerk.body(password="wrong"))
        assert slug(wrong) == "wrong-credentials"
    answer = await api.post("/auth/sessions", json=clerk.body())
    assert (answer.status_code, slug(answer)) == (429, "too-many-failures")
    assert int(answer.headers["retry-after"]) > 600
    async with database.transaction() as session:
        await session.execute(update(StaffFailure).values(address="203.0.113.9"))
    assert (await api.post("/auth/sessions", json=clerk.body())).status_code == 201


async def test_a_disabled_member_is_out_at_once(api: httpx.AsyncClient, database: Database) -> None:
    clerk = await employ(database)
    signed_in = (await api.post("/auth/sessions", json=clerk.body())).json()
    async with database.transaction() as session:
        row = (await session.scalars(select(Staff).where(Staff.username == clerk.username))).one()
        await staff.disable(session, row.id)
    bearer = {"Authorization": f"Bearer {signed_in['accessToken']}"}
    assert (await api.get("/auth/sessions", headers=bearer)).status_code == 401
    refresh = await api.post("/auth/sessions/refresh", json={"refreshToken": signed_in["refreshToken"]})
    assert refresh.status_code == 401
    assert slug(await api.post("/auth/sessions", json=clerk.body())) == "wrong-credentials"


async def test_staff_are_no_residents(api: httpx.AsyncClient, database: Database) -> None:
    clerk = await employ(database)
    signed_in = (await api.post("/auth/sessions", json=clerk.body())).json()
    answer = await api.get("/me", headers={"Authorization": f"Bearer {signed_in['accessToken']}"})
    assert (answer.status_code, slug(answer)) == (403, "not-allowed")


async def test_a_revocation_reaches_other_processes_by_the_table(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    await api.delete("/auth/sessions/current", headers=session.headers)
    revocations._here.clear()  # as a process that did not end it
    async with database.reading() as look:
        await revocations.reload(look)
    assert (await api.get("/me", headers=session.headers)).status_code == 401


async def test_the_demos_staff_can_sign_in_however_often_it_is_seeded(
    api: httpx.AsyncClient, settings: Settings, database: Database
) -> None:
    await seed()
    path = credentials_path(settings)
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await seed()
    assert path.read_bytes() == first
    people = credentials(path)
    assert people is not None
    assert people.keys() >= {"clerk", "officer", "operator"}
    clerk = people["clerk"]
    assert clerk.otp_secret
    body = {"method": "staff", "username": clerk.username, "password": clerk.password}
    otp = pyotp.TOTP(clerk.otp_secret).at(clock.wall())
    assert (await api.post("/auth/sessions", json=body | {"otp": otp})).status_code == 201


async def test_a_lost_password_file_is_made_anew_and_works(
    api: httpx.AsyncClient, settings: Settings, database: Database
) -> None:
    await seed()
    path = credentials_path(settings)
    old = json.loads(path.read_bytes())["officer"]
    Path(path).unlink()
    await seed()
    new = json.loads(path.read_bytes())["officer"]
    assert new["password"] != old["password"]
    for person, status in ((old, 401), (new, 201)):
        body = {"method": "staff", "username": person["username"], "password": person["password"]}
        assert (await api.post("/auth/sessions", json=body)).status_code == status


async def test_a_moved_clock_does_not_move_the_clerks_phone(
    api: httpx.AsyncClient, database: Database
) -> None:
    clerk = await employ(database, pyotp.random_base32())
    clock.shift(40 * 24 * 3600)
    try:
        answer = await api.post("/auth/sessions", json=clerk.body())
    finally:
        clock.shift(0)
    assert answer.status_code == 201, answer.text
