"""What was issued: as it is sent, and what becomes of it afterwards, such as a revocation, at both places.

The handling place looks how each certificate of its cases stands and tells what changed since it last did:
nothing a clerk does is forgotten. The messages are in order and each is carried out once, as all others.

Source: docs/domain.md §4.2, §9.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, notices
from haiyiban.certificates import Certificate, Status, type_of
from haiyiban.codes.printed import printed_text
from haiyiban.codes.signing import code_keys
from haiyiban.codes.trust import TrustList
from haiyiban.db import database
from haiyiban.errors import Problem
from services.cross_province import cases
from services.cross_province.following import is_proven
from services.cross_province.messages import CrossCertificate, CrossMessage, CrossResult, Type
from services.cross_province.models import CrossCase
from services.cross_province.sending import send

log = logging.getLogger(__name__)

_AT_ONCE = 200
_TOLD: Final = {
    Status.REVOKED: "certificates.revoked",
    Status.SUSPENDED: "certificates.suspended",
    Status.VALID: "certificates.reinstated",
}


async def first_told(
    session: AsyncSession, cross: CrossCase, certificate_id: UUID, *, now: datetime
) -> CrossCertificate:
    """What a result carries. A change of the last minute is told right after, in a message of its own."""
    found = await session.get_one(Certificate, certificate_id)
    cross.certificate_id, cross.certificate_status = found.id, Status.VALID
    return await _as_sent(session, found, now=now)


async def report() -> None:
    """Tell the receiving places what became of certificates since they heard. A repeat finds it told."""
    async with database().reading() as session:
        changed = (
            select(CrossCase.id)
            .join(Certificate, Certificate.id == CrossCase.certificate_id)
            .where(CrossCase.side == "handling", Certificate.status != CrossCase.certificate_status)
        )
        ids = list(await session.scalars(changed.limit(_AT_ONCE)))
    for case_id in ids:
        try:
            async with database().transaction() as session:
                cross = await cases.locked(session, case_id)
                if cross is not None:
                    await _tell(session, cross, now=clock.now())
        except Problem as why:
            # Such as no agreement any more: the others are told all the same.
            log.warning("the certificate of case %s is not told of yet: %s", case_id, why.type)


async def _tell(session: AsyncSession, cross: CrossCase, *, now: datetime) -> None:
    """How the newest version stands. Locked, so that each status is told once and in its order."""
    found = await session.get_one(Certificate, cross.certificate_id, with_for_update=True)
    reason = found.status_reason or ""
    while found.status == Status.SUPERSEDED:
        newer = await session.scalar(
            select(Certificate).where(Certificate.supersedes_id == found.id).with_for_update()
        )
        assert newer is not None, "a version is superseded by the next one"
        found = newer
    if (found.id, found.status) == (cross.certificate_id, cross.certificate_status):
        return
    await send(
        session,
        cross,
        Type.CERTIFICATE,
        now=now,
        step=found.status,
        opinion=found.status_reason or reason,
        result=CrossResult(
            outcome=cross.outcome or "approved", certificate=await _as_sent(session, found, now=now)
        ),
    )
    cross.certificate_id, cross.certificate_status = found.id, found.status
    await audit.record(
        session,
        "cross-province.tell-of-certificate",
        subject=cross.person_id,
        object_kind="certificate",
        object_id=found.id,
        outcome=found.status,
        reason=cross.neighbour,
    )


async def _as_sent(session: AsyncSession, found: Certificate, *, now: datetime) -> CrossCertificate:
    kind = type_of(found)
    return CrossCertificate(
        identifier=found.identifier,
        type=found.type,
        name_zh=kind.name.zh,
        name_en=kind.name.en,
        issuer=found.issuer,
        issuer_code=found.issuer_code,
        issued_on=found.issued_on,
        valid_until=found.valid_until,
        claims=found.claims,
        code=await printed_text(session, found, keys=code_keys(now), now=now),
    )


async def changed(
    session: AsyncSession, message: CrossMessage, cross: CrossCase, *, trust: TrustList | None, now: datetime
) -> str:
    """At the receiving place: what was issued is worth something else now. A revocation is for good; a
    certificate, new or again in force, is believed only with its code. The outcome."""
    issued = message.result.certificate if message.result else None
    if cross.certificate is None or issued is None:
        return "no-certificate"
    if message.step not in _TOLD:
        return "not-understood"
    if cross.certificate_status == Status.REVOKED:
        return "already-revoked"
    status = Status(message.step)
    is_newer = issued.identifier != cross.certificate["identifier"]
    if status is Status.VALID or is_newer:
        if trust is not None and is_proven(issued, cross.neighbour, trust=trust, now=now):
            cross.certificate = msgspec.to_builtins(issued)
        elif status is Status.VALID:
            return "certificate-not-proven"
    cross.certificate_status = status
    cross.certificate_news = {"at": message.at.isoformat(), "reason": message.opinion}
    await audit.record(
        session,
        "cross-province.certificate",
        subject=cross.person_id,
        object_kind="cross-case",
        object_id=cross.id,
        outcome=status,
        reason=f"{cross.matter} {cross.neighbour}",
    )
    if cross.person_id is not None:
        template = "certificates.reissued" if is_newer and status is Status.VALID else _TOLD[status]
        name = str(cross.certificate["nameZh"])
        await notices.tell_person(session, cross.person_id, template, about=cross.id, type=name)
    return "done"
