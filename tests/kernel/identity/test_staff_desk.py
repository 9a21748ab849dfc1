"""Accounts of staff: rights given by two operators, taken by one; nobody raises themselves."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import update

from haiyiban.db import Database
from haiyiban.identity import staff
from haiyiban.identity.models import Staff
from tests import builders
from tests.builders import slug

AT = "/desk/staff"
OWN = "salt lantern quiet harbour"
Headers = dict[str, str]


@pytest.fixture
async def one(api: httpx.AsyncClient) -> Headers:
    return await builders.staff(api, role="operator", agency="education", division="460100")


@pytest.fixture
async def other(api: httpx.AsyncClient) -> Headers:
    return await builders.staff(api, role="operator", agency="education", division="460100")


def wanted(**changes: Any) -> dict[str, Any]:
    return {"roles": ["clerk"], "agency": "education", "division": "460105"} | changes


async def hired(api: httpx.AsyncClient, by: Headers, **changes: Any) -> dict[str, Any]:
    name = f"new-{secrets.token_hex(5)}"
    answer = await api.post(AT, json=wanted(**changes) | {"username": name}, headers=by)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def signed_in(api: httpx.AsyncClient, made: dict[str, Any], **members: str) -> httpx.Response:
    """With what was handed over, choosing a password of their own unless told otherwise."""
    otp = pyotp.parse_uri(made["otpUri"]).now()  # type: ignore[attr-defined]
    body = {
        "method": "staff",
        "username": made["staff"]["username"],
        "password": made["password"],
        "otp": otp,
    }
    return await api.post("/auth/sessions", json=body | (members or {"newPassword": OWN}))


async def wait_for_the_next(database: Database, made: dict[str, Any]) -> None:
    """As if half a minute had passed since their last one-time password."""
    async with database.transaction() as session:
        await session.execute(
            update(Staff).where(Staff.username == made["staff"]["username"]).values(otp_last_step=None)
        )


async def rights(api: httpx.AsyncClient, by: Headers, who: str, **changes: Any) -> httpx.Response:
    return await api.post(f"{AT}/{who}/rights", json=wanted(**changes), headers=by)


async def me(api: httpx.AsyncClient, by: Headers) -> dict[str, Any]:
    page = (await api.get(AT, params={"limit": 100}, headers=by)).json()
    [found] = [each for each in page["items"] if each["isMe"]]
    return dict(found)


async def test_an_account_may_do_nothing_until_a_second_operator_gives_its_rights(
    api: httpx.AsyncClient, one: Headers, other: Headers
) -> None:
    made = await hired(api, one)
    who = made["staff"]["id"]
    assert (made["staff"]["state"], made["staff"]["roles"]) == ("waiting", [])
    session = (await signed_in(api, made)).json()
    powerless = {"Authorization": f"Bearer {session['accessToken']}"}
    assert (await api.get("/desk/cases", headers=powerless)).status_code == 403
    again = await rights(api, one, who)
    assert again.status_code == 202, "the first person is not the second"
    differs = await rights(api, other, who, roles=["officer"])
    assert (differs.status_code, slug(differs)) == (409, "change-differs")
    given = await rights(api, other, who)
    assert (given.status_code, given.json()["roles"], given.json()["state"]) == (200, ["clerk"], "active")


async def test_less_is_taken_away_at_once_and_more_waits(
    api: httpx.AsyncClient, one: Headers, other: Headers, database: Database
) -> None:
    async with database.transaction() as session:
        member = await staff.create(
            session,
            f"m-{secrets.token_hex(5)}",
            password="x",
            roles=["clerk", "officer"],
            agency="education",
            division="460105",
        )
    less = await rights(api, one, str(member.id))
    assert (less.status_code, less.json()["roles"]) == (200, ["clerk"])
    wider = await rights(api, one, str(member.id), division="460100")
    assert (wider.status_code, wider.json()["division"]) == (202, "460105")
    back = await api.post(f"{AT}/{member.id}/rights/withdrawal", json={}, headers=other)
    assert back.json()["change"] is None


async def test_nobody_changes_themselves(api: httpx.AsyncClient, one: Headers) -> None:
    mine = (await me(api, one))["id"]
    bodies: dict[str, dict[str, Any]] = {
        "rights": wanted(roles=["operator", "officer"]),
        "rights/withdrawal": {},
        "suspension": {"reason": "?"},
        "reinstatement": {},
        "second-factor": {},
        "password": {},
    }
    for path, body in bodies.items():
        answer = await api.post(f"{AT}/{mine}/{path}", json=body, headers=one)
        assert (answer.status_code, slug(answer)) == (403, "own-account"), path


async def test_nobody_gives_more_ground_than_they_have_and_none_outside_is_seen(
    api: httpx.AsyncClient, one: Headers
) -> None:
    wide = await api.post(
        AT, json=wanted(division="460000") | {"username": f"w-{secrets.token_hex(5)}"}, headers=one
    )
    assert wide.status_code == 403
    far = await builders.staff(api, role="operator", agency="education", division="460200")
    there = (await me(api, far))["id"]
    assert slug(await rights(api, one, there)) == "staff-not-found"
    assert there not in (await api.get(AT, params={"limit": 100}, headers=one)).text


async def test_what_is_none_is_named_and_a_taken_name_too(api: httpx.AsyncClient, one: Headers) -> None:
    name = f"n-{secrets.token_hex(5)}"
    wrong = await api.post(
        AT, json=wanted(roles=["king"], division="999999") | {"username": name}, headers=one
    )
    assert (wrong.status_code, slug(wrong)) == (422, "invalid-staff")
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/roles/0", "/division"]
    made = await hired(api, one)
    taken = await api.post(AT, json=wanted() | {"username": made["staff"]["username"]}, headers=one)
    assert (taken.status_code, slug(taken)) == (409, "username-taken")


async def test_a_suspended_account_is_out_at_once_and_let_in_again(
    api: httpx.AsyncClient, one: Headers, other: Headers
) -> None:
    made = await hired(api, one)
    who = made["staff"]["id"]
    await rights(api, other, who)
    out = await api.post(f"{AT}/{who}/suspension", json={"reason": "离职"}, headers=one)
    assert out.json()["state"] == "suspended"
    assert slug(await signed_in(api, made)) == "wrong-credentials"
    back = await api.post(f"{AT}/{who}/reinstatement", json={}, headers=one)
    assert back.json()["state"] == "active"
    assert (await signed_in(api, made)).status_code == 201


async def test_a_renewed_second_factor_ends_the_old_one(
    api: httpx.AsyncClient, one: Headers, other: Headers
) -> None:
    made = await hired(api, one)
    renewed = await api.post(f"{AT}/{made['staff']['id']}/second-factor", json={}, headers=other)
    assert (renewed.status_code, renewed.json()["password"]) == (200, None)
    assert slug(await signed_in(api, made)) == "wrong-credentials"
    assert (await signed_in(api, made | {"otpUri": renewed.json()["otpUri"]})).status_code == 201


async def test_a_first_password_is_good_for_choosing_ones_own_alone(
    api: httpx.AsyncClient, one: Headers, database: Database
) -> None:
    made = await hired(api, one)
    refused = await signed_in(api, made, otp=pyotp.parse_uri(made["otpUri"]).now())  # type: ignore[attr-defined]
    assert (refused.status_code, slug(refused)) == (401, "new-password-required")
    # The one-time password is not used up by it.
    assert (await signed_in(api, made)).status_code == 201
    await wait_for_the_next(database, made)
    assert slug(await signed_in(api, made)) == "wrong-credentials", "the first one is over"
    assert (
        await signed_in(api, made | {"password": OWN}, newPassword="other boat yellow rain")
    ).status_code == 201


@pytest.mark.parametrize(
    "weak", ["short", "password1234", "haiyiban2026", "qwertyuiop", "the username", "the first password"]
)
async def test_a_password_that_is_easily_guessed_is_refused_and_the_first_stays(
    api: httpx.AsyncClient, one: Headers, weak: str
) -> None:
    made = await hired(api, one)
    chosen = {"the username": made["staff"]["username"], "the first password": made["password"]}.get(
        weak, weak
    )
    refused = await signed_in(api, made, newPassword=chosen)
    assert (refused.status_code, slug(refused)) == (422, "weak-password")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/newPassword"]
    assert (await signed_in(api, made)).status_code == 201


async def test_who_does_not_know_the_password_learns_nothing_of_a_new_one(
    api: httpx.AsyncClient, one: Headers
) -> None:
    made = await hired(api, one)
    guess = await signed_in(api, made | {"password": "wrong"}, newPassword="short")
    assert slug(guess) == "wrong-credentials"


async def test_a_chosen_password_ends_every_other_session(
    api: httpx.AsyncClient, one: Headers, database: Database
) -> None:
    made = await hired(api, one)
    first = (await signed_in(api, made)).json()
    await wait_for_the_next(database, made)
    assert (await signed_in(api, made | {"password": OWN})).status_code == 422, "the same as before is none"
    second = await signed_in(api, made | {"password": OWN}, newPassword="other boat yellow rain")
    assert second.status_code == 201
    ended = await api.post("/auth/sessions/refresh", json={"refreshToken": first["refreshToken"]})
    assert ended.status_code == 401
    going_on = {"refreshToken": second.json()["refreshToken"]}
    assert (await api.post("/auth/sessions/refresh", json=going_on)).status_code == 200


async def test_a_lost_password_is_renewed_by_an_operator_who_was_not_told_the_second_factor(
    api: httpx.AsyncClient, one: Headers, other: Headers, database: Database
) -> None:
    made = await hired(api, one)
    assert (await signed_in(api, made)).status_code == 201
    who = made["staff"]["id"]
    alone = await api.post(f"{AT}/{who}/password", json={}, headers=one)
    assert (alone.status_code, slug(alone)) == (403, "told-the-other")
    renewed = await api.post(f"{AT}/{who}/password", json={}, headers=other)
    assert (renewed.status_code, renewed.json()["otpUri"]) == (200, None)
    reverse = await api.post(f"{AT}/{who}/second-factor", json={}, headers=other)
    assert (reverse.status_code, slug(reverse)) == (403, "told-the-other")
    await wait_for_the_next(database, made)
    assert slug(await signed_in(api, made | {"password": OWN})) == "wrong-credentials"
    again = made | {"password": renewed.json()["password"]}
    assert slug(await signed_in(api, again, transport="body")) == "new-password-required"
    assert (await signed_in(api, again, newPassword="other boat yellow rain")).status_code == 201
