"""One caller of each kind, for tests that ask every operation."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from haiyiban import clock, verifiers
from haiyiban.db import Database
from haiyiban.errors import Words
from haiyiban.identity import staff
from tests.people import at_level_three

Headers = dict[str, str]


@pytest.fixture(scope="module")
async def tokens(app: Any, worker: None, sandbox_url: str, database: Database) -> dict[str | None, Headers]:
    """One caller of each kind."""
    transport = httpx.ASGITransport(app=app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", timeout=30) as api,
        httpx.AsyncClient(base_url=sandbox_url, verify=False) as sandbox,
    ):
        _, session = await at_level_three(api, sandbox)
        name, password = f"any-{secrets.token_hex(4)}", "a long enough passphrase"
        secret = verifiers.new_secret()
        async with database.transaction() as work:
            await staff.create(
                work,
                name,
                password=password,
                roles=["clerk", "officer", "operator", "village-agent"],
                agency="education",
                division="460105",
            )
            verifier = await verifiers.accredit(
                work,
                Words(f"核验方 {name}", "A verifier"),
                unit="education",
                purposes=("enrolment",),
                now=clock.now(),
            )
            await verifiers.add_client(work, verifier, secret, now=clock.now())
        member = await api.post(
            "/auth/sessions", json={"method": "staff", "username": name, "password": password}
        )
        client = await api.post(
            "/auth/verifiers/token", json={"clientId": secret.client_id, "clientSecret": secret.client_secret}
        )
    return {
        None: {},
        "resident": session.headers,
        "staff": {"Authorization": f"Bearer {member.json()['accessToken']}"},
        "verifier": {"Authorization": f"Bearer {client.json()['accessToken']}"},
    }


def ends_a_session(name: str) -> bool:
    """Signing out, or closing the account, would leave the cases after it without a caller."""
    return name in {"DELETE /api/v1/auth/sessions/current", "POST /api/v1/me/deletion"}
