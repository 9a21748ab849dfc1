"""What is asked of the database, heard at the pool of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event

from haiyiban.db import Database


@asynccontextmanager
async def heard(database: Database) -> AsyncIterator[list[str]]:
    """The statements that are sent meanwhile: those of SQLAlchemy, and those of hot paths by the driver."""
    statements: list[str] = []

    def by_sqlalchemy(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    def by_driver(query: Any) -> None:
        statements.append(query.query)

    def taken(connection: Any, *_: Any) -> None:
        connection.driver_connection.add_query_logger(by_driver)

    def given_back(connection: Any, *_: Any) -> None:
        connection.driver_connection.remove_query_logger(by_driver)

    engine = database.engine.sync_engine
    listeners = (
        (engine, "before_cursor_execute", by_sqlalchemy),
        (engine, "checkout", taken),
        (engine, "checkin", given_back),
    )
    for target, name, listener in listeners:
        event.listen(target, name, listener)
    try:
        yield statements
        await asyncio.sleep(0)  # the driver tells of its statements at the next turn of the loop
    finally:
        for target, name, listener in listeners:
            event.remove(target, name, listener)
