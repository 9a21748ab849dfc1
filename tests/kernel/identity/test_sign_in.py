"""Signing in by SMS code, and how long sessions live."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
from sqlalchemy import select, update

from haiyiban.db import Database
from haiyiban.identity.accounts import phone_index
from haiyiban.identity.models import RefreshToken, SmsCode
from haiyiban.identity.rules import CODE_LIFE, CODE_PAUSE
from tests.people import Resident, code_for, sign_in, slug


async def test_a_code_signs_in_once(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    phone = Resident().phone
    code = await code_for(api, sandbox, phone)
    body = {"method": "sms", "phone": phone, "code": code}
    first = await api.post("/auth/sessions", json=body)
    assert first.status_code == 201, first.text
    assert first.json().keys() >= {"accessToken", "refreshToken", "expiresInSeconds", "accountId"}
    assert first.json()["expiresInSeconds"] == 300
    again = await api.post("/auth/sessions", json=body)
    assert (again.status_code, slug(again)) == (422, "code-expired")


async def test_the_phone_is_taken_as_people_write_it(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    phone = Resident().phone
    session = await sign_in(api, sandbox, phone)
    code = await code_for(api, sandbox, phone)
    spaced = f"+86 {phone[:3]}-{phone[3:7]} {phone[7:]}"
    answer = await api.post("/auth/sessions", json={"method": "sms", "phone": spaced, "code": f" {code} "})
    assert answer.json()["accountId"] == session.answer["accountId"]


async def test_known_and_unknown_phones_get_the_same_answer(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    known, unknown = Resident().phone, Resident().phone
    await sign_in(api, sandbox, known)
    answers = [await api.post("/auth/sms-codes", json={"phone": phone}) for phone in (known, unknown)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json() == {"expiresInSeconds": 300, "retryAfterSeconds": 60}


async def test_a_phone_that_cannot_be_is_refused_with_its_pointer(api: httpx.AsyncClient) -> None:
    for path, body in (
        ("/auth/sms-codes", {"phone": "12345"}),
        ("/auth/sessions", {"method": "sms", "phone": "12345", "code": "000000"}),
    ):
        answer = await api.post(path, json=body)
        assert (answer.status_code, slug(answer)) == (422, "invalid-phone")
        assert answer.json()["errors"][0]["pointer"] == "/phone"


async def test_a_second_code_must_wait_a_minute(api: httpx.AsyncClient) -> None:
    phone = Resident().phone
    assert (await api.post("/auth/sms-codes", json={"phone": phone})).status_code == 202
    answer = await api.post("/auth/sms-codes", json={"phone": phone})
    assert (answer.status_code, slug(answer)) == (429, "too-many-codes")
    assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_two_requests_for_one_phone_at_once_send_one_code(
    api: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    answers = await asyncio.gather(*(api.post("/auth/sms-codes", json={"phone": phone}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 429, 429, 429, 429]
    async with database.reading() as session:
        sent = await session.scalars(select(SmsCode.id).where(SmsCode.phone_index == phone_index(phone)))
        assert len(sent.all()) == 1


async def test_the_eleventh_unused_code_of_a_day_is_refused(
    api: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    for _ in range(10):
        assert (await api.post("/auth/sms-codes", json={"phone": phone})).status_code == 202
        await age_codes(database, phone, by=CODE_PAUSE)
    answer = await api.post("/auth/sms-codes", json={"phone": phone})
    assert (answer.status_code, slug(answer)) == (429, "too-many-codes")
    assert int(answer.headers["retry-after"]) > 3600


async def test_the_fifth_wrong_try_kills_the_code(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    phone = Resident().phone
    code = await code_for(api, sandbox, phone)
    wrong = {"method": "sms", "phone": phone, "code": f"{(int(code) + 1) % 10**6:06d}"}
    for _ in range(5):
        answer = await api.post("/auth/sessions", json=wrong)
        assert (answer.status_code, slug(answer)) == (422, "wrong-code")
    right = await api.post("/auth/sessions", json=wrong | {"code": code})
    assert (right.status_code, slug(right)) == (422, "code-expired")


async def test_wrong_tries_at_once_are_all_counted(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    phone = Resident().phone
    code = await code_for(api, sandbox, phone)
    wrong = {"method": "sms", "phone": phone, "code": f"{(int(code) + 1) % 10**6:06d}"}
    answers = await asyncio.gather(*(api.post("/auth/sessions", json=wrong) for _ in range(8)))
    assert sorted(slug(answer) for answer in answers) == ["code-expired"] * 3 + ["wrong-code"] * 5


async def test_a_code_lives_five_minutes(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    code = await code_for(api, sandbox, phone)
    await age_codes(database, phone, by=CODE_LIFE)
    answer = await api.post("/auth/sessions", json={"method": "sms", "phone": phone, "code": code})
    assert (answer.status_code, slug(answer)) == (422, "code-expired")


async def test_a_newer_code_replaces_the_older(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    phone = Resident().phone
    older = await code_for(api, sandbox, phone)
    await age_codes(database, phone, by=CODE_PAUSE)
    newer = await code_for(api, sandbox, phone)
    body = {"method": "sms", "phone": phone}
    if older != newer:
        assert slug(await api.post("/auth/sessions", json=body | {"code": older})) == "wrong-code"
    assert (await api.post("/auth/sessions", json=body | {"code": newer})).status_code == 201


async def test_one_phone_that_signs_in_twice_at_once_has_one_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    phone = Resident().phone
    body = {"method": "sms", "phone": phone, "code": await code_for(api, sandbox, phone)}
    answers = await asyncio.gather(*(api.post("/auth/sessions", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]


async def test_a_body_that_is_no_sign_in_is_malformed(api: httpx.AsyncClient) -> None:
    bodies: list[dict[str, object]] = [
        {},
        {"method": "magic"},
        {"method": "sms", "phone": "13800138000"},
        {"method": "sms", "phone": 13800138000, "code": "123456"},
        {"method": "sms", "phone": "13800138000", "code": "123456", "admin": True},
    ]
    for body in bodies:
        answer = await api.post("/auth/sessions", json=body)
        assert answer.status_code == 400, body


async def test_a_refresh_token_gets_a_successor_and_the_same_one_again_at_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    body = {"refreshToken": session.answer["refreshToken"]}
    answers = await asyncio.gather(*(api.post("/auth/sessions/refresh", json=body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refreshToken"] for answer in answers}
    assert len(successors) == 1
    assert successors != {session.answer["refreshToken"]}
    next_one = await api.post("/auth/sessions/refresh", json={"refreshToken": successors.pop()})
    assert next_one.status_code == 200


async def test_a_replayed_refresh_token_ends_the_session(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    old = {"refreshToken": session.answer["refreshToken"]}
    new = (await api.post("/auth/sessions/refresh", json=old)).json()
    async with database.transaction() as work:
        await work.execute(
            update(RefreshToken)
            .where(RefreshToken.used_at.is_not(None))
            .values(used_at=RefreshToken.used_at - timedelta(seconds=11))
        )
    replay = await api.post("/auth/sessions/refresh", json=old)
    assert (replay.status_code, slug(replay)) == (401, "invalid-refresh-token")
    family = await api.post("/auth/sessions/refresh", json={"refreshToken": new["refreshToken"]})
    assert family.status_code == 401
    bearer = {"Authorization": f"Bearer {new['accessToken']}"}
    assert (await api.get("/me", headers=bearer)).status_code == 401


async def test_an_unknown_refresh_token_is_refused(api: httpx.AsyncClient) -> None:
    for body in ({"refreshToken": "made-up"}, {}):
        answer = await api.post("/auth/sessions/refresh", json=body)
        assert (answer.status_code, slug(answer)) == (401, "invalid-refresh-token")


async def test_by_cookie_the_refresh_token_is_out_of_scripts_reach(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    phone = Resident().phone
    code = await code_for(api, sandbox, phone)
    body = {"method": "sms", "phone": phone, "code": code, "transport": "cookie"}
    answer = await api.post("/auth/sessions", json=body)
    assert "refreshToken" not in answer.json()
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth"))
    assert "Secure" not in cookie
    refreshed = await api.post("/auth/sessions/refresh", json={})
    assert refreshed.status_code == 200
    assert "refreshToken" not in refreshed.json()
    assert refreshed.headers["set-cookie"] != cookie
    bearer = {"Authorization": f"Bearer {refreshed.json()['accessToken']}"}
    assert (await api.delete("/auth/sessions/current", headers=bearer)).status_code == 204
    assert (await api.post("/auth/sessions/refresh", json={})).status_code == 401


async def test_over_https_the_cookie_is_secure(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    phone = Resident().phone
    code = await code_for(api, sandbox, phone)
    body = {"method": "sms", "phone": phone, "code": code, "transport": "cookie"}
    answer = await api.post("https://test/api/v1/auth/sessions", json=body)
    assert "Secure" in answer.headers["set-cookie"]


async def age_codes(database: Database, phone: str, *, by: timedelta) -> None:
    """Make a phone's codes older, as if time had passed."""
    async with database.transaction() as session:
        await session.execute(
            update(SmsCode)
            .where(SmsCode.phone_index == phone_index(phone))
            .values(created_at=SmsCode.created_at - by - timedelta(seconds=1))
        )
