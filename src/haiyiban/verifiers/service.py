"""Accrediting verifiers, signing their systems in, suspending them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.errors import Conflict, NotAllowed, NotFound, Problem, Words
from haiyiban.identity import revocations
from haiyiban.identity.callers import TerminalCaller, VerifierCaller
from haiyiban.ids import new_id
from haiyiban.verifiers.models import Terminal, TerminalKey, Verifier, VerifierClient
from haiyiban.verifiers.purposes import purpose


class InvalidClient(Problem):
    """No living client has this id and secret."""

    status = 401
    type = "verifiers/invalid-client"
    title = Words("核验方的客户端编号或密钥不对", "The verifier's client id or secret is wrong")


class VerifierSuspended(NotAllowed):
    """The verifier may not verify for now."""

    type = "verifiers/suspended"
    title = Words(
        "该核验方已被暂停，请联系平台管理员",
        "This verifier is suspended; please contact the platform's operator",
    )


class TerminalSuspended(VerifierSuspended):
    """The terminal may not verify for now, though its verifier may."""

    type = "verifiers/terminal-suspended"
    title = Words(
        "该终端已被暂停，请联系平台管理员",
        "This terminal is suspended; please contact the platform's operator",
    )


class VerifierMissing(NotFound):
    """No such verifier."""

    type = "verifiers/not-found"
    title = Words("没有找到这个核验方", "There is no such verifier")


class NotInThatState(Conflict):
    """The verifier is suspended already, or not suspended."""

    type = "verifiers/not-in-that-state"
    title = Words("核验方的状态已经变了，请刷新后再看", "The verifier's status has changed; please reload")


class ClientSecret(NamedTuple):
    """What a verifier's system signs in with; the secret is shown once and kept as a hash."""

    client_id: str
    client_secret: str


async def accredit(
    session: AsyncSession, name: Words, *, unit: str, purposes: Sequence[str], now: datetime
) -> Verifier:
    """Accredit a verifier for some purposes. Raises UnknownPurpose."""
    verifier = Verifier(
        id=new_id(),
        name_zh=name.zh,
        name_en=name.en,
        unit=unit,
        purposes=sorted(purpose(each).purpose for each in purposes),
        status="active",
        created_at=now,
    )
    session.add(verifier)
    await session.flush()
    await audit.record(session, "verifiers.accredit", object_kind="verifier", object_id=verifier.id)
    return verifier


def new_secret() -> ClientSecret:
    """A fresh client id and 256-bit secret."""
    return ClientSecret(f"v-{secrets.token_hex(8)}", secrets.token_urlsafe(32))


async def add_client(
    session: AsyncSession,
    verifier: Verifier,
    secret: ClientSecret,
    *,
    now: datetime,
    key_id: UUID | None = None,
) -> None:
    """Let a system of the verifier sign in with this secret, beside those it has; `key_id` of a terminal."""
    session.add(
        VerifierClient(
            client_id=secret.client_id,
            verifier_id=verifier.id,
            secret_hash=_hash(secret.client_secret),
            key_id=key_id,
            created_at=now,
        )
    )
    await session.flush()
    await audit.record(session, "verifiers.add-client", object_kind="verifier", object_id=verifier.id)


async def authenticate(
    session: AsyncSession, client_id: str, client_secret: str, *, now: datetime
) -> VerifierCaller:
    """The verifier, and where it is one the terminal, behind a client's secret.

    Raises InvalidClient, VerifierSuspended, TerminalSuspended.
    """
    if not client_id.isprintable():
        # PostgreSQL keeps no NUL and would fail on the question.
        raise InvalidClient
    client = await session.get(VerifierClient, client_id)
    lives = client is not None and (client.retired_at is None or client.retired_at > now)
    known = client.secret_hash if client is not None and lives else bytes(32)
    if not hmac.compare_digest(known, _hash(client_secret)) or client is None:
        raise InvalidClient
    verifier = await session.get_one(Verifier, client.verifier_id)
    if verifier.status != "active":
        raise VerifierSuspended
    terminal = None if client.key_id is None else await _terminal_of(session, client.key_id, now=now)
    await audit.record(
        session,
        "verifiers.sign-in",
        object_kind="verifier" if terminal is None else "terminal",
        object_id=verifier.id if terminal is None else terminal.id,
    )
    return VerifierCaller(
        verifier_id=verifier.id,
        client_id=client_id,
        name=verifier.name_zh,
        purposes=frozenset(verifier.purposes),
        terminal=terminal,
    )


async def all_verifiers(session: AsyncSession) -> Sequence[Verifier]:
    """Every verifier, in the order of accreditation."""
    return (await session.scalars(select(Verifier).order_by(Verifier.id))).all()


async def suspend(session: AsyncSession, verifier_id: UUID, *, reason: str, now: datetime) -> Verifier:
    """Refuse a verifier everywhere within two seconds, and its tokens from here on.

    Raises VerifierMissing, NotInThatState.
    """
    verifier = await _locked(session, verifier_id)
    if verifier.status != "active":
        raise NotInThatState(members={"state": verifier.status})
    verifier.status = "suspended"
    verifier.suspended_at = now
    verifier.suspension_reason = reason
    await revocations.revoke(session, verifier.id)
    await audit.record(session, "verifiers.suspend", object_kind="verifier", object_id=verifier.id)
    return verifier


async def reinstate(session: AsyncSession, verifier_id: UUID) -> Verifier:
    """Let a suspended verifier verify again. Raises VerifierMissing, NotInThatState."""
    verifier = await _locked(session, verifier_id)
    if verifier.status != "suspended":
        raise NotInThatState(members={"state": verifier.status})
    verifier.status = "active"
    verifier.suspended_at = None
    verifier.suspension_reason = None
    await revocations.restore(session, verifier.id)
    await audit.record(session, "verifiers.reinstate", object_kind="verifier", object_id=verifier.id)
    return verifier


async def _terminal_of(session: AsyncSession, key_id: UUID, *, now: datetime) -> TerminalCaller:
    key = await session.get_one(TerminalKey, key_id)
    terminal = await session.get_one(Terminal, key.terminal_id)
    if terminal.status == "suspended":
        raise TerminalSuspended
    if terminal.status != "active" or key.retired_at is not None:
        raise InvalidClient
    terminal.last_seen_at = now
    return TerminalCaller(id=terminal.id, key_id=key.id, name=terminal.name, place=terminal.place)


async def _locked(session: AsyncSession, verifier_id: UUID) -> Verifier:
    verifier: Verifier | None = await session.scalar(
        select(Verifier).where(Verifier.id == verifier_id).with_for_update()
    )
    if verifier is None:
        raise VerifierMissing
    return verifier


def _hash(client_secret: str) -> bytes:
    return hashlib.sha256(client_secret.encode()).digest()
