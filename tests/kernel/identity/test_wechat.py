"""Signing in from WeChat, and how a phone and a WeChat user come to be one account."""

from __future__ import annotations

import asyncio
import secrets

import httpx
import pytest
from sqlalchemy import select

from haiyiban.db import Database
from haiyiban.identity import wechat
from haiyiban.identity.models import Account
from haiyiban.settings import Settings
from haiyiban_sandbox.wechat import openid_of
from tests.kernel.identity.test_binding import person_of
from tests.people import (
    Resident,
    SignedIn,
    at_level_three,
    code_for,
    give_real_name,
    pass_face_check,
    sign_in,
    slug,
    step_by_step,
    texts,
)


async def login_code(sandbox: httpx.AsyncClient, user: str) -> str:
    """What `wx.login` gives the phone of a WeChat user."""
    return str((await sandbox.post("/wechat/codes", json={"user": user})).json()["code"])


async def from_wechat(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str, **members: str
) -> SignedIn:
    """Sign in from the mini program."""
    code = await login_code(sandbox, user)
    answer = await api.post("/auth/sessions", json={"method": "wechat", "code": code} | members)
    assert answer.status_code == 201, answer.text
    return SignedIn(answer.json())


async def me(api: httpx.AsyncClient, session: SignedIn) -> dict[str, object]:
    answer = await api.get("/me", headers=session.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def add_phone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, session: SignedIn, phone: str
) -> httpx.Response:
    code = await code_for(api, sandbox, phone)
    return await api.post("/me/phone", json={"phone": phone, "code": code}, headers=session.headers)


@pytest.fixture
def user() -> str:
    """A WeChat user whom nobody has met."""
    return f"user-{secrets.token_hex(6)}"


async def test_the_same_wechat_user_comes_back_to_the_same_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str, database: Database
) -> None:
    first, second = await from_wechat(api, sandbox, user), await from_wechat(api, sandbox, user)
    assert first.answer["accountId"] == second.answer["accountId"]
    assert await me(api, first) == {
        "accountId": first.answer["accountId"],
        "assurance": "L1",
        "wechat": True,
    }
    other = await from_wechat(api, sandbox, f"{user}-2")
    assert other.answer["accountId"] != first.answer["accountId"]
    async with database.reading() as session:
        account = await session.get_one(Account, first.answer["accountId"])
    assert account.wechat_index == wechat.index_of(openid_of(user))


async def test_two_first_sign_ins_at_once_make_one_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    sessions = await asyncio.gather(*(from_wechat(api, sandbox, user) for _ in range(5)))
    assert len({session.answer["accountId"] for session in sessions}) == 1


async def test_a_login_code_is_good_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    code = await login_code(sandbox, user)
    body = {"method": "wechat", "code": code}
    assert (await api.post("/auth/sessions", json=body)).status_code == 201
    for wrong in (body, {"method": "wechat", "code": "made-up"}):
        answer = await api.post("/auth/sessions", json=wrong)
        assert (answer.status_code, slug(answer)) == (422, "wechat-code-refused")
        assert answer.json()["errors"][0]["pointer"] == "/code"


