"""Recording what terminals verified offline: the verifications, what the terminals said of them, and the
audit, in the transaction of the upload.

A code that is accepted offline takes its place among all accepted ones, so whoever comes second is found,
whichever of the two was online.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.codes import kinds
from haiyiban.codes.batch_wire import OfflineRecord
from haiyiban.codes.envelope import ParsedCode
from haiyiban.codes.models import Verification
from haiyiban.codes.offline_behind import Source
from haiyiban.codes.offline_records import OfflineBatch, OfflineVerification
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.recomputing import Recomputed, agrees, single_use
from haiyiban.context import Context
from haiyiban.verifiers.models import Terminal

VERIFY_OFFLINE = "codes.verify-offline"
_HOLD_THE_CODE = (Outcome.VALID, Outcome.CONSENT_PENDING)


class Judged(NamedTuple):
    """A record with all that is to be kept of it."""

    id: UUID
    record: OfflineRecord
    code: ParsedCode | None
    source: Source
    recomputed: Recomputed
    purpose: str
    place: str

    @property
    def lets_in(self) -> bool:
        """Whether the terminal accepted the code, and rightly."""
        return self.record.outcome is Outcome.VALID and self.recomputed.outcome is Outcome.VALID

    @property
    def use(self) -> bytes | None:
        """What of the code works once."""
        return single_use(self.code) if self.code else None

    @property
    def outcome(self) -> Outcome:
        """What the verification came to, if its code was not used before."""
        said = self.record.outcome
        return said if said is not Outcome.VALID else self.recomputed.outcome


class First(NamedTuple):
    """The verification that had a code first."""

    id: UUID
    at: datetime


async def record(
    session: AsyncSession, judged: Sequence[Judged], batch: OfflineBatch, terminal: Terminal, context: Context
) -> dict[UUID, First]:
    """Keep a batch; for each double use, by the id of its record, who had the code first."""
    # By their code, so that uploads with the same codes wait for each other and never in a ring.
    rows = [
        _verification(one, one.outcome, terminal, context)
        for one in sorted(judged, key=lambda one: one.use or b"")
    ]
    if not rows:
        return {}
    kept = set(
        await session.scalars(upsert(Verification).on_conflict_do_nothing().returning(Verification.id), rows)
    )
    second = [one for one in judged if one.id not in kept]
    if second:
        used = Outcome.ALREADY_USED
        await session.execute(
            insert(Verification), [_verification(one, used, terminal, context) for one in second]
        )
    first = await _first(session, second)
    await session.execute(
        insert(OfflineVerification), [_offline(one, first.get(one.id), batch) for one in judged]
    )
    subjects = await _pseudonyms(session, judged)
    await session.execute(
        insert(AuditRecord),
        [_audit(one, one.id in first, subjects, batch, context) for one in judged],
    )
    await _tell_kinds(session, judged, first, terminal)
    return first


async def kept_before(session: AsyncSession, terminal_id: UUID, record_ids: Sequence[str]) -> set[str]:
    """Those of these records that the terminal uploaded in an earlier batch."""
    return set(
        await session.scalars(
            select(OfflineVerification.record_id).where(
                OfflineVerification.terminal_id == terminal_id,
                OfflineVerification.record_id.in_(record_ids),
            )
        )
    )


async def _tell_kinds(
    session: AsyncSession, judged: Sequence[Judged], first: Mapping[UUID, First], terminal: Terminal
) -> None:
    by_kind: dict[int, list[kinds.Checked]] = {}
    for one in judged:
        if one.code is not None and one.source.holder_id is not None:
            told = kinds.Checked(
                holder_id=one.source.holder_id,
                terminal_id=terminal.id,
                place=one.place,
                at=one.record.verified_at,
                outcome=Outcome.ALREADY_USED if one.id in first else one.outcome,
                body=one.code.claims.body,
                discloses=None,
                is_offline=True,
            )
            by_kind.setdefault(one.code.claims.kind, []).append(told)
    for number, some in by_kind.items():
        await kinds.checked_offline(await session.connection(), number, some)


async def _first(session: AsyncSession, second: Sequence[Judged]) -> dict[UUID, First]:
    if not second:
        return {}
    uses = [one.use for one in second]
    rows = await session.execute(
        select(Verification.single_use, Verification.id, Verification.at).where(
            Verification.single_use.in_(uses), Verification.outcome.in_(_HOLD_THE_CODE)
        )
    )
    holders = {row[0]: First(row[1], row[2]) for row in rows}
    return {one.id: holders[one.use] for one in second if one.use is not None}


async def _pseudonyms(session: AsyncSession, judged: Sequence[Judged]) -> dict[UUID, UUID]:
    holders = {one.source.holder_id for one in judged if one.source.holder_id}
    rows = await session.execute(
        select(AuditSubject.person_id, AuditSubject.pseudonym).where(AuditSubject.person_id.in_(holders))
    )
    return {row[0]: row[1] for row in rows}


def _verification(one: Judged, outcome: Outcome, terminal: Terminal, context: Context) -> dict[str, Any]:
    use = one.use
    if use is None and outcome is Outcome.VALID:
        # A printed code is good for many: each of its uses is one of its own.
        assert one.code is not None
        use = one.code.claims.cti + one.id.bytes
    return {
        "id": one.id,
        "verifier_id": terminal.verifier_id,
        "request_hash": hashlib.blake2b(one.record.text.encode(), digest_size=16).digest(),
        "purpose": one.purpose,
        "place": one.place,
        "kind": one.code.claims.kind if one.code else None,
        "single_use": use,
        "certificate_id": one.source.certificate_id,
        "status": one.source.behind.status,
        # A terminal reads what the code itself says, and no claim.
        "fields": [],
        "outcome": str(outcome),
        "language": context.language,
        "at": one.record.verified_at,
    }


def _offline(one: Judged, first: First | None, batch: OfflineBatch) -> dict[str, Any]:
    return {
        "id": one.id,
        "batch_id": batch.id,
        "terminal_id": batch.terminal_id,
        "record_id": one.record.id,
        "single_use": one.use,
        "said": str(one.record.outcome),
        "recomputed": str(one.recomputed.outcome),
        "agrees": agrees(one.record.outcome, one.recomputed.outcome),
        "verified_at": one.record.verified_at,
        "received_at": batch.received_at,
        "double_use": first is not None,
        "first_id": first.id if first else None,
    }


def _audit(
    one: Judged, is_second: bool, subjects: dict[UUID, UUID], batch: OfflineBatch, context: Context
) -> dict[str, Any]:
    holder = one.source.holder_id
    return {
        "id": one.id,
        "at": batch.received_at,
        "action": VERIFY_OFFLINE,
        "outcome": str(Outcome.ALREADY_USED if is_second else one.outcome),
        "actor_kind": "verifier",
        "actor_id": context.actor_id,
        "actor_unit": context.actor_unit,
        "subject": subjects.get(holder) if holder else None,
        "object_kind": "verification",
        "object_id": one.id,
        "fields": [],
        "reason": one.purpose,
        "request_id": context.request_id,
        "address": context.address,
    }
