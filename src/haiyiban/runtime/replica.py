"""A streaming standby that answers what may be a few seconds old, so that the primary has less to do.

A handler that may look at it takes `replica_reader`: public lists that everybody reads at once, never what
somebody looks for that they have just written. How old its data are is not asked of clocks: each second we
note how far the primary's log is, and the standby is as new as the newest note that it has replayed. Away, or
older than allowed, it is left out and the primary answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from haiyiban.db import database, driver_url, is_away
from haiyiban.errors import Words
from haiyiban.metrics import Gauge, Rows

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_ANSWER_SECONDS = 1.0
"""How long a look, or the first word to the standby of a request, may take."""

_WRITTEN = text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
# One that was made a primary meanwhile replays nothing any more.
_REPLAYED = text("SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') WHERE pg_is_in_recovery()")


class Freshness:
    """How old what a standby shows may be, by positions in the primary's log. Times are monotonic seconds."""

    def __init__(self, kept_seconds: float) -> None:
        self._kept = kept_seconds
        self._marks: deque[tuple[float, int]] = deque()

    def mark(self, position: int, *, at: float) -> None:
        """The primary's log was this far at this time."""
        self._marks.append((at, position))
        while self._marks[0][0] < at - self._kept:
            self._marks.popleft()

    def shown(self, position: int) -> float | None:
        """The newest time of which a standby that has replayed so far shows everything; None: none known."""
        return max((at for at, written in self._marks if written <= position), default=None)


class Replica:
    """The standby of this process."""

    def __init__(self, url: str, *, most_seconds: float, pool_size: int) -> None:
        self._most = most_seconds
        self._engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_ANSWER_SECONDS,
            # Else the first request after a restart of it would be the one to find out.
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"timeout": _ANSWER_SECONDS, "server_settings": {"application_name": "haiyiban"}},
        )
        readers = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sessions = async_sessionmaker(readers, expire_on_commit=False, autoflush=False)
        self._freshness = Freshness(4 * most_seconds)
        self._shows: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it shows everything that was there `most_seconds` ago."""
        return self._shows is not None and time.monotonic() - self._shows <= self._most

    async def session(self) -> AsyncSession | None:
        """A session that reads from it; None where the primary has to answer."""
        if not self.is_fresh:
            return None
        session = self._sessions()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await session.connection()
        except Exception as error:
            await session.close()
            if not is_away(error):
                raise
            self._left(error)
            return None
        return session

    async def look(self) -> None:
        """Find out how new it is; raises nothing."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                at = time.monotonic()
                async with database().autocommit.connect() as connection:
                    self._freshness.mark(int((await connection.execute(_WRITTEN)).scalar_one()), at=at)
                async with self._engine.connect() as connection:
                    replayed = (await connection.execute(_REPLAYED)).scalar_one_or_none()
            self._shows = None if replayed is None else self._freshness.shown(int(replayed))
        except Exception as error:  # noqa: BLE001 - whatever it is, the primary answers
            self._left(error)

    async def watch(self) -> None:
        """Look each second, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()

    def _left(self, error: Exception) -> None:
        if self._shows is not None:
            log.warning("the replica is left out: %s", type(error).__name__)
        self._shows = None


_replica: Replica | None = None


def install(replica: Replica | None) -> None:
    """Make this process read from a replica; done once at its start."""
    global _replica
    _replica = replica


def current() -> Replica | None:
    """The replica of this process, if it has one."""
    return _replica


def _fresh() -> Rows:
    return [] if _replica is None else [(int(_replica.is_fresh),)]


FRESH = Gauge(
    name="haiyiban_database_fresh_replicas",
    what=Words("本进程可读的只读副本数", "Read replicas that this process reads from, 1 or 0"),
    read=_fresh,
)
