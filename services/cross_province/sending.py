"""Messages on their way out: numbered in the transaction that causes them, sent in order until signed for.

Only the first message without a receipt is sent to a neighbour at a time, so the other side sees them in
order; each attempt is signed anew, for a signature is good for minutes and a broken line may last for days.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, db, outbox
from haiyiban.db import database
from haiyiban.ids import new_id
from haiyiban.wire import API
from services.cross_province import cases, line, neighbours, signatures
from services.cross_province.directory import NotAgreed
from services.cross_province.line import NoSafeLine
from services.cross_province.messages import VERSION, CrossMessage, CrossReceipt, Type
from services.cross_province.models import CrossCase, Outgoing
from services.cross_province.neighbours import Known, NoSuchNeighbour
from services.cross_province.rules import State
from services.cross_province.signatures import Headers, NotSigned

log = logging.getLogger(__name__)

PATH = f"{API}/zones/cross-province/exchange"
DELIVER = "cross-province.deliver"
_LEASE = timedelta(seconds=30)
"""Longer than an attempt: meanwhile no other worker sends the same message."""
_RECEIPT_BYTES_MOST = 65_536


async def send(
    session: AsyncSession, case: CrossCase, type_: Type, *, now: datetime, **parts: Any
) -> Outgoing:
    """Promise a message about a case in this transaction. Raises NoSuchNeighbour.

    `parts` are members of CrossMessage, which checks them.
    """
    known = await neighbours.get(session, case.neighbour, lock=True)
    known.row.sent += 1
    own, other = known.places
    message = CrossMessage(
        msg_id=new_id(),
        version=VERSION,
        sequence=known.row.sent,
        type=type_,
        mode=case.mode,
        sender=own,
        receiver=other,
        trace_id=case.id,
        at=now,
        case_no_local=case.number,
        case_no_remote=case.remote_number,
        task_code=case.task_code,
        catalog_code=case.task_code[19:],
        matter=case.matter,
        matter_version=case.matter_version,
        **parts,
    )
    row = Outgoing(
        id=message.msg_id,
        neighbour=case.neighbour,
        sequence=message.sequence,
        case_id=case.id,
        type=type_,
        created_at=now,
        due_at=now,
    )
    row.body = msgspec.json.encode(message).decode()
    session.add(row)
    await session.flush()
    await outbox.enqueue(session, DELIVER, payload=case.neighbour.encode())
    return row


async def deliver(payload: bytes) -> None:
    """Send what waits for one neighbour, in order, until one attempt fails. A repeat finds it delivered."""
    while await _attempt(payload.decode()):
        pass


async def repair(_: bytes) -> None:
    """Send what is due to any neighbour: after a failed attempt, or where a job was lost."""
    async with database().reading() as session:
        divisions = list(
            await session.scalars(
                select(Outgoing.neighbour)
                .where(Outgoing.receipt.is_(None), Outgoing.due_at <= clock.now())
                .distinct()
            )
        )
    for division in divisions:
        await deliver(division.encode())


async def _attempt(division: str) -> bool:
    """One attempt for the first message without a receipt; whether to go on with the next."""
    now = clock.now()
    async with database().transaction() as session:
        first = await session.scalar(
            select(Outgoing.id)
            .where(Outgoing.neighbour == division, Outgoing.receipt.is_(None))
            .order_by(Outgoing.sequence)
            .limit(1)
        )
        # By its id: skipping a locked one would send the next before it, which the other side refuses.
        row = await session.scalar(
            select(Outgoing).where(Outgoing.id == first).with_for_update(skip_locked=True)
        )
        if row is None:
            return False  # nothing waits, or another worker is at it and goes on with the next
        if row.receipt is not None:
            return True  # signed for in between
        if row.due_at > now:
            return False
        try:
            known = await neighbours.get(session, division)
            if not known.is_open(now):
                raise NotAgreed("the agreement is not in force")
            headers = signatures.sign_request(
                row.body.encode(), path=PATH, key=neighbours.signer(known, now), now=now
            )
        except (NoSuchNeighbour, NotAgreed) as error:
            _postpone(row, f"not sent: {error}", now)
            return False
        row.attempts += 1
        row.due_at = now + _LEASE
        row.headers = msgspec.to_builtins(headers)
        message_id, body = row.id, row.body.encode()
    receipt = await _post(known, body, headers)
    return await _settle(message_id, receipt)


async def _post(known: Known, body: bytes, headers: Headers) -> tuple[str, Headers] | str:
    """The receipt of one attempt, checked; or why there is none."""
    db.require_no_transaction()
    try:
        async with line.client(known.other) as client:
            answer = await client.post(PATH, content=body, headers=headers.fields())
    except NoSafeLine as error:
        return f"not sent: {error}"
    except httpx.HTTPError as error:
        return line.why(error)
    if answer.status_code != 200:
        return f"refused: {answer.status_code} {_slug(answer)}"
    if len(answer.content) > _RECEIPT_BYTES_MOST:
        return "the receipt is too long"
    try:
        signed = Headers.of({name.lower(): value for name, value in answer.headers.items()})
        signatures.check_receipt(answer.content, signed, headers, keys=known.key, now=None)
        said = msgspec.json.decode(answer.content, type=CrossReceipt)
    except (NotSigned, msgspec.MsgspecError) as error:
        return f"the receipt does not hold: {error}"
    if said.digest != headers.content_digest or said.receiver != known.other.division:
        return "the receipt is of something else"
    return answer.content.decode(), signed


async def _settle(message_id: UUID, receipt: tuple[str, Headers] | str) -> bool:
    now = clock.now()
    async with database().transaction() as session:
        row = await session.get_one(Outgoing, message_id, with_for_update=True)
        if row.receipt is not None:
            return True
        if isinstance(receipt, str):
            _postpone(row, receipt, now)
            return False
        row.receipt, headers = receipt
        row.receipt_headers = msgspec.to_builtins(headers)
        row.receipt_at = now
        row.last_error = None
        if row.type == Type.FORWARD:
            case = await cases.locked(session, row.case_id)
            if case is not None and case.state == State.TAKEN_IN:
                await cases.move(session, case, State.FORWARDED, by=cases.here(), now=now)
    return True


def _postpone(row: Outgoing, error: str, now: datetime) -> None:
    row.last_error = error[:500]
    row.due_at = now + outbox.retry_delay(max(1, row.attempts))
    log.warning("message %s to %s waits: %s", row.id, row.neighbour, row.last_error)


def _slug(answer: httpx.Response) -> str:
    """The last segment of a problem's type; nothing else of a stranger's words is kept."""
    try:
        kind = answer.json().get("type", "")
    except (ValueError, AttributeError):
        return ""
    return str(kind).rsplit("/", 1)[-1][:60]
