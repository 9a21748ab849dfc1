"""A request's unit of work: one lazy transaction, settled by the edge before the answer starts.

The session opens no connection until it is first used, so a handler can ask the registers first.
Settled here and not in a dependency, because the answer of an Idempotency-Key is stored in the same
transaction as the work (docs/decisions/0003-the-edge-commits.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, db
from haiyiban.db import Database
from haiyiban.errors import Problem
from haiyiban.identity.callers import Caller
from haiyiban.identity.guards import StepUpNeeded
from haiyiban.runtime import idempotency, replica
from haiyiban.runtime.idempotency import Answer, Claim, ClaimLost

_NOT_KEPT = frozenset({401, 429})
_NOT_AUDITED = frozenset({400, 503})


class Asked(NamedTuple):
    """What a request came for, and who asked."""

    action: str | None
    """Method and route; None for an address that does not exist."""
    object_kind: str | None
    object_id: UUID | None
    """What the address names last, such as a case, whether or not there is one."""
    caller: Caller


class Unit:
    """The session of one request and what it owes at its end."""

    def __init__(self, database: Database, *, asked: Callable[[], Asked]) -> None:
        self._asked = asked
        self._database = database
        self._session: AsyncSession | None = None
        self._reader: AsyncSession | None = None
        self.claim: Claim | None = None
        self.problem: Problem | None = None
        """The refusal that the handlers ended with, if any."""

    @property
    def session(self) -> AsyncSession:
        """Made when it is first asked for: the hot paths never do, and making it costs as much as they do."""
        if self._session is None:
            self._session = self._database.sessions()
            db.hold(self._session)
        return self._session

    @property
    def reader(self) -> AsyncSession:
        """For a handler that only reads and for whom each statement may see its own moment: no transaction.
        What it writes is written at once, so nothing may be written by it."""
        if self._reader is None:
            self._reader = self._database.readers()
        return self._reader

    async def replica_reader(self) -> AsyncSession:
        """As `reader`, for what may be some seconds old: by a replica, where there is one that keeps up."""
        standby = replica.current()
        if self._reader is None and standby is not None:
            self._reader = await standby.session()
        return self.reader

    async def settle(self, status: int, answer: Callable[[], Answer]) -> None:
        """Commit the work, or undo it and record the refusal. Raises what the commit raises."""
        if self._session is None and self.claim is None and not self._is_to_record(status):
            return
        if status >= 500:
            await self.session.rollback()
            await self._release()
        elif status >= 400:
            if self.problem is None or not self.problem.commits:
                await self.session.rollback()
            await self._record_refusal()
            await self._keep(status, answer)
        else:
            await self._keep(status, answer)
        if self.session.in_transaction():
            await self.session.commit()
        self.claim = None

    async def close(self) -> None:
        """Give the connection back; what is not committed is undone."""
        if self.claim is not None:
            idempotency.abandon(self.claim)
        if self._reader is not None:
            await self._reader.close()
        if self._session is not None:
            await self._session.close()
            db.let_go(self._session)

    async def _keep(self, status: int, answer: Callable[[], Answer]) -> None:
        # After the face check that it asks for, the same request with the same key shall go through.
        if status in _NOT_KEPT or isinstance(self.problem, StepUpNeeded):
            await self._release()
        elif self.claim is not None:
            try:
                await idempotency.store(self.session, self.claim, answer(), caller=self._asked().caller)
            except ClaimLost:
                self.claim = None
                raise

    async def _release(self) -> None:
        if self.claim is not None:
            await idempotency.release(self.session, self.claim)

    def _is_to_record(self, status: int) -> bool:
        """Whether this is a refusal that the audit keeps."""
        problem = self.problem
        return (
            400 <= status < 500
            and problem is not None
            and problem.is_recorded
            and problem.status not in _NOT_AUDITED
        )

    async def _record_refusal(self) -> None:
        if not self._is_to_record(400):
            return
        assert self.problem is not None
        asked = self._asked()
        if asked.action is not None:
            await audit.refused(
                self.session,
                asked.action,
                outcome=self.problem.slug,
                object_kind=asked.object_kind,
                object_id=asked.object_id,
            )
