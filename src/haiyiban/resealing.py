"""Sealing what earlier field keys sealed with the newest one, while everybody goes on working (密钥轮换).

`haiyiban keys rotate field` adds a key, `keys reseal` opens every personal value that another key sealed and
seals it anew, `keys retire` takes a key away that nothing needs. A row is replaced only while it is what was
read, so whoever writes meanwhile wins. What is done needs no list: a value names its key, so a run that was
stopped goes on where it was.

Every sealed value stands in a column `<name>_sealed` of a table with one column as its key, bound to the
row's `id`, or to its key where it has none (`haiyiban.sealed.place`); a folder that seals what lies outside
the database names it in `Zone.objects`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, Table, bindparam, func, or_, select, update

from haiyiban import objects
from haiyiban.crypto import KeyMissing, Vault, vault
from haiyiban.db import Base, database
from haiyiban.sealed import place
from haiyiban.zone import SealedObject

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 200
PASSES = 3
"""What a process sealed with the old key behind our back is found by the next pass."""
_SUFFIX = "_sealed"

Objects = Callable[[], AsyncIterator[SealedObject]]


class Done(NamedTuple):
    """How far a run is: the table or `objects`, values sealed anew there, and how many there were to seal."""

    what: str
    sealed: int
    of: int


def tables() -> list[Table]:
    """Every table with a sealed column, by name."""
    found = [table for table in Base.metadata.tables.values() if _columns(table)]
    return sorted(found, key=lambda table: table.name)


async def stale(kid: bytes | None = None) -> dict[str, int]:
    """By table, the rows with a value that the key `kid` sealed; without it, any key but the newest."""
    counts = {}
    for table in tables():
        async with database().reading() as session:
            counts[table.name] = await session.scalar(
                select(func.count()).select_from(table).where(_is_stale(table, kid))
            )
    return {name: count for name, count in counts.items() if count}


async def stale_objects(stored: Sequence[Objects], kid: bytes | None = None) -> list[SealedObject]:
    """The same of what lies outside the database."""
    found = []
    for each in stored:
        async for sealed in each():
            held = await _head(sealed.name)
            if held is not None and (held == kid if kid else held != vault().active):
                found.append(sealed)
    return found


async def reseal(stored: Sequence[Objects], tell: Callable[[Done], object]) -> int:
    """Seal everything with the newest key, telling after each batch; how much is left, by rights nothing.

    What does not open is left, and named in the log.
    """
    for _ in range(PASSES):
        counts = await stale()
        for table in tables():
            await _reseal_table(table, counts.get(table.name, 0), tell)
        await _reseal_objects(stored, tell)
        left = sum((await stale()).values()) + len(await stale_objects(stored))
        if not left:
            break
    return left


async def _reseal_table(table: Table, total: int, tell: Callable[[Done], object]) -> None:
    (key,) = table.primary_key
    bound = table.columns.get("id", key)
    done, last = 0, None
    while True:
        wanted = (
            select(key, bound.label("bound"), *_columns(table))
            .where(_is_stale(table))
            .order_by(key)
            .limit(ROWS_AT_ONCE)
        )
        async with database().transaction() as session:
            rows = (await session.execute(wanted if last is None else wanted.where(key > last))).all()
            connection = await session.connection()
            for column in _columns(table):
                if changes := _changes(table, column, rows):
                    await connection.execute(_replaced(table, key, column), changes)
        if not rows:
            return
        last = rows[-1][0]
        done += len(rows)
        tell(Done(table.name, done, max(total, done)))


async def _reseal_objects(stored: Sequence[Objects], tell: Callable[[Done], object]) -> None:
    wanted = await stale_objects(stored)
    for done, each in enumerate(wanted, start=1):
        try:
            held = await objects.get(each.name)
        except FileNotFoundError:
            continue  # deleted meanwhile
        if (fresh := _anew(held, where=each.where, what=each.name)) is not None:
            await objects.put(each.name, fresh)
        tell(Done("objects", done, len(wanted)))


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name.endswith(_SUFFIX)]


def _is_stale(table: Table, kid: bytes | None = None) -> ColumnElement[bool]:
    # In SQL bytes are counted from one.
    first = Vault.KEY_AT.start + 1
    length = Vault.KEY_AT.stop - Vault.KEY_AT.start
    named = [func.substring(column, first, length) for column in _columns(table)]
    return or_(*(each == kid if kid else each != vault().active for each in named))


def _changes(table: Table, column: Column[Any], rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    changes = []
    for row in rows:
        old = getattr(row, column.name)
        if old is None or _kid(old) == vault().active:
            continue
        new = _anew(old, where=place(table.name, column.name, row.bound), what=f"{table.name} {row[0]}")
        if new is not None:
            changes.append({"row": row[0], "old": old, "new": new})
    return changes


def _replaced(table: Table, key: Column[Any], column: Column[Any]) -> Any:
    still = (key == bindparam("row"), column == bindparam("old"))
    return update(table).where(*still).values({column.name: bindparam("new")})


def _anew(sealed: bytes, *, where: str, what: str) -> bytes | None:
    """None for what does not open: one spoilt value must not keep all others from their new key."""
    try:
        plain = vault().open(sealed, where=where)
    except KeyMissing as error:
        log.error("%s is left as it is: %s", what, error)
        return None
    return vault().seal(plain, where=where)


def _kid(sealed: bytes) -> bytes:
    return sealed[Vault.KEY_AT]


async def _head(name: str) -> bytes | None:
    try:
        return _kid(await objects.get(name))
    except FileNotFoundError:
        return None
