"""Finding a matter by everyday words: an index of character pairs in the process's memory, built when the
catalogue is read.

Score: for each token of the query, how rare it is times where it stands (name before keywords before
summary); a query that is the name, or part of it, comes first. Equal scores are in order of code, so that
the same query always answers the same list.

Source: performance.md §8 (bigrams everywhere), §11 (p95 ≤ 2 ms over 19,723 matters).
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

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


class Entry(NamedTuple):
    """One thing to find: its code, its names, and other texts with their weight."""

    code: str
    names: tuple[str, ...]
    texts: tuple[tuple[str, float], ...]


class _Postings(NamedTuple):
    entries: "array[int]"
    weights: "array[float]"


class SearchIndex:
    """The index over all entries; reading only, so every thread may use it."""

    def __init__(self, entries: Iterable[Entry], everyday: EverydayWords) -> None:
        self._tokenizer = Tokenizer(everyday)
        self._entries = sorted(entries)
        self._names = [
            tuple(normal(name).strip() for name in (entry.code, *entry.names)) for entry in self._entries
        ]
        self._postings: dict[str, _Postings] = {}
        for number, entry in enumerate(self._entries):
            for token, weight in self._weights(entry).items():
                postings = self._postings.get(token)
                if postings is None:
                    postings = self._postings[token] = _Postings(array("I"), array("f"))
                postings.entries.append(number)
                postings.weights.append(weight)

    def find(self, query: str, *, allowed: Callable[[str], bool] | None = None) -> list[str]:
        """Codes for a query, best first, at most `MOST`; only those `allowed`.

        Nothing when no word of the query is known.
        """
        asked = normal(query[:_LONGEST])
        scores = self._scores(self._tokenizer.of_query(asked))
        if allowed is not None:
            scores = {n: score for n, score in scores.items() if allowed(self._entries[n].code)}
        enough = max(scores.values(), default=0.0) * _RELEVANT
        found = _best(scores, MOST, at_least=enough)
        named = sorted((-score * self._name_bonus(n, asked.strip()), n) for n, score in found.items())
        return [self._entries[number].code for _, number in named]

    def _weights(self, entry: Entry) -> dict[str, float]:
        """What each token of an entry weighs: the most that any of its texts gives it."""
        weights: dict[str, float] = {}
        for text, weight in ((entry.code, 2.0), *((name, 3.0) for name in entry.names), *entry.texts):
            for token in self._tokenizer.of_text(normal(text)):
                counts = weight * _NOTION_COUNTS if token.startswith("#") else weight
                if counts > weights.get(token, 0.0):
                    weights[token] = counts
        return weights

    def _scores(self, wanted: set[str]) -> dict[int, float]:
        """Rare tokens first and in full; once enough was read, common ones only for the best so far."""
        known = sorted(
            (len(self._postings[token].entries), token) for token in wanted & self._postings.keys()
        )
        scores: dict[int, float] = {}
        read = 0
        for count, token in known:
            numbers, weights = self._postings[token]
            rarity = math.log(1 + len(self._entries) / count)
            if read and read + count > _FULLY:
                if len(scores) > _CANDIDATES:
                    scores = _best(scores, _CANDIDATES)
                for number in scores:
                    at = bisect_left(numbers, number)
                    if at < count and numbers[at] == number:
                        scores[number] += rarity * weights[at]
            elif not read:
                scores = {number: rarity * weight for number, weight in zip(numbers, weights, strict=True)}
            else:
                for number, weight in zip(numbers, weights, strict=True):
                    scores[number] = scores.get(number, 0.0) + rarity * weight
            read += count
        return scores

    def _name_bonus(self, number: int, asked: str) -> float:
        """A query that is the name or the code comes before all that only holds its words."""
        names = self._names[number]
        if asked in names:
            return 4.0
        return 1.5 if any(asked in name for name in names) else 1.0


def _best(scores: dict[int, float], most: int, *, at_least: float = 0.0) -> dict[int, float]:
    """The highest scores, of equal ones the first entries. Figures alone are sorted first: pairs take
    longer."""
    if len(scores) > most:
        at_least = max(at_least, sorted(scores.values(), reverse=True)[most - 1])
    ranked = sorted((-score, number) for number, score in scores.items() if score >= at_least)
    return {number: -negative for negative, number in ranked[:most]}
