"""A signed batch of offline verifications, from the signature to the answer.

Batches of a terminal come strictly one after the other. The same batch again gets the same answer word for
word; whatever else comes under its number is refused, so nothing is lost, repeated or put in between.

Source: schemas/codes/README.md "Offline".
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.codes import offline_recording
from haiyiban.codes.batch_wire import BatchCreate, BatchRead, OfflineRecord, RecordResult
from haiyiban.codes.offline_behind import sources
from haiyiban.codes.offline_recording import First, Judged
from haiyiban.codes.offline_records import OfflineBatch
from haiyiban.codes.recomputing import (
    NO_SUCH_PURPOSE,
    REPEATED,
    UNREADABLE,
    agrees,
    check_again,
    local_time,
    read_records,
    recompute,
    refusal,
)
from haiyiban.codes.signing import CodeKeys
from haiyiban.context import Context
from haiyiban.errors import Conflict, Problem, Words
from haiyiban.identity.callers import VerifierCaller
from haiyiban.ids import new_id
from haiyiban.verifiers.models import Terminal, TerminalKey
from haiyiban.verifiers.purposes import purposes
from haiyiban.verifiers.service import TerminalSuspended
from haiyiban.verifiers.terminal_keys import signature_holds, to_sign
from haiyiban.verifiers.terminals import TerminalMissing, living_key, locked


class BadBatchSignature(Problem):
    """The batch is not as the terminal signed it, or another key signed it; nothing is kept."""

    type = "codes/bad-batch-signature"
    title = Words(
        "批次签名不对，未收录任何记录；请用终端入网时的密钥重新签名后再传",
        "The signature does not hold and nothing was kept; sign it with the enrolled key and resend",
    )


class OutOfSequence(Conflict):
    """Another number is next, or this one was used for another batch; the member says which is next."""

    type = "codes/out-of-sequence"
    title = Words(
        "批次序号不连续，请按 nextSequence 重新编号、签名后再传",
        "The batch is out of sequence; number it nextSequence, sign it again and resend",
    )

    def __init__(self, next_sequence: int) -> None:
        super().__init__(members={"nextSequence": next_sequence})


class Signed(NamedTuple):
    """A batch as it came, and as it reads."""

    document: Mapping[str, Any]
    batch: BatchCreate


async def upload(
    session: AsyncSession,
    signed: Signed,
    caller: VerifierCaller,
    *,
    keys: CodeKeys,
    context: Context,
    now: datetime,
) -> bytes:
    """Take a batch in; its answer as JSON, the same whenever the same batch comes.

    Raises TerminalMissing, TerminalSuspended, BadBatchSignature, OutOfSequence.
    """
    batch = signed.batch
    terminal = await session.get(Terminal, batch.terminal_id)
    if terminal is None or terminal.verifier_id != caller.verifier_id:
        raise TerminalMissing
    if terminal.status == "suspended":
        raise TerminalSuspended
    key = await living_key(session, terminal.id)
    body = await asyncio.to_thread(to_sign, signed.document)
    if key is None or not signature_holds(body, batch.signature, key.jwk):
        raise BadBatchSignature
    digest = hashlib.sha256(body).digest()
    earlier = await _answered(session, terminal, batch.sequence, digest)
    if earlier is not None:
        return earlier
    records = read_records(batch.records)
    notes = await _refusals(session, terminal, key, records, now=now)
    judged = await _judge(session, terminal, caller, records, notes, keys=keys)

    # Only now, for judging takes a while: whoever uploads the same batch at once waits here.
    terminal = await locked(session, terminal.id)
    earlier = await _answered(session, terminal, batch.sequence, digest)
    if earlier is not None:
        return earlier
    row = OfflineBatch(
        id=new_id(),
        terminal_id=terminal.id,
        key_id=key.id,
        sequence=batch.sequence,
        body_hash=digest,
        answer=b"",
        received_at=now,
    )
    session.add(row)
    terminal.next_sequence = batch.sequence + 1
    terminal.last_seen_at = now
    await session.flush()
    first = await offline_recording.record(session, list(judged.values()), row, terminal, context)
    results = [
        _result(position, batch.records, judged, notes, first, context.language)
        for position in range(len(batch.records))
    ]
    row.answer = msgspec.json.encode(
        BatchRead(sequence=batch.sequence, results=results, next_sequence=terminal.next_sequence)
    )
    await audit.record(session, "codes.upload-batch", object_kind="terminal", object_id=terminal.id)
    return row.answer


async def _answered(session: AsyncSession, terminal: Terminal, sequence: int, digest: bytes) -> bytes | None:
    """The answer that this batch got; None where it is the next. Raises OutOfSequence."""
    if sequence == terminal.next_sequence:
        return None
    row = await session.scalar(
        select(OfflineBatch).where(
            OfflineBatch.terminal_id == terminal.id,
            OfflineBatch.sequence == sequence,
            OfflineBatch.body_hash == digest,
        )
    )
    if row is None:
        raise OutOfSequence(terminal.next_sequence)
    return row.answer


async def _refusals(
    session: AsyncSession,
    terminal: Terminal,
    key: TerminalKey,
    records: Sequence[OfflineRecord | None],
    *,
    now: datetime,
) -> dict[int, Words]:
    """Which records are not kept, by their place in the batch, and why."""
    seen = await offline_recording.kept_before(
        session, terminal.id, [record.id for record in records if record]
    )
    notes = {}
    for position, record in enumerate(records):
        if record is None:
            notes[position] = UNREADABLE
            continue
        why = REPEATED if record.id in seen else refusal(record, enrolled_at=key.enrolled_at, now=now)
        if why is None and (record.purpose or terminal.purpose) not in purposes():
            why = NO_SUCH_PURPOSE
        if why is None:
            seen.add(record.id)
        else:
            notes[position] = why
    return notes


async def _judge(
    session: AsyncSession,
    terminal: Terminal,
    caller: VerifierCaller,
    records: Sequence[OfflineRecord | None],
    notes: Mapping[int, Words],
    *,
    keys: CodeKeys,
) -> dict[int, Judged]:
    """The records that are kept, by their place in the batch."""
    kept = {place: record for place, record in enumerate(records) if record and place not in notes}
    # In a thread, so that the signatures of 500 codes keep nobody waiting.
    checked = await asyncio.to_thread(check_again, list(kept.values()), keys.trust)
    found = await sources(session, [one.code for one in checked], keys.cti)
    judged = {}
    for (position, record), check, source in zip(kept.items(), checked, found, strict=True):
        wanted = purposes()[record.purpose or terminal.purpose]
        judged[position] = Judged(
            id=new_id(),
            record=record,
            code=check.code,
            source=source,
            recomputed=recompute(record, check, source.behind, purpose=wanted, caller=caller),
            purpose=wanted.purpose,
            place=record.place or terminal.place,
        )
    return judged


def _result(
    position: int,
    given: Sequence[Any],
    judged: Mapping[int, Judged],
    notes: Mapping[int, Words],
    first: Mapping[Any, First],
    language: str,
) -> RecordResult:
    if position in notes:
        return _refused(given[position], notes[position], language)
    one = judged[position]
    said, recomputed = one.record.outcome, one.recomputed
    earlier = first.get(one.id)
    note = _used_at(earlier) if earlier else recomputed.note
    return RecordResult(
        id=one.record.id,
        kept=True,
        outcome=said,
        recomputed=recomputed.outcome,
        agrees=agrees(said, recomputed.outcome),
        double_use=earlier is not None,
        note=note.in_language(language) if note else None,
    )


def _refused(given: Any, why: Words, language: str) -> RecordResult:
    said = given if isinstance(given, dict) else {}
    return RecordResult(
        id=_short_text(said.get("id")),
        kept=False,
        outcome=_short_text(said.get("outcome")),
        recomputed=None,
        agrees=None,
        double_use=False,
        note=why.in_language(language),
    )


def _short_text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 64 else None


def _used_at(first: First) -> Words:
    when = local_time(first.at)
    return Words(f"此码已于 {when} 核验过一次", f"This code had been accepted at {when}")
