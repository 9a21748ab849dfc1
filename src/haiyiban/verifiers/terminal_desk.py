"""The fleet of terminals at the operator's desk, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity.guards import staff
from haiyiban.verifiers import terminals
from haiyiban.verifiers.models import Terminal, Verifier
from haiyiban.verifiers.service import VerifierMissing
from haiyiban.verifiers.terminal_wire import (
    FleetRead,
    OneTimeCodeCreate,
    OneTimeCodeRead,
    TerminalCreate,
    TerminalRead,
)
from haiyiban.verifiers.terminals import (
    SILENT_AFTER,
    NotThatVerifiersPurpose,
    TerminalMissing,
    TerminalNotInThatState,
)
from haiyiban.verifiers.wire import SuspensionCreate
from haiyiban.wire import after_cursor, cursor_of, page_limit, problems


class TerminalDeskController(Controller):
    """Terminals at the operator's desk."""

    path = "/desk/terminals"
    tags = ["verifiers"]
    guards = [staff("operator")]

    @get(summary="The fleet of terminals", responses=problems(Malformed, NotSignedIn, NotAllowed))
    async def list_terminals(
        self,
        session: NamedDependency[AsyncSession],
        verifier_id: FromQuery[UUID | None] = None,
        silent: FromQuery[bool | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> FleetRead:
        """Newest first, with what each reported last: when it was seen, its software, the age of its lists,
        its queue. `silent`: true for the active ones not heard for 15 minutes, false for all others."""
        size, now = page_limit(limit), clock.now()
        rows = await terminals.fleet(
            session,
            verifier_id=verifier_id,
            silent=silent,
            after=after_cursor(cursor),
            limit=size + 1,
            now=now,
        )
        language = current().language
        items = [TerminalRead.of(terminal, verifier, language, now=now) for terminal, verifier in rows[:size]]
        return FleetRead(
            items=items,
            silent_after_minutes=SILENT_AFTER // timedelta(minutes=1),
            next=cursor_of(items[-1].id) if len(rows) > size else None,
        )

    @post(
        status_code=201,
        summary="Register a terminal",
        responses=problems(NotSignedIn, NotAllowed, VerifierMissing, NotThatVerifiersPurpose),
    )
    async def register(
        self, session: NamedDependency[AsyncSession], data: JSONBody[TerminalCreate]
    ) -> OneTimeCodeRead:
        """Gives the one-time code that the terminal enrols itself with."""
        now = clock.now()
        terminal = await terminals.register(
            session, data.verifier_id, name=data.name, place=data.place, purpose=data.purpose, now=now
        )
        return await _code(session, terminal.id, data.valid_for_minutes)

    @post(
        "/{terminal_id:uuid}/one-time-codes",
        status_code=201,
        summary="Let a terminal enrol anew",
        responses=problems(NotSignedIn, NotAllowed, TerminalMissing, TerminalNotInThatState),
    )
    async def give_code(
        self,
        session: NamedDependency[AsyncSession],
        terminal_id: FromPath[UUID],
        data: JSONBody[OneTimeCodeCreate],
    ) -> OneTimeCodeRead:
        """For a device that was replaced or lost its key; the old key and secrets end when the new key is
        enrolled. Codes given before are void."""
        return await _code(session, terminal_id, data.valid_for_minutes)

    @post(
        "/{terminal_id:uuid}/suspension",
        status_code=200,
        summary="Suspend a terminal",
        responses=problems(NotSignedIn, NotAllowed, TerminalMissing, TerminalNotInThatState),
    )
    async def suspend(
        self,
        session: NamedDependency[AsyncSession],
        terminal_id: FromPath[UUID],
        data: JSONBody[SuspensionCreate],
    ) -> TerminalRead:
        """As when it is stolen: refused by every process within two seconds."""
        return await _read(
            session, await terminals.suspend(session, terminal_id, reason=data.reason, now=clock.now())
        )

    @post(
        "/{terminal_id:uuid}/reinstatement",
        status_code=200,
        summary="Let a suspended terminal verify again",
        responses=problems(NotSignedIn, NotAllowed, TerminalMissing, TerminalNotInThatState),
    )
    async def reinstate(
        self, session: NamedDependency[AsyncSession], terminal_id: FromPath[UUID]
    ) -> TerminalRead:
        """With the key and the secrets that it had."""
        return await _read(session, await terminals.reinstate(session, terminal_id))

    @post(
        "/{terminal_id:uuid}/retirement",
        status_code=200,
        summary="Take a terminal out of service for good",
        responses=problems(NotSignedIn, NotAllowed, TerminalMissing, TerminalNotInThatState),
    )
    async def retire(
        self, session: NamedDependency[AsyncSession], terminal_id: FromPath[UUID]
    ) -> TerminalRead:
        """Upload its queue first: nothing that it signs counts afterwards."""
        return await _read(session, await terminals.retire(session, terminal_id, now=clock.now()))


async def _code(session: AsyncSession, terminal_id: UUID, minutes: int) -> OneTimeCodeRead:
    code = await terminals.give_code(session, terminal_id, life=timedelta(minutes=minutes), now=clock.now())
    return OneTimeCodeRead(terminal_id=terminal_id, one_time_code=code.code, expires_at=code.expires_at)


async def _read(session: AsyncSession, terminal: Terminal) -> TerminalRead:
    verifier = await session.get_one(Verifier, terminal.verifier_id)
    return TerminalRead.of(terminal, verifier, current().language, now=clock.now())
