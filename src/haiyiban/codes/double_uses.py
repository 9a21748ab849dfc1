"""Codes that a terminal accepted offline although they had been accepted before (重复使用), for the operator.

Somebody showed one code at two gates; or two terminals were offline when somebody passed both.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from haiyiban.codes.batch_wire import DoubleUseRead, FirstUse
from haiyiban.codes.entitlement import kind_name
from haiyiban.codes.models import Verification
from haiyiban.codes.offline_records import OfflineVerification
from haiyiban.context import current
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity.guards import staff
from haiyiban.verifiers.models import Terminal, Verifier
from haiyiban.wire import Page, after_cursor, cursor_of, page_limit, problems


class Entry(NamedTuple):
    """A double use and the use before it."""

    second: OfflineVerification
    verification: Verification
    terminal: Terminal
    verifier: Verifier
    first: Verification
    first_verifier: Verifier
    first_terminal: Terminal | None


class DoubleUseController(Controller):
    """Double uses at the operator's desk."""

    path = "/desk/double-uses"
    tags = ["codes"]
    guards = [staff("operator")]

    @get(
        summary="Codes that were accepted twice",
        responses=problems(Malformed, NotSignedIn, NotAllowed),
    )
    async def list_double_uses(
        self,
        session: NamedDependency[AsyncSession],
        terminal_id: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[DoubleUseRead]:
        """Newest first. Whose code it was is not shown: terminals, places and times are what to look into."""
        size = page_limit(limit)
        rows = await _entries(session, terminal_id=terminal_id, after=after_cursor(cursor), limit=size + 1)
        language = current().language
        items = [_read(row, language) for row in rows[:size]]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)


async def _entries(
    session: AsyncSession, *, terminal_id: UUID | None, after: UUID | None, limit: int
) -> list[Entry]:
    own, first = aliased(Verification), aliased(Verification)
    first_verifier, first_terminal = aliased(Verifier), aliased(Terminal)
    first_offline = aliased(OfflineVerification)
    query = (
        select(OfflineVerification, own, Terminal, Verifier, first, first_verifier, first_terminal)
        .join(own, own.id == OfflineVerification.id)
        .join(Terminal, Terminal.id == OfflineVerification.terminal_id)
        .join(Verifier, Verifier.id == Terminal.verifier_id)
        .join(first, first.id == OfflineVerification.first_id)
        .join(first_verifier, first_verifier.id == first.verifier_id)
        .outerjoin(first_offline, first_offline.id == first.id)
        .outerjoin(first_terminal, first_terminal.id == first_offline.terminal_id)
        .where(OfflineVerification.double_use)
        .order_by(OfflineVerification.id.desc())
        .limit(limit)
    )
    if terminal_id is not None:
        query = query.where(OfflineVerification.terminal_id == terminal_id)
    if after is not None:
        query = query.where(OfflineVerification.id < after)
    return [Entry._make(row) for row in (await session.execute(query)).all()]


def _read(entry: Entry, language: str) -> DoubleUseRead:
    first_terminal = entry.first_terminal
    return DoubleUseRead(
        id=entry.second.id,
        record_id=entry.second.record_id,
        verifier=_name(entry.verifier, language),
        terminal_id=entry.terminal.id,
        terminal=entry.terminal.name,
        place=entry.verification.place,
        purpose=entry.verification.purpose,
        kind=None if entry.verification.kind is None else kind_name(entry.verification.kind),
        verified_at=entry.second.verified_at,
        received_at=entry.second.received_at,
        first=FirstUse(
            verification_id=entry.first.id,
            verifier=_name(entry.first_verifier, language),
            verified_at=entry.first.at,
            offline=first_terminal is not None,
            terminal=first_terminal.name if first_terminal else None,
            place=entry.first.place,
        ),
    )


def _name(verifier: Verifier, language: str) -> str:
    return verifier.name_en if language.startswith("en") else verifier.name_zh
