"""Verifiers sign in, are suspended and reinstated; purposes are public."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from jwt.algorithms import ECAlgorithm
from sqlalchemy import func, select

from haiyiban import clock, verifiers
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import staff
from haiyiban.settings import Settings
from haiyiban.verifiers.models import Verifier, VerifierClient
from haiyiban.verifiers.purposes import BrokenPurpose, published
from haiyiban.verifiers.seed import seed
from haiyiban.verifiers.terminal_keys import sign

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def accredited(database: Database, api: httpx.AsyncClient) -> tuple[UUID, verifiers.ClientSecret]:
    """A verifier and its client."""
    secret = verifiers.new_secret()
    async with database.transaction() as session:
        verifier = await verifiers.accredit(
            session,
            Words(f"核验方 {uuid4().hex[:8]}", "A verifier"),
            unit="education",
            purposes=["gate"],
            now=clock.now(),
        )
        await verifiers.add_client(session, verifier, secret, now=clock.now())
    return verifier.id, secret


@pytest.fixture
async def operator(api: httpx.AsyncClient, database: Database) -> dict[str, str]:
    """An operator, signed in."""
    name = f"operator-{uuid4().hex[:8]}"
    async with database.transaction() as session:
        await staff.create(
            session,
            username=name,
            password="a long password",
            roles=["operator"],
            agency="platform",
            division="460000",
        )
    answer = await api.post(
        "/auth/sessions", json={"method": "staff", "username": name, "password": "a long password"}
    )
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


async def sign_in(api: httpx.AsyncClient, secret: verifiers.ClientSecret) -> httpx.Response:
    return await api.post(
        "/auth/verifiers/token", json={"clientId": secret.client_id, "clientSecret": secret.client_secret}
    )


async def probe(api: httpx.AsyncClient, token: str) -> httpx.Response:
    return await api.post(
        "/verifications",
        json={"text": "x", "purpose": "gate"},
        headers={"Authorization": f"Bearer {token}"},
    )


async def test_json_gets_our_names(api, accredited) -> None:
    answer = await sign_in(api, accredited[1])
    assert answer.status_code == 200
    assert set(answer.json()) == {"accessToken", "expiresInSeconds", "purposes"}
    assert answer.json()["purposes"] == ["gate"]
    assert answer.json()["expiresInSeconds"] <= 300
    assert answer.headers["cache-control"] == "no-store"
    assert (await probe(api, answer.json()["accessToken"])).json()["outcome"] == "malformed"


async def test_a_form_gets_the_names_of_rfc_6749(api, accredited) -> None:
    _, secret = accredited
    body = {
        "grant_type": "client_credentials",
        "client_id": secret.client_id,
        "client_secret": secret.client_secret,
    }
    answer = await api.post("/auth/verifiers/token", data=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert answer.json()["token_type"] == "Bearer"
    assert (await probe(api, answer.json()["access_token"])).status_code == 200


async def test_basic_is_read_too(api, accredited) -> None:
    answer = await api.post(
        "/auth/verifiers/token", data={"grant_type": "client_credentials"}, auth=tuple(accredited[1])
    )
    assert answer.status_code == 200, answer.text
    assert "access_token" in answer.json()


async def test_a_wrong_secret_is_refused_in_the_askers_words(api, accredited) -> None:
    client_id = accredited[1].client_id
    for wrong in (verifiers.ClientSecret(client_id, "wrong"), verifiers.new_secret()):
        answer = await sign_in(api, wrong)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/verifiers/invalid-client")
        form = {"grant_type": "client_credentials", "client_id": wrong[0], "client_secret": wrong[1]}
        answer = await api.post("/auth/verifiers/token", data=form)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=x", "invalid_request"),
        ("grant_type=client_credentials&client_id=%FF", "invalid_client"),
        ("grant_type=client_credentials", "invalid_client"),
        ("\xff", "invalid_request"),
    ],
)
async def test_malformed_forms(api, form: str, error: str) -> None:
    answer = await api.post("/auth/verifiers/token", content=form.encode("latin-1"), headers=FORM)
    assert answer.json() == {"error": error}
    assert answer.status_code == (401 if error == "invalid_client" else 400)


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic " + base64.b64encode(b"ab").decode()])
async def test_malformed_basic(api, header: str) -> None:
    answer = await api.post(
        "/auth/verifiers/token",
        content="grant_type=client_credentials",
        headers=FORM | {"Authorization": header},
    )
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize("body", [{}, {"clientId": 1, "clientSecret": "x"}, {"clientId": "x"}, []])
async def test_malformed_json(api, body: Any) -> None:
    assert (await api.post("/auth/verifiers/token", json=body)).status_code == 400


async def test_a_retired_secret_no_longer_signs_in_while_its_successor_does(
    api, accredited, database
) -> None:
    verifier_id, old = accredited
    new = verifiers.new_secret()
    async with database.transaction() as session:
        verifier = await session.get_one(Verifier, verifier_id)
        await verifiers.add_client(session, verifier, new, now=clock.now())
    assert (await sign_in(api, old)).status_code == (await sign_in(api, new)).status_code == 200
    async with database.transaction() as session:
        (await session.get_one(VerifierClient, old.client_id)).retired_at = clock.now()
    assert (await sign_in(api, old)).status_code == 401
    assert (await sign_in(api, new)).status_code == 200


async def test_a_suspended_verifier_is_refused_at_once_and_comes_back(api, accredited, operator) -> None:
    verifier_id, secret = accredited
    token = (await sign_in(api, secret)).json()["accessToken"]
    path = f"/desk/verifiers/{verifier_id}"
    suspended = await api.post(f"{path}/suspension", json={"reason": "超范围核验"}, headers=operator)
    assert (suspended.status_code, suspended.json()["status"]) == (200, "suspended")
    assert (await probe(api, token)).status_code == 401
    refused = await sign_in(api, secret)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/verifiers/suspended")
    form = {"grant_type": "client_credentials", "client_id": secret[0], "client_secret": secret[1]}
    assert (await api.post("/auth/verifiers/token", data=form)).json() == {"error": "unauthorized_client"}
    twice = await api.post(f"{path}/suspension", json={"reason": "again"}, headers=operator)
    assert (twice.status_code, twice.json()["state"]) == (409, "suspended")

    back = await api.post(f"{path}/reinstatement", headers=operator)
    assert (back.status_code, back.json()["status"]) == (200, "active")
    token = (await sign_in(api, secret)).json()["accessToken"]
    for _ in range(40):
        if (await probe(api, token)).status_code == 200:
            break
        await asyncio.sleep(0.05)
    assert (await probe(api, token)).status_code == 200
    assert (await api.post(f"{path}/reinstatement", headers=operator)).status_code == 409


async def test_who_may_suspend(api, accredited, operator) -> None:
    verifier_id, secret = accredited
    path = f"/desk/verifiers/{verifier_id}/suspension"
    assert (await api.post(path, json={"reason": "x"})).status_code == 401
    own = {"Authorization": f"Bearer {(await sign_in(api, secret)).json()['accessToken']}"}
    assert (await api.post(path, json={"reason": "x"}, headers=own)).status_code == 403
    assert (await api.post(path, json={}, headers=operator)).status_code == 400
    missing = await api.post(f"/desk/verifiers/{uuid4()}/suspension", json={"reason": "x"}, headers=operator)
    assert missing.status_code == 404
    listed = (await api.get("/desk/verifiers", headers=operator)).json()["items"]
    assert str(verifier_id) in {item["id"] for item in listed}


async def test_a_suspension_is_in_the_audit(api, accredited, operator, database) -> None:
    verifier_id, _ = accredited
    await api.post(f"/desk/verifiers/{verifier_id}/suspension", json={"reason": "x"}, headers=operator)
    async with database.reading() as session:
        actions = await session.scalars(
            select(AuditRecord.action).where(AuditRecord.object_id == verifier_id)
        )
    assert set(actions) == {"verifiers.accredit", "verifiers.add-client", "verifiers.suspend"}


async def test_purposes_are_public(api) -> None:
    answer = await api.get("/verification-purposes")
    assert answer.headers["cache-control"].startswith("public")
    found = {item["purpose"]: item for item in answer.json()["items"]}
    assert {"enrolment", "shop", "gate"} <= set(found)
    assert found["enrolment"]["title"] == "新生报到核验"
    assert found["enrolment"]["kinds"] == ["certificate"]
    assert found["shop"]["certificates"] == []
    english = await api.get("/verification-purposes", headers={"Accept-Language": "en"})
    assert english.json()["items"] != answer.json()["items"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"kinds": ["dog"]}, "unknown kinds"),
        ({"kinds": ["voucher"]}, "names certificates"),
        ({"certificates": {"passport": {"least": [], "most": []}}}, "unknown type"),
        ({"certificates": {"admission-notice": {"least": ["x"], "most": ["x"]}}}, "has no x"),
        ({"certificates": {"admission-notice": {"least": ["school"], "most": []}}}, "not in the most"),
        ({"certificates": {"admission-notice": {"least": ["name"], "most": ["name"]}}}, "needs consent"),
        ({"version": 2}, "is named"),
        ({"presence": "yes"}, "presence"),
    ],
)
def test_a_broken_purpose_is_not_published(tmp_path, change: dict[str, Any], fault: str) -> None:
    good = {
        "purpose": "p",
        "version": 1,
        "title": {"zh": "用途", "en": "Purpose"},
        "kinds": ["certificate"],
        "certificates": {"admission-notice": {"least": ["school"], "most": ["school", "name"]}},
        "presence": False,
    }
    file = tmp_path / "p.v1.json"
    file.write_text(json.dumps(good))
    assert set(published(tmp_path)) == {"p"}
    file.write_text(json.dumps(good | change))
    with pytest.raises(BrokenPurpose, match=fault):
        published(tmp_path)


async def test_the_demos_verifiers_are_planted_once(api, database, settings: Settings) -> None:
    await seed()
    path = settings.home / "demo" / "verifiers.json"
    planted = json.loads(path.read_bytes())
    assert set(planted) == {"verifier", "merchant", "terminal"}
    assert path.stat().st_mode & 0o777 == 0o600
    async with database.reading() as session:
        before = await session.scalar(select(func.count()).select_from(VerifierClient))
    await seed()
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(VerifierClient)) == before
    assert json.loads(path.read_bytes()) == planted
    for account in planted.values():
        assert (await api.post("/auth/verifiers/token", json=account)).status_code == 200
    await _upload_as_the_demos_terminal(api, planted["terminal"], settings)


async def _upload_as_the_demos_terminal(
    api: httpx.AsyncClient, account: dict[str, str], settings: Settings
) -> None:
    """It is a terminal with a key, which lies beside its secret."""
    key_file = settings.home / "demo" / "terminal.jwk"
    assert key_file.stat().st_mode & 0o777 == 0o600
    token = (await api.post("/auth/verifiers/token", json=account)).json()["accessToken"]
    batch = sign(
        {
            "terminalId": jwt.decode(token, options={"verify_signature": False})["ter"],
            "sequence": 1,
            "records": [
                {"id": "1", "text": "?", "verifiedAt": clock.now().isoformat(), "outcome": "malformed"}
            ],
        },
        ECAlgorithm(ECAlgorithm.SHA256).from_jwk(key_file.read_text()),
    )
    answer = await api.post("/verifications/batch", json=batch, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"][0]["agrees"]
