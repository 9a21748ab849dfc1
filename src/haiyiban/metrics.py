"""What a folder tells Prometheus (指标): declared in `Zone.metrics`, and that is all there is to do.

A name is `haiyiban_<feature>_<what>_<unit>`, of a sum that only grows `…_total`; times are seconds. A label's
values are few and known: never a person, an id or a number of a case. What is counted costs an addition in
memory; what is measured is asked when Prometheus asks, seldom (haiyiban.runtime.exposition).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text

from haiyiban.db import database
from haiyiban.errors import Words

Rows = Iterable[tuple[Any, ...]]
"""Of each the values of the labels, in their order, then the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often something happened in this process since it began."""

    name: str
    what: Words
    labels: tuple[str, ...] = ()
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def saw(self, *labels: str) -> None:
        """Once more. From the event loop's thread alone: nothing here is locked, for hot paths count."""
        self.seen[labels] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """How much of something there is now, as this process knows it."""

    name: str
    what: Words
    read: Callable[[], Rows]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How much of something there is now, as the database knows it: alike whichever process tells it."""

    name: str
    what: Words
    ask: Callable[[datetime], Awaitable[Rows]]
    """Given now. It has two seconds, so it goes by an index."""
    labels: tuple[str, ...] = ()


Metric = Count | Gauge | Asked


def by_query(query: str) -> Callable[[datetime], Awaitable[Rows]]:
    """What a query answers, which may name `:now`; its columns are the labels in their order and the number.
    A row without a number is left out."""
    statement = text(query)

    async def ask(now: datetime) -> Rows:
        given = {"now": now} if ":now" in query else {}
        async with database().autocommit.connect() as connection:
            found = (await connection.execute(statement, given)).all()
        return [tuple(row) for row in found if row[-1] is not None]

    return ask
