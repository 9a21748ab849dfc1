"""PostgreSQL: the one place where a fact lives.

One request or task is one transaction. The edge opens and commits a request's, the worker a task's;
services are given the session first and never commit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
    any_,
    literal,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

T = TypeVar("T")


class Base(DeclarativeBase):
    """Every table (`<feature>_<noun>`); constraints are named, so that a race maps to its problem."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


class Row(asyncpg.Record):  # type: ignore[misc]
    """A row of `Database.fetch`: by name, as those of SQLAlchemy, or in the order of its columns."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Database:
    """The engine of one process and its ways in."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            # A crash is logged with its statement; the values in it are people's.
            hide_parameters=True,
            connect_args={"timeout": 5, "server_settings": {"application_name": "haiyiban"}},
        )
        self.autocommit: AsyncEngine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        """For the coalesced statements of hot paths: one statement is one transaction."""
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.readers = async_sessionmaker(self.autocommit, expire_on_commit=False, autoflush=False)
        """For reads that need no transaction: BEGIN and COMMIT are two of three round trips of a list."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction of a task or of the edge: committed at the end, rolled back on any error."""
        async with self.sessions.begin() as session:
            with _held(session):
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A short look that ends before anything slow begins, such as asking a register."""
        async with self.sessions() as session:
            with _held(session):
                yield session

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """The rows of one statement of a hot path (`$1`, `$2`, …), committed when they are here.

        By the driver itself, on a connection of the same pool: SQLAlchemy's way for one statement costs three
        times what PostgreSQL's answer does (docs/decisions/0030-statements-of-hot-paths.md). Raises what
        asyncpg raises; `is_away` knows it.
        """
        connection = await self.engine.raw_connection()
        while (driver := _driver_of(connection)).is_closed():
            # The server left meanwhile: SQLAlchemy, which did not see it, is told to make a new one.
            await greenlet_spawn(connection.invalidate)
            connection = await self.engine.raw_connection()
        give_back = connection.close
        try:
            rows: list[Row] = await driver.fetch(statement, *values, record_class=Row)
            return rows
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if is_away(error) or driver.is_closed():
                give_back = connection.invalidate
            if isinstance(error, asyncpg.InterfaceError) and driver.is_closed():
                raise ConnectionError(str(error)) from error
            raise
        finally:
            await greenlet_spawn(give_back)

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()


def _driver_of(connection: PoolProxiedConnection) -> Any:
    return connection.driver_connection


_sessions: ContextVar[tuple[AsyncSession, ...]] = ContextVar("haiyiban_sessions", default=())
"""The sessions that this request or task holds."""


def hold(session: AsyncSession) -> None:
    """Remember a request's own session, until `let_go`."""
    _sessions.set((*_sessions.get(), session))


def let_go(session: AsyncSession) -> None:
    """The session is closed."""
    _sessions.set(tuple(held for held in _sessions.get() if held is not session))


def require_no_transaction() -> None:
    """Said before anything that waits for the outside: a transaction left open meanwhile would keep its locks
    and its connection for seconds, and a slow register would take the whole platform with it.

    Raises RuntimeError, for it is our own mistake: read what you need in `reading()`, ask, then write.
    """
    if any(session.in_transaction() for session in _sessions.get()):
        raise RuntimeError("the outside must not be asked while a transaction is open")


@contextmanager
def _held(session: AsyncSession) -> Iterator[None]:
    hold(session)
    try:
        yield
    finally:
        let_go(session)


def among(column: InstrumentedAttribute[T], values: Sequence[T]) -> ColumnElement[bool]:
    """`column.in_(values)` for batches of thousands: one array in the statement and not a parameter for each,
    which cost more to write out than the rows to read."""
    return column == any_(literal(list(values), ARRAY(column.type)))


def driver_url(url: str) -> str:
    """The URL as SQLAlchemy with asyncpg wants it."""
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    raise ValueError("DATABASE_URL must begin with postgresql://")


def violated(error: IntegrityError) -> str | None:
    """The name of the constraint that a statement broke, to map a race to the same problem as the check."""
    cause = getattr(error.orig, "__cause__", None)
    name = getattr(cause, "constraint_name", None)
    return str(name) if name else None


_AWAY_STATES = frozenset(
    {
        "57P01",
        "57P02",
        "57P03",
        "08000",
        "08001",
        "08003",
        "08004",
        "08006",
        "53300",
        "40001",
        "40P01",
        "55P03",
    }
)
"""PostgreSQL stops, starts, is full of connections, or ended this transaction for another's sake."""


def is_away(error: BaseException) -> bool:
    """Whether an error means that PostgreSQL cannot serve now and may soon, as while it restarts."""
    if isinstance(error, PoolTimeout | InterfaceError | ConnectionError | TimeoutError):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        state = getattr(error.orig, "sqlstate", None)
        return state in _AWAY_STATES or (isinstance(error, OperationalError) and state is None)
    if isinstance(error, OSError):
        # A connection that fails names no file; a file of ours that is missing is a mistake, not bad weather.
        return error.filename is None
    return getattr(error, "sqlstate", None) in _AWAY_STATES


_database: Database | None = None


def install(database: Database) -> None:
    """Make this process use a database; done once at its start."""
    global _database
    _database = database


def database() -> Database:
    """The database of this process."""
    if _database is None:
        raise RuntimeError("no database is installed in this process")
    return _database
