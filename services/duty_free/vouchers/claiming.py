"""The claim rush: claims of a campaign are decided together, one committed batch after the other.

While a batch commits the next one fills, so a crowd pays one lock, one round trip and one fsync a batch. A
voucher is told only after its commit. What decides is one function in the database (migration 0014), so
several processes may claim at once and share nothing but its lock on the campaign.

Source: docs/domain.md §8.3; docs/duty-free.md "The rush".
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from haiyiban import clock
from haiyiban.batching import Batcher
from haiyiban.db import database
from haiyiban.errors import Conflict, NotFound, Problem, TooMany, Words
from haiyiban.identity.callers import Level
from haiyiban.ids import new_id
from haiyiban.metrics import Count

WAITING_MOST = 4096
"""Claims of one campaign that wait in one process; who comes then is asked to come again."""
SOLD_OUT_FOR = 1.0
"""Seconds for which this process says by itself that nothing is left, before it asks the database again."""
PER_SECOND = 512
"""How many of those are taken to be served in a second, to say when to come again: fewer than are."""


CLAIMS = Count(
    name="haiyiban_duty_free_claims_total",
    what=Words("领券，claimed 或拒绝原因", "Claims of vouchers: claimed, or why not"),
    labels=("outcome",),
)


class CampaignMissing(NotFound):
    """There is no such campaign."""

    title = Words("没有找到这个领券活动", "There is no such campaign")


class SoldOut(Conflict):
    """All vouchers are out, of today or altogether."""

    type = "duty-free/sold-out"
    is_recorded = False
    title = Words("消费券已领完，请留意下次发放", "All vouchers are taken; please look out for the next ones")


class AlreadyClaimed(Conflict):
    """One a person, and this person has it."""

    type = "duty-free/already-claimed"
    is_recorded = False
    title = Words(
        "您已领过这张消费券，请在“我的消费券”查看", "You have this voucher already; see your vouchers"
    )


class NotOpen(Problem):
    """Before the campaign, or after it."""

    type = "duty-free/not-open"
    is_recorded = False
    title = Words(
        "不在领券时间内，请查看活动起止时间", "Not open now; see when the campaign opens and closes"
    )


class NotForVisitors(Problem):
    """The campaign is for holders of an identity card."""

    type = "duty-free/not-for-visitors"
    title = Words(
        "本次活动仅限持居民身份证的用户领取",
        "This campaign is for holders of a resident identity card",
    )


class LimitReached(Problem):
    """This person has as many as one may have, today or altogether."""

    type = "duty-free/limit-reached"
    title = Words(
        "已达到每人可领张数，每日限额次日恢复",
        "You have as many as allowed; a daily limit is renewed tomorrow",
    )


class TooManyWaiting(TooMany):
    """The queue is full; nothing was claimed. Retry-After is the time that those who wait need."""

    is_recorded = False
    title = Words(
        "领券人数太多，尚未领取，请按提示时间再试",
        "Too many are claiming; nothing was taken, try again shortly",
    )


class Asked(NamedTuple):
    """One claim. `key` names it: the same again gets the same voucher. `is_new`: the client named none, so
    it is no repeat of an earlier one."""

    person_id: UUID
    key: bytes
    actor_id: UUID
    request_id: str
    address: str | None
    is_new: bool = False


class Claimed(NamedTuple):
    """A voucher, committed."""

    id: UUID
    number: str
    face_fen: int
    threshold_fen: int
    valid_until: datetime


def key_of(person_id: UUID, campaign_id: UUID, idempotency_key: str | None) -> bytes:
    """The name of a claim; one of its own where the client gave none."""
    given = secrets.token_bytes(16) if idempotency_key is None else idempotency_key.encode()
    return hashlib.sha256(person_id.bytes + campaign_id.bytes + given).digest()


class Queue:
    """Who waits for a campaign in this process. It belongs to the event loop that first uses it.

    After the end the crowd goes on: once a batch finds nothing left, a new claim costs no database for a
    second, and one that may be a repeat costs a look in a batch, without the campaign's lock.
    """

    def __init__(self, campaign_id: UUID, *, level: Level = Level.L3, most: int = WAITING_MOST) -> None:
        self._campaign_id = campaign_id
        self.level = level
        """From which level of assurance on one may claim."""
        self._most = most
        self._sold_out_until = 0.0
        self._looks: Batcher[Asked, Claimed | Problem] = Batcher(self._look)
        self._batches: Batcher[Asked, Claimed | Problem] = Batcher(self._decide)
        self._waiting: dict[bytes, asyncio.Future[Claimed | Problem]] = {}

    async def claim(self, asked: Asked) -> Claimed:
        """The voucher, once it is committed. Raises what claims are refused by, TooManyWaiting."""
        try:
            claimed = await self._claim(asked)
        except Problem as problem:
            CLAIMS.saw(problem.slug)
            raise
        CLAIMS.saw("claimed")
        return claimed

    async def _claim(self, asked: Asked) -> Claimed:
        future = self._waiting.get(asked.key)
        if future is None:
            is_sold_out = asyncio.get_running_loop().time() < self._sold_out_until
            if is_sold_out and asked.is_new:
                raise SoldOut
            if len(self._waiting) >= self._most:
                raise TooManyWaiting(1 + len(self._waiting) // PER_SECOND)
            future = asyncio.ensure_future((self._looks if is_sold_out else self._batches).ask(asked))
            self._waiting[asked.key] = future
            future.add_done_callback(lambda _: self._waiting.pop(asked.key))
        # Shielded: who hangs up must not take the twin of the same key with them.
        answer = await asyncio.shield(future)
        if isinstance(answer, Problem):
            raise answer
        return answer

    async def _decide(self, batch: Sequence[Asked]) -> list[Claimed | Problem]:
        now = clock.now()
        rows = await database().fetch(
            _CLAIM,
            self._campaign_id,
            now,
            clock.local_date(now),
            [asked.person_id for asked in batch],
            [asked.key for asked in batch],
            [new_id() for _ in batch],
            [new_number() for _ in batch],
            [asked.actor_id for asked in batch],
            [asked.request_id for asked in batch],
            [asked.address for asked in batch],
        )
        if any(row.outcome == "sold-out" for row in rows):
            self._sold_out_until = asyncio.get_running_loop().time() + SOLD_OUT_FOR
        return [
            Claimed._make(tuple(row)[2:]) if row.outcome == "claimed" else _REFUSALS[row.outcome]()
            for row in sorted(rows, key=lambda row: row.ord)
        ]

    async def _look(self, batch: Sequence[Asked]) -> list[Claimed | Problem]:
        """What was claimed by these keys before, for nothing is left."""
        rows = await database().fetch(_LOOK, [asked.key for asked in batch])
        return [SoldOut() if row.id is None else Claimed._make(row) for row in rows]


_queues: dict[UUID, Queue] = {}


def queue_of(campaign_id: UUID) -> Queue | None:
    """The queue of a campaign that somebody opened here before."""
    return _queues.get(campaign_id)


def open_queue(campaign_id: UUID, level: Level) -> Queue:
    """The queue of a campaign that has been opened, for its level may not change any more; made-up ids must
    not fill the memory."""
    return _queues.setdefault(campaign_id, Queue(campaign_id, level=level))


def new_number() -> str:
    """Twelve signs that are not mistaken for each other, such as 7K3M-QX42-9HPT: 59 random bits."""
    # One look for randomness and not twelve: those were a tenth of a claim.
    rest, signs = secrets.randbits(128), ""
    for _ in range(12):
        rest, at = divmod(rest, len(SIGNS))
        signs += SIGNS[at]
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFUSALS: dict[str, type[Problem]] = {
    "not-found": CampaignMissing,
    "sold-out": SoldOut,
    "already-claimed": AlreadyClaimed,
    "not-open": NotOpen,
    "limit-reached": LimitReached,
    "not-for-visitors": NotForVisitors,
}
_LOOK = """
SELECT v.id, v.number, v.face_fen, v.threshold_fen, v.valid_until
FROM unnest($1::bytea[]) WITH ORDINALITY AS a (key, ord)
LEFT JOIN duty_free_voucher v ON v.request_key = a.key
ORDER BY a.ord
"""
_CLAIM = """
SELECT ord, outcome, id, number, face_fen, threshold_fen, valid_until
FROM duty_free_claim_batch(
  $1::uuid, $2::timestamptz, $3::date, $4::uuid[], $5::bytea[], $6::uuid[], $7::text[], $8::uuid[],
  $9::text[], $10::text[]
)
"""
