"""The catalogue (事项库): every matter file, checked and compiled once, then only read.

Source: docs/domain.md §3.3–3.5; docs/add-a-matter.md.
"""

import os
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from functools import cache, cached_property, lru_cache, partial
from itertools import compress
from pathlib import Path
from typing import Any, Self, overload

import msgspec

from haiyiban import divisions, resources
from haiyiban.errors import NotFound, Words
from haiyiban.matters import keeping
from haiyiban.matters.compiling import compile_files, compile_matters
from haiyiban.matters.matter import Matter
from haiyiban.matters.search import SearchIndex
from haiyiban.matters.words import EverydayWords
from haiyiban.settings import home_of

_HELD = 256
"""Matters that a process holds because they were read last; one takes some 7 kB."""


class MatterUnknown(NotFound):
    """No such matter is offered."""

    type = "matters/matter-unknown"
    title = Words("没有这个事项，请换个说法搜索", "There is no such matter; try other words")


class Matters(Sequence[Matter]):
    """Matters of a catalogue in an order, each read when it is looked at: a page reads its twenty."""

    def __init__(self, catalogue: "Catalogue", ids: Sequence[int]) -> None:
        self._catalogue = catalogue
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, at: int) -> Matter: ...
    @overload
    def __getitem__(self, at: slice) -> "Matters": ...
    def __getitem__(self, at: int | slice) -> "Matter | Matters":
        if isinstance(at, slice):
            return Matters(self._catalogue, self._ids[at])
        return self._catalogue.by_id(self._ids[at])


class Catalogue:
    """All published versions of all matters, as they are compiled; every thread may read it."""

    def __init__(self, compiled: sqlite3.Connection) -> None:
        self._compiled = compiled
        (words,) = compiled.execute("SELECT words FROM everyday").fetchone()
        self.everyday = msgspec.msgpack.decode(words, type=EverydayWords)
        self._index = SearchIndex(compiled, self.everyday)
        # By the number under which the index knows them: their place in the order of codes.
        self._current = array("I", self._all("SELECT matter FROM current ORDER BY number"))
        self._decoder = msgspec.msgpack.Decoder(Matter)
        self.by_id = lru_cache(maxsize=_HELD)(self._by_id)
        # Asked for each line of each list; an id by code is small, and never changes.
        self._ids = lru_cache(maxsize=16 * _HELD)(self._all)
        self._among = lru_cache(maxsize=_HELD)(self._matching)

    @classmethod
    def of(cls, matters: Iterable[Matter], everyday: EverydayWords = EverydayWords()) -> Self:  # noqa: B008 - frozen
        """A catalogue in memory."""
        compiled = keeping.in_memory()
        compile_matters(compiled, matters, everyday)
        return cls(compiled)

    @classmethod
    def load(cls, folder: Path, further: Path | None = None) -> Self:
        """Read `folder` (`schemas/matters`), and a further one beside it, into memory.

        Raises BrokenCatalogue with all that is wrong in all files.
        """
        compiled = keeping.in_memory()
        compile_files(compiled, folder, further)
        return cls(compiled)

    def get(self, code: str) -> Matter:
        """The newest version. Raises MatterUnknown."""
        return self._one("SELECT id FROM matter WHERE code = ? ORDER BY version DESC LIMIT 1", code)

    def version(self, code: str, version: int) -> Matter:
        """The version a case was opened under. Raises MatterUnknown."""
        return self._one("SELECT id FROM matter WHERE code = ? AND version = ?", code, version)

    def versions(self) -> Matters:
        """Every version of every matter, in order of code, the newest first."""
        return Matters(self, self._all("SELECT id FROM matter ORDER BY code, version DESC"))

    def search(
        self,
        query: str = "",
        *,
        zone: str | None = None,
        audience: str | None = None,
        division: str | None = None,
    ) -> Matters:
        """Newest versions that match, best first; an empty query lists all in order of code.

        `division` keeps what its people find: offered there, in what holds it, or somewhere inside it. An
        unknown one finds nothing.
        """
        among = None
        if (zone, audience, division) != (None, None, None):
            among = self._among(zone, audience, None if division is None else divisions.canonical(division))
        if query.strip():
            return Matters(self, [self._current[number] for number in self._index.find(query, among=among)])
        if among is None:
            return Matters(self, self._current)
        return Matters(self, list(compress(self._current, among)))

    @cached_property
    def agencies(self) -> frozenset[str]:
        """Every agency that handles a matter."""
        return frozenset(self._all("SELECT DISTINCT agency FROM current"))

    def of_agency(self, agency: str) -> Matters:
        """The newest versions that an agency handles, in order of code."""
        return Matters(self, self._all("SELECT matter FROM current WHERE agency = ? ORDER BY number", agency))

    def across(self) -> Matters:
        """The newest versions that are handled beyond one division (通办), in order of code."""
        return Matters(self, self._all("SELECT matter FROM current WHERE is_across ORDER BY number"))

    def issuing(self, certificate: str) -> Matter | None:
        """The matter by which people get a certificate of a type; the first by code, none where none does."""
        found = self._all("SELECT matter FROM current WHERE issues = ? ORDER BY number LIMIT 1", certificate)
        return self.by_id(found[0]) if found else None

    def _one(self, query: str, *given: str | int) -> Matter:
        if not (found := self._ids(query, *given)):
            raise MatterUnknown()
        return self.by_id(found[0])

    def _all(self, query: str, *given: str | int | None) -> list[Any]:
        return [value for (value,) in self._compiled.execute(query, given)]

    def _by_id(self, id_: int) -> Matter:
        (body,) = self._compiled.execute("SELECT body FROM matter WHERE id = ?", (id_,)).fetchone()
        return self._decoder.decode(body)

    def _matching(self, zone: str | None, audience: str | None, division: str | None) -> bytes:
        """A byte for each matter by number: whether a list that is narrowed so holds it."""
        found = bytearray(len(self._current))
        reach = "null" if division is None else msgspec.json.encode(sorted(_reach(division))).decode()
        for number in self._all(
            """SELECT number FROM current WHERE (?1 IS NULL OR zone = ?1) AND (?2 IS NULL OR audience = ?2)
            AND (?3 = 'null' OR number IN
                (SELECT number FROM offered WHERE division IN (SELECT value FROM json_each(?3))))""",
            zone,
            audience,
            reach,
        ):
            found[number] = 1
        return bytes(found)


@cache
def _reach(division: str) -> frozenset[str]:
    """A division with all above and below it."""
    if divisions.find(division) is None:
        return frozenset()
    return divisions.subtree(division).union(above.code for above in divisions.ancestors(division))


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process, compiled by the first one that asks for it after a change. Raises
    BrokenCatalogue when it is first asked for, which is before the process is ready (runtime/app.py)."""
    folder = resources.own("matters") or resources.schemas() / "matters"
    further = resources.further_matters()
    sources = [resources.program(), resources.schemas(), *([further] if further else ())]
    make = partial(compile_files, folder=folder, further=further)
    return Catalogue(keeping.opened(home_of(os.environ), sources, make))
