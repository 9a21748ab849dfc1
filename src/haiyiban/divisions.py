"""Administrative divisions of Hainan (行政区划), province to village, and who lies within whom.

Codes have 6 digits (province to county), 9 (township) or 12 (village); a longer code padded with zeros
names the same place. Parents are written in the table and never read off a prefix: 469028 陵水 hangs under
460000 directly, because 469000 is a container in the code list and not an authority.

Source: data/divisions.json (statistics codes valid 2023-06-30, with its licence); docs/domain.md §2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from haiyiban import resources

Level = Literal["province", "city", "county", "township", "village"]

Kind = Literal[
    "province",
    "city",
    "district",
    "county_level_city",
    "county",
    "autonomous_county",
    "islands",
    "subdistrict",
    "town",
    "township",
    "development_zone",
    "village",
    "community",
    "other",
]


class UnknownDivision(LookupError):
    """The code names no division of Hainan, today or in the past."""


@dataclass(frozen=True, slots=True)
class Division:
    """One administrative division (行政区划).

    `kind` says what it is (街道 subdistrict, 镇 town, 乡 township, farms and statistical units other),
    `level` where it stands in the four-level chooser. Townships and villages have no English name in the
    source: `name_en` is then the Chinese name.
    """

    code: str
    name: str
    name_en: str
    level: Level
    kind: Kind
    parent: str | None


@cache
def _table() -> dict[str, Division]:
    return {
        code: Division(code=code, name=name, name_en=name_en or name, level=level, kind=kind, parent=parent)
        for code, name, name_en, level, kind, parent in _document()["divisions"]
    }


@cache
def _aliases() -> dict[str, str]:
    return {code: now for code, _name, _issued, now in _document()["aliases"]}


@cache
def _document() -> dict[str, Any]:
    file = resources.own("divisions.json") or files("haiyiban").joinpath("data/divisions.json")
    text = file.read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


PROVINCE: str = _document()["divisions"][0][0]
"""The province of this deployment: Hainan's 460000, unless it is another's."""
ALIASES = _aliases()
"""Retired and parallel codes → the code that answers for the place now."""


def canonical(code: str) -> str:
    """The one code of a place: without padding zeros, and today's code where the given one is retired."""
    if len(code) == 12 and code.endswith("000"):
        code = code[:9]
    if len(code) == 9 and code.endswith("000"):
        code = code[:6]
    return ALIASES.get(code, code)


def find(code: str) -> Division | None:
    """The division of a code (retired codes lead to their successor), or None."""
    return _table().get(canonical(code))


def get(code: str) -> Division:
    """The division of a code; `UnknownDivision` where there is none."""
    division = find(code)
    if division is None:
        raise UnknownDivision(code)
    return division


def parent_of(code: str) -> Division | None:
    """The division directly above; None above the province."""
    parent = get(code).parent
    return None if parent is None else get(parent)


def children_of(code: str) -> tuple[Division, ...]:
    """The divisions directly below, in the order of their codes."""
    return tuple(_table()[child] for child in _children().get(get(code).code, ()))


def ancestors(code: str) -> tuple[Division, ...]:
    """All divisions above, nearest first, the province last."""
    above = []
    division = parent_of(code)
    while division is not None:
        above.append(division)
        division = parent_of(division.code)
    return tuple(above)


def is_within(code: str, subtree: str) -> bool:
    """Whether a division is another one or lies below it; how far an agency's powers reach."""
    top = get(subtree)
    return get(code) == top or top in ancestors(code)


@cache
def subtree(code: str) -> frozenset[str]:
    """The codes of a division and of everything below it, villages included."""
    top = get(code).code
    codes = {top}
    for child in _children().get(top, ()):
        codes |= subtree(child)
    return frozenset(codes)


@cache
def _children() -> dict[str, tuple[str, ...]]:
    below: dict[str, list[str]] = {}
    for division in _table().values():
        if division.parent is not None:
            below.setdefault(division.parent, []).append(division.code)
    return {parent: tuple(sorted(codes)) for parent, codes in below.items()}
