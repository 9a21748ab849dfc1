"""The figures and lists beside the rules, read from data: each dated, with its source and how sure we are.

Which version of the rules is in force on a day is told here too. Source: docs/domain.md §5, §15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct, field

from haiyiban import resources
from haiyiban.errors import Words
from services.health_code.rules import RuleTable

_FOLDER = "zones/health_code"


class Area(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A place that the authority lists; `division`: of a prefecture, a county, or a country's three letters.

    `until` is its last day on the list, None while it is on it.
    """

    division: str
    level: Literal["high", "medium", "affected"]
    since: date
    until: date | None = None
    source: str = ""

    def holds(self, place: str, day: date) -> bool:
        """Whether a place lay in it on a day; of a province or a prefecture (….00) every county does."""
        inside = place.startswith(self.division.removesuffix("00").removesuffix("00"))
        return inside and self.since <= day and (self.until is None or day <= self.until)


class Standard(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The figures of one time; they hold until a later entry."""

    effective_from: date
    source: str
    confidence: str
    doses: Mapping[str, int]
    """Doses that a full vaccination takes, by product."""
    test_time: Literal["sampled", "reported"]
    """What the window of a test is counted from."""
    itinerary_days: int
    asterisk: bool
    """Whether listed places are marked in the itinerary."""
    daily_check_in: bool
    """Whether who has not declared anything today is grey."""
    declaration_days: int
    """How long a declaration counts, in days."""
    last_known_hours: int
    """How long the last known colour is shown while the registers cannot be asked."""


class CheckRecords(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How many days the check records of terminals are kept and shown; holds until a later entry."""

    effective_from: date
    source: str
    confidence: str
    days: int


class Standards(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole data file."""

    id: str
    standards: tuple[Standard, ...]
    check_records: tuple[CheckRecords, ...] = field(name="checkRecords")
    areas: tuple[Area, ...] = ()

    def on(self, day: date) -> Standard:
        """The newest entry that holds on a day; ValueError before the first."""
        return max(
            (entry for entry in self.standards if entry.effective_from <= day),
            key=lambda entry: entry.effective_from,
        )

    def check_records_on(self, day: date) -> CheckRecords:
        """The newest entry that holds on a day; ValueError before the first."""
        return max(
            (entry for entry in self.check_records if entry.effective_from <= day),
            key=lambda entry: entry.effective_from,
        )


def in_force(tables: Iterable[RuleTable], day: date) -> RuleTable:
    """The newest version of the rules that holds on a day; ValueError where none does."""
    held = [
        table
        for table in tables
        if table.effective_from <= day and (table.effective_to is None or day <= table.effective_to)
    ]
    if not held:
        raise ValueError(f"no rules of the health code hold on {day}")
    return max(held, key=lambda table: table.effective_from)


def rules_on(day: date) -> RuleTable:
    """The rules of this deployment in force on a day."""
    return in_force(_tables(), day)


@cache
def standards() -> Standards:
    """The figures of this deployment."""
    content = (resources.schemas() / _FOLDER / "standards.v1.json").read_bytes()
    return msgspec.json.decode(content, type=Standards)


@cache
def basis(day: date) -> str:
    """A short mark of the figures and areas by which registers' answers become facts on a day: under another
    mark the same answers may be other facts."""
    return sha256(msgspec.json.encode((standards().on(day), standards().areas))).hexdigest()[:16]


def province(place: str) -> Words | None:
    """The name of the province that a division of another one lies in; None of a country."""
    found = _provinces().get(place[:2]) if place.isdecimal() else None
    return Words(found["zh"], found["en"]) if found else None


@cache
def _provinces() -> Mapping[str, Mapping[str, str]]:
    content = (resources.schemas() / _FOLDER / "provinces.v1.json").read_bytes()
    return msgspec.json.decode(content, type=_Provinces).provinces


class _Provinces(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    source: str
    provinces: Mapping[str, Mapping[str, str]]


@cache
def _tables() -> tuple[RuleTable, ...]:
    files = sorted((resources.schemas() / _FOLDER).glob("rules.v*.json"))
    return tuple(msgspec.json.decode(file.read_bytes(), type=RuleTable) for file in files)
