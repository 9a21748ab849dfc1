"""What the log says of one record, for the person it is about."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit import keys, leaves, merkle, notes, proofs
from haiyiban.audit.merkle import Place
from haiyiban.audit.models import AuditCheckpoint, AuditLeaf, AuditRecord, AuditSubject, AuditTile
from haiyiban.audit.notes import Checkpoint
from haiyiban.crypto import KeyMissing
from haiyiban.errors import Conflict, NotFound, Unavailable, Words
from haiyiban.settings import Settings
from haiyiban.signatures import Hash

log = logging.getLogger(__name__)

_TOO_MANY = 1 << 63
"""More than PostgreSQL counts."""


class NoCheckpoint(NotFound):
    """Nothing was sealed yet, or nothing of this size."""

    type = "audit/no-checkpoint"
    title = Words("没有这个封存点", "There is no such checkpoint")


class NotSealedYet(Conflict):
    """The record is there and waits for the sealer."""

    type = "audit/not-sealed-yet"
    title = Words(
        "这条记录还没有封存，请一分钟后再取证明", "The record is not sealed yet; come back in a minute"
    )


class LogBroken(Unavailable):
    """What the database holds of the log does not fit what was signed: somebody has to look at it."""

    type = "audit/log-broken"
    title = Words(
        "审计日志核对不上，暂时不能出具证明，工作人员会检查",
        "The audit's log does not add up; no proof can be given until somebody has looked",
    )


class Sealed(NamedTuple):
    """A record in the log, and its proof."""

    number: int
    """Of the record, from 0 on."""
    checkpoint: Checkpoint
    proof: str
    """The file for `haiyiban audit check`."""


async def newest_note(session: AsyncSession, size: int | None = None) -> str:
    """The newest checkpoint, or that of just this size. Raises NoCheckpoint."""
    query = select(AuditCheckpoint.note).order_by(AuditCheckpoint.size.desc()).limit(1)
    if size is not None:
        if not 0 < size < _TOO_MANY:
            raise NoCheckpoint
        query = query.where(AuditCheckpoint.size == size)
    note = await session.scalar(query)
    if note is None:
        raise NoCheckpoint
    return note


async def sealed(session: AsyncSession, record_id: UUID) -> Sealed:
    """The proof of a record under the newest checkpoint. Raises NotSealedYet, LogBroken."""
    number = await session.scalar(select(AuditLeaf.seq).where(AuditLeaf.record_id == record_id))
    note = await session.scalar(select(AuditCheckpoint.note).order_by(AuditCheckpoint.size.desc()).limit(1))
    if number is None or note is None:
        raise NotSealedYet
    try:
        trusted = keys.public(Settings.from_env())
        checkpoint = notes.read(note, trusted)
        if number >= checkpoint.size:
            raise NotSealedYet
        hashed = keys.hashed(trusted)
        path = await _hashes(session, merkle.inclusion(number, checkpoint.size), hashed)
        entry = await _entry(session, number, hashed)
        proof = proofs.write(entry, number, path, note)
        proofs.check(proof, trusted)
    except (notes.UntrustedCheckpoint, proofs.BadProof, KeyMissing, KeyError) as error:
        # Of an id and a reason nobody learns anything; the one who repairs it needs both.
        log.error("the audit's log does not prove record %s: %s", record_id, error)
        raise LogBroken from None
    return Sealed(number, checkpoint, proof)


async def extension(session: AsyncSession, old: int, new: int) -> list[bytes]:
    """The hashes that prove that the log of `new` records begins with that of `old`.

    Raises NoCheckpoint, LogBroken.
    """
    await newest_note(session, new)
    if not 0 < old <= new:
        raise NoCheckpoint
    try:
        hashed = keys.hashed(keys.public(Settings.from_env()))
        return await _hashes(session, merkle.consistency(old, new), hashed)
    except (KeyError, KeyMissing):
        raise LogBroken from None


async def record_of(
    session: AsyncSession, actions: Collection[str], *, subject: UUID, object_kind: str, object_id: UUID
) -> UUID | None:
    """The record of one of these acts on an object of a person; the latest where there are several."""
    pseudonym = select(AuditSubject.pseudonym).where(AuditSubject.person_id == subject).scalar_subquery()
    found: UUID | None = await session.scalar(
        select(AuditRecord.id)
        .where(
            AuditRecord.subject == pseudonym,
            AuditRecord.action.in_(actions),
            AuditRecord.object_kind == object_kind,
            AuditRecord.object_id == object_id,
            AuditRecord.outcome == "done",
        )
        .order_by(AuditRecord.id.desc())
        .limit(1)
    )
    return found


async def of_act(
    session: AsyncSession, actions: Collection[str], *, subject: UUID, object_kind: str, object_id: UUID
) -> Sealed | None:
    """The proof of the record that `record_of` finds, for a document; None in the minute before it is sealed,
    and where it cannot be had: nobody is refused a document for that."""
    record_id = await record_of(
        session, actions, subject=subject, object_kind=object_kind, object_id=object_id
    )
    try:
        return None if record_id is None else await sealed(session, record_id)
    except (NotSealedYet, LogBroken):
        return None


async def _hashes(session: AsyncSession, ranges: list[merkle.Range], hashed: Hash) -> list[bytes]:
    wanted = tuple_(AuditTile.level, AuditTile.index).in_(merkle.places(ranges))
    tiles = {
        Place(tile.level, tile.index): tile.hashes
        for tile in await session.scalars(select(AuditTile).where(wanted))
    }
    node = merkle.node_of(tiles, hashed)
    return [merkle.range_hash(each, node, hashed) for each in ranges]


async def _entry(session: AsyncSession, number: int, hashed: Hash) -> bytes:
    connection = await session.connection()
    found = await connection.exec_driver_sql(leaves.READ, (number, number + 1))
    [entry] = leaves.entries(found.one(), number, number + 1, hashed)
    if entry is None:
        raise KeyError(number)
    return entry
