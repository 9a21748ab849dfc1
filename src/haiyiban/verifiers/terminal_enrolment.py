"""A terminal turns its one-time code into a key and a secret of its own, and changes that secret.

The code is good once: for one key. An answer that was lost is asked for again with the same code and the same
key, within the life of the code, and brings a fresh secret; the one before it is void.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.crypto import vault
from haiyiban.errors import Conflict, FieldError, Problem, TooMany, Words
from haiyiban.identity.callers import TerminalCaller
from haiyiban.ids import new_id
from haiyiban.verifiers.models import (
    Terminal,
    TerminalCode,
    TerminalCodeFailure,
    TerminalKey,
    Verifier,
    VerifierClient,
)
from haiyiban.verifiers.service import ClientSecret, add_client, new_secret
from haiyiban.verifiers.terminal_keys import signature_holds, thumbprint, to_sign
from haiyiban.verifiers.terminals import TerminalMissing, code_index, locked, retire_key

TRIES = 10
TRIES_WITHIN = timedelta(hours=1)
OVERLAP = timedelta(hours=24)
"""How long an old secret still signs in beside its successor."""
REQUEST_LIFE = timedelta(minutes=5)


class WrongOneTimeCode(Problem):
    """No terminal waits with this code: mistyped, used up, replaced or too old."""

    type = "verifiers/wrong-one-time-code"
    title = Words("入网码不对或已失效", "The one-time code is wrong or has expired")
    commits = True

    def __init__(self) -> None:
        words = Words(
            "请核对十位入网码；过期或用过的，请平台管理员重新生成",
            "check the ten characters; if it expired or was used, ask the operator for a new one",
        )
        super().__init__(errors=[FieldError("/oneTimeCode", words)])


class OneTimeCodeUsed(Conflict):
    """Another key was enrolled with this code."""

    type = "verifiers/one-time-code-used"
    title = Words(
        "入网码已被另一对密钥使用；如非本单位所为，请立即联系平台管理员暂停该终端",
        "Another key was enrolled with this code; if that was not you, have the terminal suspended at once",
    )
    commits = True


class KeyInUse(Conflict):
    """The key was enrolled before."""

    type = "verifiers/key-in-use"
    title = Words(
        "这把公钥已经登记过，请在终端上重新生成密钥",
        "This key was enrolled before; make a new pair on the terminal",
    )


class TooManyCodes(TooMany):
    """Too many wrong one-time codes came from one network address."""

    type = "verifiers/too-many-codes"
    title = Words(
        "入网码错误次数过多，请一小时后再试",
        "Too many wrong one-time codes; please try again in an hour",
    )


class BadRequestSignature(Problem):
    """What the terminal asks for is not signed by its key, or was signed too long ago."""

    type = "verifiers/bad-request-signature"
    title = Words("终端签名不对，请求未受理", "The terminal's signature does not hold; nothing was done")


class Enrolled(NamedTuple):
    """What a terminal needs to begin its work."""

    terminal_id: UUID
    secret: ClientSecret
    next_sequence: int


async def enrol(
    session: AsyncSession, typed: str, jwk: dict[str, str], *, address: str | None, now: datetime
) -> Enrolled:
    """Enrol the key of a terminal with a one-time code; the key before it is retired.

    Raises TooManyCodes, WrongOneTimeCode, OneTimeCodeUsed, KeyInUse. `jwk` as read by `read_public_key`.
    """
    origin = vault().blind("verifiers.address", address or "")
    await _require_patience(session, origin, now=now)
    code, terminal = await _waiting(session, code_index(typed), now=now)
    if code is None or terminal is None:
        await _count_failure(session, origin, now=now)
        raise WrongOneTimeCode
    if code.key_id is None:
        key_id = await enrol_key(session, terminal, jwk, now=now)
        code.key_id = key_id
        if terminal.status == "registered":
            terminal.status = "active"
        action = "verifiers.enrol-terminal"
    else:
        key = await session.get_one(TerminalKey, code.key_id)
        if key.thumbprint != thumbprint(jwk) or key.retired_at is not None:
            await _count_failure(session, origin, now=now)
            raise OneTimeCodeUsed
        key_id = key.id
        await _retire_secrets(session, key_id, at=now)
        action = "verifiers.enrol-terminal-again"
    secret = await _add_secret(session, terminal, key_id, now=now)
    await audit.record(session, action, object_kind="terminal", object_id=terminal.id)
    return Enrolled(terminal.id, secret, terminal.next_sequence)


async def enrol_key(session: AsyncSession, terminal: Terminal, jwk: dict[str, str], *, now: datetime) -> UUID:
    """Make this the key of a terminal; the one before it is retired with its secrets. Raises KeyInUse."""
    known = select(TerminalKey.id).where(TerminalKey.thumbprint == thumbprint(jwk))
    if await session.scalar(known) is not None:
        raise KeyInUse
    await retire_key(session, terminal.id, now=now)
    made = upsert(TerminalKey).values(
        id=new_id(), terminal_id=terminal.id, jwk=jwk, thumbprint=thumbprint(jwk), enrolled_at=now
    )
    key_id: UUID | None = await session.scalar(
        made.on_conflict_do_nothing(index_elements=["thumbprint"]).returning(TerminalKey.id)
    )
    if key_id is None:
        raise KeyInUse
    return key_id


async def change_secret(
    session: AsyncSession, caller: TerminalCaller, request: Mapping[str, Any], *, at: datetime, now: datetime
) -> ClientSecret:
    """A new secret for a terminal that signs for it; the old ones sign in for another day.

    A secret alone cannot ask for its own successor, so whoever stole it cannot stay. `request` is the whole
    signed object, `at` the time in it. Raises TerminalMissing, BadRequestSignature.
    """
    if str(caller.id) != request["terminalId"]:
        raise TerminalMissing
    key = await session.get_one(TerminalKey, caller.key_id)
    if not signature_holds(to_sign(request), request["signature"], key.jwk):
        raise BadRequestSignature
    if abs(now - at) > REQUEST_LIFE:
        words = Words("请校准终端时间后再试", "set the terminal's clock right and try again")
        raise BadRequestSignature(errors=[FieldError("/requestedAt", words)])
    terminal = await locked(session, caller.id)
    await _retire_secrets(session, key.id, at=now + OVERLAP)
    secret = await _add_secret(session, terminal, key.id, now=now)
    await audit.record(
        session, "verifiers.change-terminal-secret", object_kind="terminal", object_id=caller.id
    )
    return secret


async def _waiting(
    session: AsyncSession, index: bytes | None, *, now: datetime
) -> tuple[TerminalCode | None, Terminal | None]:
    """The living code of this index and its terminal, locked; the terminal first, as everywhere."""
    if index is None:
        return None, None
    terminal_id = await session.scalar(
        select(TerminalCode.terminal_id).where(TerminalCode.code_index == index)
    )
    if terminal_id is None:
        return None, None
    terminal = await locked(session, terminal_id)
    code = await session.scalar(
        select(TerminalCode).where(TerminalCode.code_index == index, TerminalCode.expires_at > now)
    )
    return code, terminal


async def _retire_secrets(session: AsyncSession, key_id: UUID, *, at: datetime) -> None:
    """From an instant on; a secret that ends before stays as it is."""
    await session.execute(
        update(VerifierClient)
        .where(VerifierClient.key_id == key_id)
        .values(retired_at=func.least(VerifierClient.retired_at, at))
    )


async def _add_secret(
    session: AsyncSession, terminal: Terminal, key_id: UUID, *, now: datetime
) -> ClientSecret:
    secret = new_secret()
    verifier = await session.get_one(Verifier, terminal.verifier_id)
    await add_client(session, verifier, secret, now=now, key_id=key_id)
    return secret


async def _require_patience(session: AsyncSession, origin: bytes, *, now: datetime) -> None:
    failures = select(func.count(), func.min(TerminalCodeFailure.at)).where(
        TerminalCodeFailure.address_index == origin, TerminalCodeFailure.at > now - TRIES_WITHIN
    )
    count, earliest = (await session.execute(failures)).one()
    if count >= TRIES:
        raise TooManyCodes(int((earliest + TRIES_WITHIN - now).total_seconds()))


async def _count_failure(session: AsyncSession, origin: bytes, *, now: datetime) -> None:
    session.add(TerminalCodeFailure(id=new_id(), address_index=origin, at=now))