@pytest.mark.parametrize("mode", ["slow", "error", "garbage"])
async def test_when_wechat_is_away_the_way_by_sms_is_open(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str, mode: str
) -> None:
    code = await login_code(sandbox, user)
    await sandbox.post("/faults", json={"register": "wechat", "mode": mode})
    answer = await api.post("/auth/sessions", json={"method": "wechat", "code": code})
    assert (answer.status_code, slug(answer)) == (503, "register-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert (await sign_in(api, sandbox, Resident().phone)).answer["accessToken"]


def test_without_a_mini_program_it_is_not_offered() -> None:
    production = Settings.from_env({"HAIYIBAN_ENV": "production"})
    assert (production.wechat_app_id, production.wechat_secret) == ("", "")
    assert production.wechat_url == "https://api.weixin.qq.com"


async def test_a_known_device_comes_back_at_its_level_and_another_does_not(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    resident = await Resident().register(sandbox)
    session = await from_wechat(api, sandbox, user)
    assert await give_real_name(api, session, resident) == {"assurance": "L2"}
    assert await pass_face_check(api, session) == {"assurance": "L3"}
    known = await from_wechat(api, sandbox, user, deviceToken=session.answer["deviceToken"])
    assert (await me(api, known))["assurance"] == "L3"
    assert (await me(api, await from_wechat(api, sandbox, user)))["assurance"] == "L1"


async def test_the_level_is_raised_in_place_and_the_same_request_goes_through(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    """The access token, the form and the Idempotency-Key that the person had before the face check."""
    resident = await Resident().register(sandbox)
    session = await from_wechat(api, sandbox, user)
    request = {"json": {"matter": "civil-affairs.senior-allowance"}}
    headers = session.headers | {"Idempotency-Key": secrets.token_hex(8)}
    refused = await api.post("/cases", **request, headers=headers)  # type: ignore[arg-type]
    assert (refused.status_code, slug(refused)) == (403, "step-up-needed")
    assert (refused.json()["needs"], refused.json()["has"]) == ("L3", "L1")
    await give_real_name(api, session, resident)
    await pass_face_check(api, session)
    opened = await api.post("/cases", **request, headers=headers)  # type: ignore[arg-type]
    assert opened.status_code == 201, opened.text
    again = await api.post("/cases", **request, headers=headers)  # type: ignore[arg-type]
    assert again.json()["id"] == opened.json()["id"]


async def test_a_phone_that_nobody_uses_is_added_at_once(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    session, phone = await from_wechat(api, sandbox, user), Resident().phone
    assert (await add_phone(api, sandbox, session, phone)).json() == {"assurance": "L1"}
    by_phone = await sign_in(api, sandbox, phone)
    assert by_phone.answer["accountId"] == session.answer["accountId"]
    again = await add_phone(api, sandbox, session, phone)
    assert again.status_code == 200


async def test_a_wrong_code_adds_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    session, phone = await from_wechat(api, sandbox, user), Resident().phone
    code = await code_for(api, sandbox, phone)
    wrong = "000000" if code != "000000" else "111111"
    answer = await api.post("/me/phone", json={"phone": phone, "code": wrong}, headers=session.headers)
    assert (answer.status_code, slug(answer)) == (422, "wrong-code")
    assert "phone" not in await me(api, session)


async def test_two_accounts_of_nobody_become_one_by_the_phone(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    resident = Resident()
    by_phone = await sign_in(api, sandbox, resident.phone)
    session = await from_wechat(api, sandbox, user)
    assert (await add_phone(api, sandbox, session, resident.phone)).json() == {"assurance": "L1"}
    assert (await me(api, session))["accountId"] == by_phone.answer["accountId"]
    again = await from_wechat(api, sandbox, user)
    assert again.answer["accountId"] == by_phone.answer["accountId"]


async def test_a_bound_accounts_phone_lets_wechat_in_after_the_persons_face(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    resident, by_phone = await step_by_step(api, sandbox)
    session = await from_wechat(api, sandbox, user)
    joined = await add_phone(api, sandbox, session, resident.phone)
    assert joined.json() == {"assurance": "L1", "next": "face-check"}
    assert "person" not in await me(api, session)
    # Until the face, the WeChat user does not sign in to it: the number may have a new holder.
    assert (await from_wechat(api, sandbox, user)).answer["accountId"] != by_phone.answer["accountId"]

    assert await pass_face_check(api, session) == {"assurance": "L3"}
    mine = await me(api, session)
    assert (mine["accountId"], mine["wechat"]) == (by_phone.answer["accountId"], True)
    assert (await me(api, by_phone))["assurance"] == "L3"
    again = await from_wechat(api, sandbox, user, deviceToken=session.answer["deviceToken"])
    assert again.answer["accountId"] == by_phone.answer["accountId"]
    told = await texts(sandbox, resident.phone, count=3)
    assert "微信登录" in told[0]["text"]


async def test_a_face_joins_a_wechat_user_to_the_persons_account_and_both_ways_stay_open(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str, database: Database
) -> None:
    resident, by_phone = await at_level_three(api, sandbox)
    session = await from_wechat(api, sandbox, user)
    assert await give_real_name(api, session, resident) == {"assurance": "L1", "next": "face-check"}
    assert await pass_face_check(api, session) == {"assurance": "L3"}
    mine = await me(api, session)
    assert mine["accountId"] == by_phone.answer["accountId"]
    assert str(mine["phone"]).endswith(resident.phone[7:])
    assert (await me(api, by_phone))["assurance"] == "L3", "the first session goes on"
    refreshed = await api.post(
        "/auth/sessions/refresh", json={"refreshToken": session.answer["refreshToken"]}
    )
    assert refreshed.json()["accountId"] == by_phone.answer["accountId"]
    async with database.reading() as look:
        held = await look.scalars(
            select(Account).where(Account.wechat_index == wechat.index_of(openid_of(user)))
        )
    assert [str(account.id) for account in held] == [by_phone.answer["accountId"]]


async def test_a_person_known_from_wechat_signs_in_by_phone_and_keeps_both(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str, database: Database
) -> None:
    resident = await Resident().register(sandbox)
    first = await from_wechat(api, sandbox, user)
    await give_real_name(api, first, resident)
    await pass_face_check(api, first)
    by_phone = await sign_in(api, sandbox, resident.phone)
    assert await give_real_name(api, by_phone, resident) == {"assurance": "L1", "next": "face-check"}
    await pass_face_check(api, by_phone)
    assert await person_of(database, first.answer["accountId"]) is None
    again = await from_wechat(api, sandbox, user)
    assert again.answer["accountId"] == by_phone.answer["accountId"]


async def test_a_device_passed_on_takes_its_wechat_user_out_of_the_old_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str, database: Database
) -> None:
    old_holder, by_phone = await at_level_three(api, sandbox)
    old_person = await person_of(database, by_phone.answer["accountId"])
    linked = await api.post(
        "/me/wechat", json={"code": await login_code(sandbox, user)}, headers=by_phone.headers
    )
    assert linked.json()["wechat"] is True

    new_holder = await Resident("李大山").register(sandbox)
    session = await from_wechat(api, sandbox, user)
    assert session.answer["accountId"] == by_phone.answer["accountId"]
    assert await give_real_name(api, session, new_holder) == {"assurance": "L1", "next": "face-check"}
    assert await pass_face_check(api, session) == {"assurance": "L3"}
    mine = await me(api, session)
    assert mine["accountId"] != by_phone.answer["accountId"]
    assert mine["person"] == {"name": "李*山", "idNumber": mine["person"]["idNumber"]}  # type: ignore[index]
    theirs = await me(api, by_phone)
    assert (theirs["wechat"], theirs["assurance"]) == (False, "L3")
    assert str(theirs["phone"]).endswith(old_holder.phone[7:])
    assert await person_of(database, by_phone.answer["accountId"]) == old_person


async def test_linking_to_a_bound_account_needs_its_persons_face(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    resident, _ = await at_level_three(api, sandbox)
    stranger = await sign_in(api, sandbox, resident.phone)
    body = {"code": await login_code(sandbox, user)}
    for call in (
        api.post("/me/wechat", json=body, headers=stranger.headers),
        api.delete("/me/wechat", headers=stranger.headers),
        add_phone(api, sandbox, stranger, Resident().phone),
    ):
        answer = await call
        assert (answer.status_code, slug(answer)) == (403, "step-up-needed")


async def test_another_persons_wechat_user_is_not_taken(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    resident = await Resident().register(sandbox)
    theirs = await from_wechat(api, sandbox, user)
    await give_real_name(api, theirs, resident)
    _, mine = await at_level_three(api, sandbox)
    answer = await api.post(
        "/me/wechat", json={"code": await login_code(sandbox, user)}, headers=mine.headers
    )
    assert (answer.status_code, slug(answer)) == (409, "wechat-of-another")


async def test_removing_wechat_ends_its_sessions_and_never_the_last_way_in(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, user: str
) -> None:
    resident = await Resident().register(sandbox)
    only = await from_wechat(api, sandbox, user)
    await give_real_name(api, only, resident)
    await pass_face_check(api, only)
    answer = await api.delete("/me/wechat", headers=only.headers)
    assert (answer.status_code, slug(answer)) == (409, "last-way-in")

    assert (await add_phone(api, sandbox, only, resident.phone)).json() == {"assurance": "L3"}
    second = await from_wechat(api, sandbox, user)
    for _ in range(2):
        assert (await api.delete("/me/wechat", headers=only.headers)).status_code == 204
    assert (await me(api, only))["wechat"] is False
    assert (await api.get("/me", headers=second.headers)).status_code == 401
    assert (await from_wechat(api, sandbox, user)).answer["accountId"] != only.answer["accountId"]


async def test_a_new_phone_replaces_the_old_one_which_is_told(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident, session = await step_by_step(api, sandbox)
    other, theirs = await step_by_step(api, sandbox)
    assert (await add_phone(api, sandbox, session, other.phone)).json() == {"assurance": "L3"}
    assert str((await me(api, session))["phone"]).endswith(other.phone[7:])
    assert "另一个手机号码" in (await texts(sandbox, resident.phone, count=2))[0]["text"]
    kept = await me(api, theirs)
    assert ("phone" in kept, kept["assurance"]) == (False, "L3")
