"""Verifiers, an operator, and terminals that enrol themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from haiyiban.db import Database
from tests import terminal as terminals
from tests.terminal import Terminal

Headers = dict[str, str]


@pytest.fixture
async def operator(api: httpx.AsyncClient, database: Database) -> Headers:
    """An operator, signed in."""
    return await terminals.operator_of(api, database)


@pytest.fixture
def accredited_for(database: Database) -> Callable[..., Awaitable[UUID]]:
    """Accredits a verifier for some purposes."""

    async def made(*purposes: str) -> UUID:
        return await terminals.accredited_for(database, *purposes)

    return made


@pytest.fixture
def register(
    api: httpx.AsyncClient, operator: Headers, accredited_for: Callable[..., Awaitable[UUID]]
) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Registers a terminal of a new verifier, or of `verifier_id`."""

    async def registered(verifier_id: UUID | None = None, **more: Any) -> dict[str, Any]:
        owner = verifier_id or await accredited_for("gate", "enrolment")
        body = {"verifierId": str(owner), "name": "东门一号", "place": "滨海小学东门"} | more
        answer = await api.post("/desk/terminals", json=body, headers=operator)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return registered


@pytest.fixture
def enrolled(
    api: httpx.AsyncClient, register: Callable[..., Awaitable[dict[str, Any]]]
) -> Callable[..., Awaitable[Terminal]]:
    """Registers and enrols a terminal."""

    async def made(verifier_id: UUID | None = None) -> Terminal:
        terminal = Terminal(api)
        await terminal.enrol((await register(verifier_id))["oneTimeCode"])
        return terminal

    return made
