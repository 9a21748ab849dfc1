"""Rows as the person reads them whom they are about: opened, with camelCase names, as JSON.

What only machines compare (hashes, blind indexes) says nothing to anybody and is left out, as is which member
of staff did something: that the agency acted is what concerns the person.
Source: 个人信息保护法 art. 45; docs/your-data.md.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import SHANGHAI
from haiyiban.db import Base

Row = TypeVar("Row", bound=Base)

_SEALED = "_sealed"
_STAFF = "identity_staff.id"


async def find(session: AsyncSession, table: type[Row], *conditions: ColumnElement[bool]) -> list[Row]:
    """All rows of a table that fulfil the conditions, the oldest first."""
    rows = await session.scalars(select(table).where(*conditions).order_by(*_table(table).primary_key))
    return list(rows)


async def told_all(
    session: AsyncSession, table: type[Row], *conditions: ColumnElement[bool], without: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The same, each as `told`."""
    return [told(row, without=without) for row in await find(session, table, *conditions)]


def told(row: Base, *, without: Collection[str] = ()) -> dict[str, Any]:
    """A row without what is empty. `without`: columns, by their name and without `_sealed`."""
    answer = {}
    for column in _table(type(row)).columns:
        name = column.name.removesuffix(_SEALED)
        if name in without or not _is_told(column):
            continue
        value = getattr(row, name)
        if value is not None:
            answer[camel(name)] = plain(value)
    return answer


def plain(value: Any) -> Any:
    """A value as JSON has it; times by the clock of Hainan."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def camel(name: str) -> str:
    """`paid_months` as `paidMonths`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _is_told(column: Column[Any]) -> bool:
    if any(key.target_fullname == _STAFF for key in column.foreign_keys):
        return False
    return column.name.endswith(_SEALED) or not isinstance(column.type, LargeBinary)


def _table(row: type[Base]) -> Table:
    return cast("Table", row.__table__)
