"""What stands behind the codes of a whole batch, read in a few statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.certificates import Certificate
from haiyiban.codes import kinds
from haiyiban.codes.claims import Kind
from haiyiban.codes.cti import CtiCipher
from haiyiban.codes.envelope import ParsedCode
from haiyiban.codes.models import Capsule
from haiyiban.codes.recomputing import Behind
from haiyiban.identity.models import SignIn


class Source(NamedTuple):
    """What stands behind a code, and whom it is about."""

    behind: Behind = Behind()
    certificate_id: UUID | None = None
    holder_id: UUID | None = None


async def sources(session: AsyncSession, codes: Sequence[ParsedCode | None], cti: CtiCipher) -> list[Source]:
    """The sources of some codes, in their order; an empty one where nothing is found."""
    refs = [_ref(code, cti) for code in codes]
    withdrawn = await _withdrawn(session, [code.claims.cti for code in codes if code and code.proof])
    certificates = await _certificates(session, [ref for kind, ref in refs if kind == Kind.CERTIFICATE])
    others = await _others({each for each in refs if each[0] not in {0, Kind.CERTIFICATE}})
    found = []
    for code, (kind, ref) in zip(codes, refs, strict=True):
        source = certificates.get(ref) if kind == Kind.CERTIFICATE else others.get((kind, ref))
        source = source or Source()
        if code is not None and code.claims.cti in withdrawn:
            behind = source.behind._replace(capsule_withdrawn_at=withdrawn[code.claims.cti])
            source = source._replace(behind=behind)
        found.append(source)
    return found


def _ref(code: ParsedCode | None, cti: CtiCipher) -> tuple[int, int]:
    """Kind and row of what a code of ours is about; (0, 0) of none."""
    opened = None if code is None else cti.open(code.claims.cti)
    if code is None or opened is None or opened.kind != code.claims.kind:
        return 0, 0
    return opened.kind, opened.ref


async def _withdrawn(session: AsyncSession, ctis: Sequence[bytes]) -> dict[bytes, datetime]:
    """Since when capsules are withdrawn, by what issued them or by the end of the sign-in on their phone."""
    since = func.least(Capsule.withdrawn_at, SignIn.ended_at)
    rows = await session.execute(
        select(Capsule.cti, since)
        .outerjoin(SignIn, SignIn.id == Capsule.session_id)
        .where(Capsule.cti.in_(ctis), since.is_not(None))
    )
    return {row[0]: row[1] for row in rows}


async def _certificates(session: AsyncSession, refs: Sequence[int]) -> dict[int, Source]:
    rows = await session.execute(
        select(
            Certificate.ref,
            Certificate.id,
            Certificate.holder_id,
            Certificate.status,
            Certificate.status_at,
            Certificate.valid_until,
        ).where(Certificate.ref.in_(refs))
    )
    return {
        row.ref: Source(
            Behind(status=row.status, status_at=row.status_at, valid_until=row.valid_until),
            certificate_id=row.id,
            holder_id=row.holder_id,
        )
        for row in rows
    }


async def _others(wanted: set[tuple[int, int]]) -> dict[tuple[int, int], Source]:
    found = {}
    for number in {kind for kind, _ in wanted}:
        kind = kinds.numbered(number)
        if kind is None or kind.standing is None:
            continue
        refs = sorted(ref for each, ref in wanted if each == number)
        for ref, standing in zip(refs, await kind.standing(refs), strict=True):
            found[number, ref] = Source(Behind(standing=standing.outcome), holder_id=standing.holder_id)
    return found
