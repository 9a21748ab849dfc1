"""A terminal from its one-time code to its retirement, with what goes wrong on the way."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.verifiers.models import Terminal as Fleet
from haiyiban.verifiers.models import TerminalCode
from haiyiban.verifiers.terminals import SILENT_AFTER, Report, advice
from tests.builders import slug
from tests.terminal import Terminal

NOW = datetime(2027, 9, 1, 8, tzinfo=UTC)


async def probe(api, headers) -> int:
    answer = await api.post("/verifications", json={"text": "x", "purpose": "gate"}, headers=headers)
    return int(answer.status_code)


async def test_a_registered_terminal_enrols_itself_and_verifies(api, register, operator) -> None:
    told = await register()
    expires = datetime.fromisoformat(told["expiresAt"])
    assert timedelta(minutes=59) < expires - clock.now() <= timedelta(minutes=60)
    terminal = Terminal(api)
    answer = await terminal.enrol(told["oneTimeCode"].lower().replace("-", " "))
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert answer.json()["terminalId"] == told["terminalId"]
    assert answer.json()["nextSequence"] == 1
    assert await probe(api, await terminal.headers()) == 200
    (seen,) = [
        item
        for item in (await api.get("/desk/terminals?limit=100", headers=operator)).json()["items"]
        if item["id"] == terminal.id
    ]
    assert (seen["status"], seen["name"], seen["lastSequence"]) == ("active", "东门一号", 0)
    assert seen["lastSeenAt"]


async def test_a_lost_answer_is_asked_for_again_with_the_same_code_and_key(api, register) -> None:
    code = (await register())["oneTimeCode"]
    terminal = Terminal(api)
    await terminal.enrol(code)
    lost = dict(terminal.client)
    again = await terminal.enrol(code)
    assert again.status_code == 201
    assert again.json()["terminalId"] == terminal.id
    assert terminal.client != lost
    assert (await terminal.sign_in()).status_code == 200
    assert (await api.post("/auth/verifiers/token", json=lost)).status_code == 401


async def test_another_key_finds_the_code_used(api, register) -> None:
    code = (await register())["oneTimeCode"]
    terminal, thief = Terminal(api), Terminal(_from_elsewhere(api))
    await terminal.enrol(code)
    refused = await thief.enrol(code)
    assert (refused.status_code, slug(refused)) == (409, "one-time-code-used")
    assert (await terminal.sign_in()).status_code == 200


async def test_two_that_come_at_once_do_not_both_get_in(api, register) -> None:
    code = (await register())["oneTimeCode"]
    here = _from_elsewhere(api)
    answers = await asyncio.gather(*(Terminal(here).enrol(code) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_a_code_that_is_too_old_is_refused(api, register, database) -> None:
    told = await register(validForMinutes=15)
    async with database.transaction() as session:
        code = await session.scalar(
            select(TerminalCode).where(TerminalCode.terminal_id == told["terminalId"])
        )
        code.expires_at = clock.now()
    refused = await Terminal(_from_elsewhere(api)).enrol(told["oneTimeCode"])
    assert (refused.status_code, slug(refused)) == (422, "wrong-one-time-code")


async def test_the_database_does_not_hold_the_code(register, database) -> None:
    told = await register()
    async with database.reading() as session:
        code = await session.scalar(
            select(TerminalCode).where(TerminalCode.terminal_id == told["terminalId"])
        )
    assert told["oneTimeCode"].encode() not in code.code_index
    assert told["oneTimeCode"].replace("-", "").encode() not in code.code_index


async def test_codes_cannot_be_tried_out(api, register) -> None:
    here = _from_elsewhere(api)
    for _ in range(10):
        assert (await Terminal(here).enrol("11111-11111")).status_code == 422
    good = (await register())["oneTimeCode"]
    refused = await Terminal(here).enrol(good)
    assert (refused.status_code, slug(refused)) == (429, "too-many-codes")
    assert int(refused.headers["retry-after"]) > 3000
    assert (await Terminal(_from_elsewhere(api)).enrol(good)).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"crv": "P-384"},
        {"x": "AA"},
        {"x": None},
        {"kty": "RSA"},
        {"y": "A" * 43},
        {"d": "A" * 43},
    ],
)
async def test_a_key_that_is_none_is_refused_before_the_code_is_used(api, register, change) -> None:
    code = (await register())["oneTimeCode"]
    terminal = Terminal(api)
    body = {"oneTimeCode": code, "publicKey": terminal.public_jwk | change}
    refused = await api.post("/terminals/enrolments", json=body)
    assert (refused.status_code, slug(refused)) == (422, "unusable-key")
    assert refused.json()["errors"][0]["pointer"] == "/publicKey"
    assert (await terminal.enrol(code)).status_code == 201


async def test_a_key_is_of_one_terminal_once(api, register, enrolled) -> None:
    terminal = await enrolled()
    refused = await terminal.enrol((await register())["oneTimeCode"])
    assert (refused.status_code, slug(refused)) == (409, "key-in-use")


async def test_enrolling_anew_ends_the_old_key_and_its_secrets(api, operator, enrolled) -> None:
    old = await enrolled()
    token = await old.headers()
    path = f"/desk/terminals/{old.id}/one-time-codes"
    void = (await api.post(path, json={}, headers=operator)).json()["oneTimeCode"]
    code = (await api.post(path, json={"validForMinutes": 15}, headers=operator)).json()["oneTimeCode"]
    assert (await old.sign_in()).status_code == 200
    new = Terminal(_from_elsewhere(api))
    assert slug(await new.enrol(void)) == "wrong-one-time-code"
    assert (await new.enrol(code)).status_code == 201
    assert new.id == old.id
    assert await probe(api, token) == 401
    assert (await old.sign_in()).status_code == 401
    assert await probe(api, await new.headers()) == 200


async def test_a_stolen_terminal_is_refused_at_once_and_comes_back(api, operator, enrolled) -> None:
    stolen, other = await enrolled(), await enrolled()
    token, others = await stolen.headers(), await other.headers()
    path = f"/desk/terminals/{stolen.id}"
    suspended = await api.post(f"{path}/suspension", json={"reason": "被盗"}, headers=operator)
    assert (suspended.status_code, suspended.json()["status"]) == (200, "suspended")
    assert suspended.json()["reason"] == "被盗"
    assert await probe(api, token) == 401
    assert await probe(api, others) == 200
    refused = await stolen.sign_in()
    assert (refused.status_code, slug(refused)) == (403, "terminal-suspended")
    form = {
        "grant_type": "client_credentials",
        "client_id": stolen.client["clientId"],
        "client_secret": stolen.client["clientSecret"],
    }
    assert (await api.post("/auth/verifiers/token", data=form)).json() == {"error": "unauthorized_client"}
    twice = await api.post(f"{path}/suspension", json={"reason": "x"}, headers=operator)
    assert (twice.status_code, twice.json()["state"]) == (409, "suspended")

    back = await api.post(f"{path}/reinstatement", headers=operator)
    assert (back.status_code, back.json()["status"]) == (200, "active")
    for _ in range(40):
        if await probe(api, await stolen.headers()) == 200:
            break
        await asyncio.sleep(0.05)
    assert await probe(api, await stolen.headers()) == 200
    assert (await api.post(f"{path}/reinstatement", headers=operator)).status_code == 409


async def test_a_suspended_terminal_may_enrol_and_stays_suspended(api, operator, enrolled) -> None:
    stolen = await enrolled()
    path = f"/desk/terminals/{stolen.id}"
    await api.post(f"{path}/suspension", json={"reason": "被盗"}, headers=operator)
    code = (await api.post(f"{path}/one-time-codes", json={}, headers=operator)).json()["oneTimeCode"]
    new = Terminal(api)
    assert (await new.enrol(code)).status_code == 201
    assert (await new.sign_in()).status_code == 403
    assert (await api.post(f"{path}/reinstatement", headers=operator)).json()["status"] == "active"
    assert await probe(api, await new.headers()) == 200
    assert (await stolen.sign_in()).status_code == 401


async def test_a_retired_terminal_is_gone_for_good(api, operator, enrolled) -> None:
    terminal = await enrolled()
    token = await terminal.headers()
    path = f"/desk/terminals/{terminal.id}"
    assert (await api.post(f"{path}/retirement", headers=operator)).json()["status"] == "retired"
    assert await probe(api, token) == 401
    assert (await terminal.sign_in()).status_code == 401
    for verb in ("retirement", "reinstatement", "one-time-codes"):
        refused = await api.post(f"{path}/{verb}", json={}, headers=operator)
        assert (refused.status_code, refused.json()["state"]) == (409, "retired")


async def test_a_suspended_verifier_takes_its_terminals_along(
    api, operator, enrolled, accredited_for
) -> None:
    verifier_id = await accredited_for("gate")
    terminal = await enrolled(verifier_id)
    token = await terminal.headers()
    await api.post(f"/desk/verifiers/{verifier_id}/suspension", json={"reason": "x"}, headers=operator)
    assert await probe(api, token) == 401
    assert slug(await terminal.sign_in()) == "suspended"


async def test_a_terminal_changes_its_secret_and_the_old_one_overlaps(api, enrolled, database) -> None:
    terminal = await enrolled()
    old = dict(terminal.client)
    wish = {"terminalId": terminal.id, "requestedAt": clock.now().isoformat()}
    answer = await api.post(
        "/terminals/me/secret", json=terminal.signed(wish), headers=await terminal.headers()
    )
    assert answer.status_code == 201, answer.text
    new = {"clientId": answer.json()["clientId"], "clientSecret": answer.json()["clientSecret"]}
    until = datetime.fromisoformat(answer.json()["oldSecretsUntil"])
    for client in (old, new):
        assert (await api.post("/auth/verifiers/token", json=client)).status_code == 200
    offset = (until - clock.wall()).total_seconds() + 1
    clock.shift(offset)
    try:
        assert (await api.post("/auth/verifiers/token", json=old)).status_code == 401
        assert (await api.post("/auth/verifiers/token", json=new)).status_code == 200
    finally:
        clock.shift(0)


async def test_a_stolen_secret_cannot_have_itself_replaced(api, enrolled) -> None:
    terminal, other = await enrolled(), await enrolled()
    headers = await terminal.headers()
    wish = {"terminalId": terminal.id, "requestedAt": clock.now().isoformat()}
    stale = wish | {"requestedAt": (clock.now() - timedelta(minutes=6)).isoformat()}
    for signed in (other.signed(wish), terminal.signed(stale), wish | {"signature": ""}):
        refused = await api.post("/terminals/me/secret", json=signed, headers=headers)
        assert (refused.status_code, slug(refused)) == (422, "bad-request-signature")
    not_mine = terminal.signed(wish | {"terminalId": other.id})
    assert (await api.post("/terminals/me/secret", json=not_mine, headers=headers)).status_code == 404


async def test_a_report_is_kept_and_answered_in_words(api, operator, enrolled) -> None:
    terminal = await enrolled()
    body: dict[str, Any] = {
        "listIssuedAt": (clock.now() - timedelta(hours=1)).isoformat(),
        "queueLength": 17,
        "clock": (clock.now() - timedelta(minutes=3)).isoformat(),
    }
    headers = await terminal.headers()
    answer = (await api.post("/terminals/me/heartbeat", json=body, headers=headers)).json()
    assert -182 <= answer["skewSeconds"] <= -180
    assert "慢了 18" in answer["advice"][0]
    assert abs(datetime.fromisoformat(answer["serverTime"]) - clock.now()) < timedelta(seconds=5)
    (seen,) = [
        item
        for item in (await api.get("/desk/terminals?limit=100", headers=operator)).json()["items"]
        if item["id"] == terminal.id
    ]
    assert (seen["queueLength"], seen["skewSeconds"]) == (17, answer["skewSeconds"])
    english = headers | {"Accept-Language": "en"}
    told = (
        await api.post("/terminals/me/heartbeat", json=body | {"listIssuedAt": None}, headers=english)
    ).json()
    assert "slow" in told["advice"][0]
    assert "lists" in told["advice"][1]


def test_a_terminal_that_is_well_gets_no_advice() -> None:
    well = Report(NOW - timedelta(hours=23), 0, NOW)
    assert advice(well, 5, now=NOW) == advice(well, -5, now=NOW) == advice(well, None, now=NOW) == []
    assert "快了 6 秒" in advice(well, 6, now=NOW)[0].zh
    assert len(advice(Report(NOW - timedelta(hours=25), 0, None), None, now=NOW)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"listIssuedAt": None, "queueLength": -1},
        {"listIssuedAt": "2027-09-01T08:00:00", "queueLength": 1},
        {"queueLength": 1},
        {"listIssuedAt": None, "queueLength": 1, "mood": "good"},
        {"listIssuedAt": None, "queueLength": 1, "softwareVersion": ""},
        {"listIssuedAt": None, "queueLength": 1, "softwareVersion": "1" * 41},
    ],
)
async def test_a_malformed_report_is_refused(api, enrolled, body) -> None:
    terminal = await enrolled()
    refused = await api.post("/terminals/me/heartbeat", json=body, headers=await terminal.headers())
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"verifierId": str(uuid4())}, 404),
        ({"purpose": "shop"}, 422),
        ({"purpose": "nonsense"}, 422),
        ({"validForMinutes": 14}, 400),
        ({"validForMinutes": 1441}, 400),
        ({"name": ""}, 400),
    ],
)
async def test_what_cannot_be_registered(api, operator, accredited_for, change, status) -> None:
    body = {"verifierId": str(await accredited_for("gate")), "name": "x", "place": "y"} | change
    assert (await api.post("/desk/terminals", json=body, headers=operator)).status_code == status


async def test_a_verifier_without_purposes_has_no_terminals(api, operator, accredited_for) -> None:
    body = {"verifierId": str(await accredited_for()), "name": "x", "place": "y"}
    refused = await api.post("/desk/terminals", json=body, headers=operator)
    assert (refused.status_code, slug(refused)) == (422, "not-that-verifiers-purpose")


async def test_the_fleet_comes_in_pages_and_by_verifier(api, operator, enrolled, accredited_for) -> None:
    verifier_id = await accredited_for("gate")
    ids = [(await enrolled(verifier_id)).id for _ in range(3)]
    path = f"/desk/terminals?verifier_id={verifier_id}&limit=2"
    first = (await api.get(path, headers=operator)).json()
    rest = (await api.get(f"{path}&cursor={first['next']}", headers=operator)).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


async def test_the_silent_ones_are_told_apart_and_each_says_its_software(
    api, operator, enrolled, accredited_for, database
) -> None:
    verifier_id = await accredited_for("gate")
    quiet, heard, suspended, unheard = [await enrolled(verifier_id) for _ in range(4)]
    for terminal in (quiet, heard, suspended):
        body = {"listIssuedAt": None, "queueLength": 0, "softwareVersion": "3.2.1"}
        answer = await api.post("/terminals/me/heartbeat", json=body, headers=await terminal.headers())
        assert answer.status_code == 200, answer.text
    body = {"listIssuedAt": None, "queueLength": 0}
    await api.post("/terminals/me/heartbeat", json=body, headers=await heard.headers())
    await api.post(f"/desk/terminals/{suspended.id}/suspension", json={"reason": "维修"}, headers=operator)
    long_ago = clock.now() - SILENT_AFTER - timedelta(seconds=1)
    async with database.transaction() as session:
        await session.execute(
            update(Fleet).where(Fleet.id.in_([quiet.id, suspended.id])).values(last_seen_at=long_ago)
        )

    async def listed(query: str) -> dict[str, Any]:
        path = f"/desk/terminals?verifier_id={verifier_id}{query}"
        return dict((await api.get(path, headers=operator)).json())

    silent = await listed("&silent=true")
    assert [one["id"] for one in silent["items"]] == [unheard.id, quiet.id]
    assert silent["silentAfterMinutes"] == 15
    others = {one["id"]: one for one in (await listed("&silent=false"))["items"]}
    assert set(others) == {heard.id, suspended.id}
    assert others[heard.id]["softwareVersion"] == "3.2.1", "a report without it changes nothing"
    assert [one["isSilent"] for one in (await listed(""))["items"]] == [True, False, False, True]
    refused = await api.get("/desk/terminals?silent=perhaps", headers=operator)
    assert refused.status_code == 400


async def test_the_audit_tells_which_terminal_it_was(api, enrolled, database) -> None:
    terminal = await enrolled()
    headers = await terminal.headers()
    answer = await api.post("/verifications", json={"text": "x", "purpose": "gate"}, headers=headers)
    async with database.reading() as session:
        record = await session.scalar(
            select(AuditRecord).where(AuditRecord.request_id == answer.headers["x-request-id"])
        )
        acts = await session.scalars(
            select(AuditRecord.action).where(AuditRecord.object_id == terminal.id).order_by(AuditRecord.id)
        )
    assert record.actor_unit.endswith(" · 东门一号")
    assert list(acts) == [
        "verifiers.register-terminal",
        "verifiers.give-terminal-code",
        "verifiers.enrol-terminal",
        "verifiers.sign-in",
    ]


def _from_elsewhere(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client at an address of its own: tries are counted by address."""
    transport = httpx.ASGITransport(
        app=api._transport.app,  # type: ignore[attr-defined]
        client=(f"fd00::{secrets.token_hex(2)}:{secrets.token_hex(2)}", 1),
    )
    return httpx.AsyncClient(transport=transport, base_url=api.base_url)
