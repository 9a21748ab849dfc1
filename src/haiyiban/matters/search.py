"""Finding a matter by everyday words: an index of character pairs, written when the catalogue is compiled and
read a few tokens at a time, so that a process holds next to nothing of it.

Score: for each token of the query, how rare it is times where it stands (name before keywords before
summary); a query that is the name, or part of it, comes first. One kind of matter stands in hundreds of
places: the best of each kind comes before the second of any. Equal scores are in order of code, so that the
same query always answers the same list.

Source: performance.md §8 (bigrams everywhere), §11 (p95 ≤ 2 ms over 19,723 matters).
"""

import math
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from haiyiban.matters.words import EverydayWords, Tokenizer, normal

MOST: Final = 100
"""A search answers no more than this; who needs more needs better words."""
_FULLY: Final = 2_000
"""Postings read in full before the rest is looked up for the best candidates only."""
_CANDIDATES: Final = 120
_RELEVANT: Final = 0.25
"""Below this share of the best score a match is chance."""
_NOTION_COUNTS: Final = 2.0
"""A notion is what the person means; a pair of characters may be chance."""
_LONGEST: Final = 200
"""Characters of a query that are looked at."""
_TABLES: Final = """
CREATE TABLE entry (number INTEGER PRIMARY KEY, names TEXT NOT NULL);
CREATE TABLE name (name TEXT, number INTEGER, PRIMARY KEY (name, number)) WITHOUT ROWID;
CREATE TABLE posting (token TEXT NOT NULL UNIQUE, groups BLOB NOT NULL);
CREATE TABLE kinds (of_entries BLOB NOT NULL);
"""


class Entry(NamedTuple):
    """One thing to find: its code, its names, other texts with their weight, and what kind it is of where
    the same stands in several places; its number is its place in the order of codes."""

    code: str
    names: tuple[str, ...]
    texts: tuple[tuple[str, float], ...]
    kind: str = ""


def write(entries: Iterable[Entry], everyday: EverydayWords, into: sqlite3.Connection) -> None:
    """Make the index of entries that come in order of code."""
    tokenizer = Tokenizer(everyday)
    by_token: dict[str, dict[float, array[int]]] = {}
    kinds: dict[str, int] = {}
    of_entries = array("I")
    into.executescript(_TABLES)
    for number, entry in enumerate(entries):
        names = sorted({normal(name).strip() for name in (entry.code, *entry.names)})
        into.execute("INSERT INTO entry VALUES (?, ?)", (number, "\n".join(names)))
        into.executemany("INSERT INTO name VALUES (?, ?)", [(name, number) for name in names])
        of_entries.append(kinds.setdefault(entry.kind or entry.code, len(kinds)))
        for token, weight in _weights(entry, tokenizer).items():
            by_token.setdefault(token, {}).setdefault(weight, array("I")).append(number)
    into.execute("INSERT INTO kinds VALUES (?)", (of_entries.tobytes(),))
    for token in sorted(by_token):
        groups = [(weight, numbers.tobytes()) for weight, numbers in sorted(by_token[token].items())[::-1]]
        into.execute("INSERT INTO posting VALUES (?, ?)", (token, msgspec.msgpack.encode(groups)))


def _weights(entry: Entry, tokenizer: Tokenizer) -> dict[str, float]:
    """What each token of an entry weighs: the most that any of its texts gives it."""
    weights: dict[str, float] = {}
    for text, weight in ((entry.code, 2.0), *((name, 3.0) for name in entry.names), *entry.texts):
        for token in tokenizer.of_text(normal(text)):
            counts = weight * _NOTION_COUNTS if token.startswith("#") else weight
            if counts > weights.get(token, 0.0):
                weights[token] = counts
    return weights


class _Postings(NamedTuple):
    """Where a token stands: numbers of entries in order, by weight, the heaviest first."""

    total: int
    token: str
    groups: list[tuple[float, "array[int]"]]


