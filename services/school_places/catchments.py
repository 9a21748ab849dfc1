"""Catchments (学区, 片区): which addresses a school serves.

A catchment is written as districts write it: streets with or without house numbers, and names of
communities (小区). Addresses come from registers in many spellings, so both sides are brought to one form
first: full-width to half-width, no spaces or punctuation.
Source: docs/domain.md §6.1 (学校划片招生、生源就近入学), §6.2.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from msgspec import Struct

_NOISE = re.compile(r"[\s\-—–_,.;:，。；：、·()（）\[\]【】#]+")
_BETWEEN_DIGITS = re.compile(rf"(?<=\d){_NOISE.pattern}(?=\d)")
_DIVISION_END = re.compile(r"(省|市|区|县|镇|乡|街道)$")
_STREET_MAY_FOLLOW = re.compile(r"(省|市|区|县|镇|乡|街道|村|场|办事处)$")


class Area(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The divisions that an enrolment or a city covers, as 6-digit codes (longer codes lie within)."""

    divisions: frozenset[str]

    def holds(self, division: str) -> bool:
        """Whether a division of any length lies here; 469000 and its like hold nothing by prefix."""
        return division[:6] in self.divisions


class Zone(Protocol):
    """Where a school takes children from."""

    def holds(self, address: str, division: str) -> bool:
        """Whether a home lies in it."""


class Catchment(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The addresses one school serves, within one county-level division.

    `streets` begin at the street, without province, city or district: 「海秀路」 or 「海秀路12号」 (a road
    holds all its numbers). `communities` are names that may stand anywhere in an address.
    """

    division: str
    streets: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()

    def holds(self, address: str, division: str) -> bool:
        """`in_catchment`."""
        return in_catchment(address, division, self)


def normal_address(address: str) -> str:
    """One spelling for comparison only; never stored or shown. 3-201 and 32-01 stay two addresses."""
    half_width = unicodedata.normalize("NFKC", address)
    return _NOISE.sub("", _BETWEEN_DIGITS.sub("/", half_width)).upper()


def in_catchment(address: str, division: str, catchment: Catchment) -> bool:
    """Whether a home lies in a catchment. 12号 does not hold 128号; 1号院 is not found in 11号院."""
    if division[:6] != catchment.division[:6]:
        return False
    home = normal_address(address)
    streets, communities = _spelled(catchment)
    # Most names are not in it at all, which is quickly seen.
    return any(street in home and _on_street(home, street) for street in streets) or any(
        name in home and _holds_name(home, name) for name in communities
    )


@lru_cache(maxsize=4096)
def _spelled(catchment: Catchment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Its streets and communities in the one spelling: a roll asks each school of a county for each child.
    Homes are spelled anew each time, for nobody's address is kept."""
    return tuple(map(normal_address, catchment.streets)), tuple(map(normal_address, catchment.communities))


def same_address(one: str, other: str) -> bool:
    """人户一致: the same place, where one side may leave out province, city and district."""
    short, long = sorted((normal_address(one), normal_address(other)), key=len)
    before = long.removesuffix(short)
    return bool(short) and (not before or (long != before and bool(_DIVISION_END.search(before))))


class CatchmentIndex:
    """Many catchments at once: which of them a home lies in, by the same rule as `in_catchment`.

    A roll asks it for each of 150,000 children, of a county with some thousand names; only those that begin
    as some place of the address does are looked at. It remembers the last address that it was asked about,
    for five schools ask about the same.
    """

    def __init__(self, catchments: Mapping[str, Catchment]) -> None:
        """`catchments` by what they are to be called in answers."""
        self._names: dict[str, dict[str, list[tuple[str, bool, str]]]] = {}
        self._asked, self._found = ("", ""), frozenset[str]()
        for key, catchment in catchments.items():
            streets, communities = _spelled(catchment)
            of_county = self._names.setdefault(catchment.division[:6], {})
            for names, is_street in ((streets, True), (communities, False)):
                for name in names:
                    of_county.setdefault(name[:1], []).append((name, is_street, key))

    def holding(self, address: str, division: str) -> frozenset[str]:
        """The catchments that hold a home."""
        if self._asked != (address, division):
            self._asked, self._found = (address, division), self._find(address, division)
        return self._found

    def zone(self, key: str) -> Zone:
        """One of them, with the index to ask."""
        return _Indexed(self, key)

    def _find(self, address: str, division: str) -> frozenset[str]:
        home = normal_address(address)
        of_county = self._names.get(division[:6], {})
        return frozenset(
            key
            for at, sign in enumerate(home)
            for name, is_street, key in of_county.get(sign, ())
            if home.startswith(name, at) and (_street_at if is_street else _name_at)(home, at, name)
        )


@dataclass(frozen=True, slots=True)
class _Indexed:
    index: CatchmentIndex
    key: str

    def holds(self, address: str, division: str) -> bool:
        return self.key in self.index.holding(address, division)


def _on_street(home: str, street: str) -> bool:
    return any(_street_at(home, at, street) for at in _occurrences(home, street))


def _street_at(home: str, at: int, street: str) -> bool:
    return bool(at == 0 or _STREET_MAY_FOLLOW.search(home[:at])) and _ends_whole(home, at, street)


def _holds_name(home: str, name: str) -> bool:
    return any(_name_at(home, at, name) for at in _occurrences(home, name))


def _name_at(home: str, at: int, name: str) -> bool:
    return not (at and home[at - 1].isdigit() and name[0].isdigit()) and _ends_whole(home, at, name)


def _occurrences(text: str, part: str) -> list[int]:
    # No pattern is made of it: a province has more names than Python keeps patterns, and makes each anew.
    found: list[int] = []
    at = text.find(part) if part else -1
    while at >= 0:
        found.append(at)
        at = text.find(part, at + 1)
    return found


def _ends_whole(address: str, at: int, part: str) -> bool:
    after = address[at + len(part) : at + len(part) + 1]
    return not (part[-1].isdigit() and after.isdigit())
