"""Cutting text into what the search index holds: pairs of Chinese characters, Latin words, and everyday
notions.

Chinese has no spaces, so every two neighbouring characters are one token: no dictionary to lack a word
(performance.md §8). People say 小孩上学 where the catalogue says 学位申请: words of one notion (近义词)
stand in `schemas/matters/synonyms.json` and make the same token.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

_RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\U00020000-\U0003ffff]+")


class EverydayWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The synonyms file: words of one notion together, and words that say nothing about what is wanted
    (我想, 怎么)."""

    notions: tuple[tuple[str, ...], ...] = ()
    fillers: tuple[str, ...] = ()

    @classmethod
    def load(cls, file: Path) -> "EverydayWords":
        """Read and normalise the file. Raises msgspec.ValidationError."""
        read = msgspec.json.decode(file.read_bytes(), type=cls)
        return cls(
            notions=tuple(tuple(normal(word) for word in notion) for notion in read.notions),
            fillers=tuple(sorted(map(normal, read.fillers), key=len, reverse=True)),
        )


def normal(text: str) -> str:
    """The text with full-width forms, capitals and plural s evened out, one space between runs, one at
    either end."""
    runs = _RUNS.findall(unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(_singular(run) for run in runs)} "


def _singular(run: str) -> str:
    return (
        run[:-1] if len(run) > 3 and run.isascii() and run.endswith("s") and not run.endswith("ss") else run
    )


def without_fillers(text: str, fillers: Sequence[str]) -> str:
    """The query without what says nothing; the query itself if nothing else is left."""
    left = text
    for filler in fillers:
        left = left.replace(filler if filler.isascii() else filler.strip(), " ")
    return normal(left) if left.strip() else text


class Tokenizer:
    """Cuts texts into tokens; knows the notions by the token that each of their words begins with."""

    def __init__(self, everyday: EverydayWords) -> None:
        self._fillers = everyday.fillers
        self._starts: dict[str, list[tuple[str, str]]] = {}
        for index, notion in enumerate(everyday.notions):
            for word in notion:
                # A Latin word keeps its spaces, so that "rent" is not found in "parent".
                wanted = word if word.isascii() else word.strip()
                start = next(_pieces(word), "")
                self._starts.setdefault(start, []).append((wanted, f"#{index}"))

    def of_text(self, text: str) -> set[str]:
        """The tokens of a normalised text: its pieces, and `#n` for each notion that it names."""
        found = set(_pieces(text))
        notions: set[str] = set()
        for start in self._starts.keys() & (found | set(text)):
            notions.update(notion for word, notion in self._starts[start] if word in text)
        return found | notions

    def of_query(self, text: str) -> set[str]:
        """The tokens of what a normalised query wants."""
        return self.of_text(without_fillers(text, self._fillers))


def _pieces(text: str) -> Iterator[str]:
    for run in text.split():
        if run.isascii() or len(run) == 1:
            yield run
        else:
            yield from map("".join, pairwise(run))
