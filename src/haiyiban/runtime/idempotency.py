"""Idempotency-Key: the same key and body get the same answer, whatever became of the first connection.

A claim is taken in a transaction of its own before the work begins; the answer is stored in the
transaction of the work itself. So a crash between the two leaves a claim without an answer and no work
done, and whoever comes next after `CLAIM_LIFE` takes it over; never is there work without its answer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban import clock
from haiyiban.db import Base, Database
from haiyiban.errors import Conflict, Malformed, Problem, Words
from haiyiban.identity import sessions
from haiyiban.identity.callers import Caller, ResidentCaller
from haiyiban.identity.guards import StepUpNeeded
from haiyiban.ids import new_id
from haiyiban.sealed import SealedJson
from haiyiban.terms import Ending, Term

CLAIM_LIFE = timedelta(seconds=60)
"""By PostgreSQL's clock: a process whose own is wrong keeps nobody out for longer."""
KEPT = timedelta(hours=48)
WAIT_SECONDS = 5.0
KEY_LENGTH_MOST = 128


class IdempotencyMismatch(Problem):
    """The key was used for another request."""

    status = 422
    type = "kernel/idempotency-mismatch"
    title = Words("此请求编号已用于另一份内容", "This Idempotency-Key was used with another body")


class IdempotencyInFlight(Conflict):
    """The first request with this key is still at work."""

    type = "kernel/idempotency-in-flight"
    title = Words(
        "同一请求正在办理，请稍后查看结果", "The same request is still being handled; try again shortly"
    )


class ClaimLost(Conflict):
    """This request took longer than its claim lived and another took it over; nothing was done here."""

    type = "kernel/idempotency-in-flight"
    title = IdempotencyInFlight.title


class StoredAnswer(Base):
    """A claim on a key, and the answer once the work is committed (encrypted: it may hold personal data)."""

    __tablename__ = "idempotency_answer"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of caller, method, path and key."""
    body_hash: Mapped[bytes]
    claim: Mapped[UUID]
    claimed_until: Mapped[datetime]
    answer_sealed: Mapped[bytes | None]
    answer = SealedJson()
    created_at: Mapped[datetime] = mapped_column(index=True)


class Answer(msgspec.Struct):
    """An answer to give again."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    level: str = ""
    """The assurance level at which a resident got it; nobody below is given it again."""
    person_id: UUID | None = None
    """The person who got it: a phone, and with it an account, may pass to another."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work of one key."""

    row: UUID
    token: UUID


_abandoned: deque[UUID] = deque(maxlen=1000)
"""Claims that this process can neither answer nor give back, as when PostgreSQL went away in the middle."""


def abandon(held: Claim) -> None:
    """Let the next request with this key have the claim at once, and not after its life."""
    _abandoned.append(held.token)


def scope_of(caller_id: UUID, method: str, path: str, key: str) -> bytes:
    """What a key is unique within. Raises Malformed for a key that is too long."""
    if not 0 < len(key) <= KEY_LENGTH_MOST:
        raise Malformed(
            Words("Idempotency-Key 须为 1 到 128 个字符", "Idempotency-Key must be 1 to 128 characters")
        )
    return hashlib.sha256(f"{caller_id}\n{method}\n{path}\n{key}".encode()).digest()


async def claim(on: Database, scope: bytes, body: bytes) -> Claim | Answer:
    """Take the key, or the answer that its first use got. Raises IdempotencyMismatch, IdempotencyInFlight."""
    body_hash = hashlib.sha256(body).digest()
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        async with on.transaction() as session:
            found = await _claim_once(session, scope, body_hash)
        if found is not None:
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise IdempotencyInFlight
        await asyncio.sleep(0.05)


async def _claim_once(session: AsyncSession, scope: bytes, body_hash: bytes) -> Claim | Answer | None:
    fresh = Claim(row=new_id(), token=new_id())
    statement = upsert(StoredAnswer).values(
        id=fresh.row,
        scope=scope,
        body_hash=body_hash,
        claim=fresh.token,
        claimed_until=_claimed_until(),
        created_at=clock.now(),
    )
    # An abandoned claim (a process that died) is taken over; a living or an answered one is left alone.
    claimed = statement.on_conflict_do_update(
        index_elements=["scope"],
        set_={"claim": fresh.token, "claimed_until": _claimed_until()},
        where=(StoredAnswer.answer_sealed.is_(None))
        & ((StoredAnswer.claimed_until < func.clock_timestamp()) | StoredAnswer.claim.in_(tuple(_abandoned)))
        & (StoredAnswer.body_hash == body_hash),
    ).returning(StoredAnswer.id)
    row = await session.scalar(claimed)
    if row is not None:
        return Claim(row=row, token=fresh.token)
    stored = await session.scalar(select(StoredAnswer).where(StoredAnswer.scope == scope))
    if stored is None:
        return None
    if stored.body_hash != body_hash:
        raise IdempotencyMismatch
    return msgspec.convert(stored.answer, Answer) if stored.answer_sealed else None


def _claimed_until() -> ColumnElement[datetime]:
    return func.clock_timestamp() + CLAIM_LIFE


async def require_same(answer: Answer, caller: Caller) -> None:
    """A stored answer is for who may have it still: in a new session of the account, or after the phone went
    to somebody else, no guard has looked yet. Raises StepUpNeeded, IdempotencyMismatch."""
    if not isinstance(caller, ResidentCaller) or not answer.level:
        return
    if caller.level < answer.level:
        # The token in hand may be older than the level of its session.
        caller = await sessions.caller_now(caller.session_id) or caller
    if caller.level < answer.level:
        raise StepUpNeeded(members={"needs": answer.level, "has": caller.level.value})
    if answer.person_id not in {None, caller.person_id}:
        raise IdempotencyMismatch


async def store(session: AsyncSession, held: Claim, answer: Answer, *, caller: Caller) -> None:
    """Keep the answer in the transaction of the work. Raises ClaimLost where another took the claim over."""
    if isinstance(caller, ResidentCaller):
        answer = msgspec.structs.replace(answer, level=caller.level.value, person_id=caller.person_id)
    row = StoredAnswer(id=held.row)
    row.answer = msgspec.to_builtins(answer)
    kept = await session.scalar(
        update(StoredAnswer)
        .where(StoredAnswer.id == held.row, StoredAnswer.claim == held.token)
        .values(answer_sealed=row.answer_sealed)
        .returning(StoredAnswer.id)
    )
    if kept is None:
        raise ClaimLost


async def release(session: AsyncSession, held: Claim) -> None:
    """Give the key back after an answer that is not kept (401, 429, 5xx)."""
    await session.execute(
        delete(StoredAnswer).where(StoredAnswer.id == held.row, StoredAnswer.claim == held.token)
    )


TERM = Term(
    data_class="runtime.answers",
    what=Words("为重复请求保存的答复（加密）", "Answers stored for repeated requests, sealed"),
    tables=(StoredAnswer,),
    kept=Words("作出后 48 小时", "48 hours after they were given"),
    why=Words(
        "断线后重发须得到同一答复，此后不再需要（个人信息保护法 第19条）",
        "Whoever lost the line and sends again gets the same answer; needed no longer (PIPL, art. 19)",
    ),
    ending=Ending(table=StoredAnswer, since=StoredAnswer.created_at, after=KEPT, every=timedelta(hours=1)),
)
