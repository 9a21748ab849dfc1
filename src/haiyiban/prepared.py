"""A query of a hot path: written with the models like every other, put into SQL once, run by the driver.

SQLAlchemy builds, looks up and adapts a query for each request, which costs more than its rows do; measured
in docs/decisions/0030-statements-of-hot-paths.md. For what thousands read a second, not for every read.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from sqlalchemy import ARRAY, Select
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import TypeEngine

from haiyiban.db import database

_dialect: Any = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Prepared:
    """A SELECT whose values are named by `bindparam`.

    Columns come as the driver gives them. Raises ValueError for a query that needs more than that: a column
    that SQLAlchemy would convert, or `in_` over a list, whose SQL changes with its length (use `any_`).
    """

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        columns = query.selected_columns
        for column in columns:
            if _is_converted(column.type):
                raise ValueError(f"{column} is not what the driver gives")
        compiled = query.compile(dialect=_dialect)
        if compiled.post_compile_params:
            raise ValueError("in_() is another statement for each length of its list")
        self._statement = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._row: Any = namedtuple("Row", columns.keys())  # type: ignore[misc]

    async def rows(self, **values: Any) -> list[Any]:
        """The rows for these values, as named tuples. Raises KeyError for a value that is missing, and what
        `Database.fetch` does."""
        given = self._constants | values
        found = await database().fetch(self._statement, *[given[name] for name in self._names])
        return list(map(self._row._make, found))


def _is_converted(kind: TypeEngine[Any]) -> bool:
    item = kind.item_type if isinstance(kind, ARRAY) else kind
    return item.dialect_impl(_dialect).result_processor(_dialect, None) is not None
