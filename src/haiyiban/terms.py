"""How long each class of data is kept, why, and what goes when its time is over (保存期限).

Every folder declares the classes of its tables (`Zone.terms`), so that each table of people has one. The
kernel carries them out (haiyiban.retention) and reports what it did.
Source: 个人信息保护法 art. 19, 47; docs/domain.md §13; docs/retention.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from haiyiban.clock import local_date
from haiyiban.errors import Words

YEAR = timedelta(days=366)
"""Where the law says years, it says for how many at least."""

_terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Which rows of a table go, and when. A row that another row refers to stays until that one is gone."""

    table: type[DeclarativeBase]
    since: ColumnElement[datetime] | InstrumentedAttribute[Any]
    """The instant from which on the time counts; a row where it is null stays."""
    after: timedelta | Callable[[date], timedelta]
    """How long; as a dated setting, given the day."""
    only: ColumnElement[bool] | None = None
    """Rows of the table that this is about, where it is not about all."""
    along: tuple[InstrumentedAttribute[Any], ...] = ()
    """Columns that refer to the row: their rows go with it. The table then has one column as its key."""
    every: timedelta = timedelta(hours=6)
    """How often it is looked for: nothing stays longer than its time and this."""

    def limit(self, now: datetime) -> datetime:
        """What counts from before this instant is due."""
        return now - (self.after if isinstance(self.after, timedelta) else self.after(local_date(now)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One class of data (数据类别)."""

    data_class: str
    """`<feature>.<what>`, such as `identity.sms-codes`."""
    what: Words
    tables: tuple[type[DeclarativeBase], ...]
    """Whose class this is; none where it is a part of a table of another class."""
    kept: Words
    """How long, in words: of what an ending deletes, with the figure of `after`."""
    why: Words
    """With the rule that has us keep it so long, or no longer."""
    ending: Ending | None = None
    """None where no task deletes it."""


def install(terms: Iterable[Term]) -> None:
    """The terms of every folder, whichever zones are served here: what is switched off keeps its data."""
    global _terms
    _terms = tuple(sorted(terms, key=lambda term: term.data_class))


def installed() -> tuple[Term, ...]:
    """All of them, by the name of the class."""
    return _terms