class SearchIndex:
    """The index over all entries; reading only, so every thread may use it."""

    def __init__(self, written: sqlite3.Connection, everyday: EverydayWords) -> None:
        self._written = written
        self._tokenizer = Tokenizer(everyday)
        (of_entries,) = written.execute("SELECT of_entries FROM kinds").fetchone()
        self._kinds = array("I", of_entries)

    def find(self, query: str, *, among: bytes | None = None) -> list[int]:
        """Numbers of entries for a query, best first, at most `MOST`; nothing when no word of it is known.

        `among`: a byte for each entry, 0 for those that are not wanted.
        """
        asked = normal(query[:_LONGEST])
        scores = self._scores(self._tokenizer.of_query(asked), among)
        best = max(scores.values(), default=0.0)
        scores = _best(scores, _CANDIDATES, at_least=best * _RELEVANT)
        self._prefer_names(scores, asked.strip(), best=best, among=among)
        ranked = sorted(scores, key=lambda number: (-scores[number], number))
        first: dict[int, int] = {}
        for number in ranked:
            first.setdefault(self._kinds[number], number)
        # Both parts keep the order of scores: dicts remember, and sorting is stable.
        return sorted(ranked, key=lambda number: first[self._kinds[number]] != number)[:MOST]

    def _scores(self, wanted: set[str], among: bytes | None) -> dict[int, float]:
        """Rare tokens first and in full; once enough was read, common ones only for the best so far."""
        scores: dict[int, float] = {}
        read = 0
        for total, _, groups in sorted(filter(None, map(self._postings, sorted(wanted)))):
            rarity = math.log(1 + len(self._kinds) / total)
            if not scores:
                _begin(scores, groups, rarity, among)
            elif read + total <= _FULLY:
                for weight, numbers in groups:
                    scores = _added(scores, _allowed(numbers, among), rarity * weight)
            else:
                scores = _best(scores, _CANDIDATES)
                for weight, numbers in groups:
                    for number in _both(scores, numbers):
                        scores[number] += rarity * weight
            read += total
        return scores

    def _postings(self, token: str) -> _Postings | None:
        row = self._written.execute("SELECT groups FROM posting WHERE token = ?", (token,)).fetchone()
        if row is None:
            return None
        kept = msgspec.msgpack.decode(row[0], type=list[tuple[float, bytes]])
        groups = [(weight, array("I", numbers)) for weight, numbers in kept]
        return _Postings(sum(len(numbers) for _, numbers in groups), token, groups)

    def _prefer_names(
        self, scores: dict[int, float], asked: str, *, best: float, among: bytes | None
    ) -> None:
        """A query that is the name or the code comes before all that only holds its words."""
        called = self._written.execute("SELECT number FROM name WHERE name = ?", (asked,)).fetchall()
        exactly = _allowed([number for (number,) in called[:MOST]], among)
        holding = self._written.execute(
            "SELECT number FROM entry WHERE number IN (SELECT value FROM json_each(?)) AND instr(names, ?)",
            (msgspec.json.encode(list(scores)).decode(), asked),
        ).fetchall()
        for (number,) in holding:
            scores[number] *= 1.5
        for number in exactly:
            scores[number] = max(best, scores.get(number, 0.0)) * 4.0


def _begin(
    scores: dict[int, float], groups: list[tuple[float, "array[int]"]], rarity: float, among: bytes | None
) -> None:
    """The rarest token: all where it stands, or the best of them where it is common itself."""
    for weight, numbers in groups:
        room = _FULLY - len(scores)
        scores.update(dict.fromkeys(_allowed(numbers, among)[:room], rarity * weight))


def _added(scores: dict[int, float], numbers: Sequence[int], gain: float) -> dict[int, float]:
    """Scores with a gain for each number: only those that had one already are looked at one by one."""
    both = scores.keys() & numbers
    scores = dict.fromkeys(numbers, gain) | scores
    for number in both:
        scores[number] += gain
    return scores


def _both(scores: dict[int, float], numbers: Sequence[int]) -> Collection[int]:
    """Numbers that have a score: by going through the postings, or where they are many by looking each up."""
    last = len(numbers)
    if last < _FULLY:
        return scores.keys() & numbers
    places = [(number, bisect_left(numbers, number)) for number in scores]
    return [number for number, at in places if at < last and numbers[at] == number]


def _allowed(numbers: Sequence[int], among: bytes | None) -> Sequence[int]:
    return numbers if among is None else [number for number in numbers if among[number]]


def _best(scores: dict[int, float], most: int, *, at_least: float = 0.0) -> dict[int, float]:
    """The highest scores, of equal ones the first entries. Figures alone are sorted first: pairs take
    longer."""
    if len(scores) > most:
        at_least = max(at_least, sorted(scores.values(), reverse=True)[most - 1])
    ranked = sorted((-score, number) for number, score in scores.items() if score >= at_least)
    return {number: -negative for negative, number in ranked[:most]}
