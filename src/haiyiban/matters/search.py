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
from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import Final, NamedTuple

from haiyiban.matters.words import EverydayWords, normal, tokens, without_fillers

MOST: Final = 100
"""A search answers no more than this; who needs more needs better words."""
_FULLY: Final = 4_000
"""Postings read in full before the rest is looked up for the best candidates only."""
_CANDIDATES: Final = 400
_RELEVANT: Final = 0.25
"""Below this share of the best score a match is chance."""
_NOTION_COUNTS: Final = 2.0


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
        self._everyday = everyday
        self._entries = sorted(entries)
        self._names = [tuple(normal(name).strip() for name in entry.names) for entry in self._entries]
        self._postings: dict[str, _Postings] = defaultdict(lambda: _Postings(array("I"), array("f")))
        for number, entry in enumerate(self._entries):
            for token, weight in self._weights(entry).items():
                postings = self._postings[token]
                postings.entries.append(number)
                postings.weights.append(weight)
        self._postings = dict(self._postings)

    def find(self, query: str, *, allowed: Callable[[str], bool] = lambda _: True) -> list[str]:
        """Codes for a query, best first, at most `MOST`; only those `allowed`. Nothing when no word of it
        is known."""
        asked = normal(query)
        wanted = without_fillers(asked, self._everyday.fillers)
        scores = self._scores(set(tokens(wanted, self._everyday.notions)))
        best: float = 0.0
        found: list[tuple[float, int]] = []
        ranked = nsmallest(
            2 * MOST,
            ((-score, number) for number, score in scores.items() if allowed(self._entries[number].code)),
        )
        for negative, number in ranked:
            score = -negative * self._name_bonus(number, wanted.strip(), asked.strip())
            best = max(best, score)
            found.append((-score, number))
        found.sort()
        return [
            self._entries[number].code for negative, number in found[:MOST] if -negative >= best * _RELEVANT
        ]

    def _weights(self, entry: Entry) -> dict[str, float]:
        """What each token of an entry weighs: the most that any of its texts gives it."""
        weights: dict[str, float] = {}
        for text, weight in ((entry.code, 2.0), *((name, 3.0) for name in entry.names), *entry.texts):
            for token in tokens(normal(text), self._everyday.notions):
                counts = weight * _NOTION_COUNTS if token.startswith("#") else weight
                weights[token] = max(weights.get(token, 0.0), counts)
        return weights

    def _scores(self, wanted: set[str]) -> dict[int, float]:
        """Rare tokens first and in full; once enough was read, common ones only for the best so far."""
        known = sorted(
            (len(self._postings[token].entries), token) for token in wanted if token in self._postings
        )
        scores: dict[int, float] = {}
        read = 0
        for count, token in known:
            postings = self._postings[token]
            rarity = math.log(1 + len(self._entries) / count)
            if read and read + count > _FULLY:
                if len(scores) > _CANDIDATES:
                    kept = nsmallest(_CANDIDATES, ((-score, number) for number, score in scores.items()))
                    scores = {number: -negative for negative, number in kept}
                for number in scores:
                    at = bisect_left(postings.entries, number)
                    if at < count and postings.entries[at] == number:
                        scores[number] += rarity * postings.weights[at]
            else:
                read += count
                for number, weight in zip(postings.entries, postings.weights, strict=True):
                    scores[number] = scores.get(number, 0.0) + rarity * weight
        return scores

    def _name_bonus(self, number: int, wanted: str, asked: str) -> float:
        names = self._names[number]
        if self._entries[number].code == asked.replace(" ", "") or asked in names or wanted in names:
            return 4.0
        return 1.5 if any(wanted in name for name in names) else 1.0
