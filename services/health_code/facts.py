"""What is known of somebody, out of the registers' own words and what they declared: the facts of the rules.

A register that could not be asked leaves its facts None, which never means no. Pure.
Source: docs/domain.md §5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import msgspec

from haiyiban.clock import local_date
from haiyiban.registers import RegisterAnswer, RegisterName, Trip, trips_of
from haiyiban.registers.records import Contact, Instant
from services.health_code.expressions import Fact, Facts
from services.health_code.standards import Area, Standard

ASKED: tuple[RegisterName, ...] = ("tests", "contacts", "trips", "vaccinations")
WATCHED = timedelta(days=14)
"""How long an exposure, a fever clinic or a journey counts. Source: docs/domain.md §5."""
_ISOLATED = ("confirmed", "suspected", "asymptomatic", "close_contact", "inbound")
_CASES = ("confirmed", "suspected", "asymptomatic")
T = TypeVar("T")


class Test(msgspec.Struct, frozen=True, rename="camel"):
    """One test (检测) of the register."""

    __test__ = False

    result: str
    """negative, positive, or that there is none, such as inconclusive."""
    sampled_at: Instant
    reported_at: Instant | None = None

    def counted_from(self, standard: Standard) -> datetime:
        """What its window is counted from."""
        return self.sampled_at if standard.test_time == "sampled" else self.reported_at or self.sampled_at


class Vaccination(msgspec.Struct, frozen=True, rename="camel"):
    """One dose (接种), or that somebody may not be vaccinated."""

    product: str = ""
    contraindicated: bool = False
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody said of themselves (健康申报), and when."""

    at: datetime
    symptoms: bool
    fever_clinic: bool
    risk_travel: bool


@dataclass(frozen=True, slots=True)
class Known:
    """All that the code is made of; None where a register could not be asked."""

    facts: Facts
    asked: Facts
    """Of these facts the registers' own, without what was declared; they hold on this day alone."""
    negative_at: datetime | None
    doses: Mapping[str, int] | None
    contraindicated: bool
    vaccinations: Sequence[Vaccination] | None
    """Every dose, the first given first."""
    trips: Sequence[Trip] | None
    silent: tuple[RegisterName, ...]
    """The registers that could not be asked or understood."""


def known(
    answers: Mapping[RegisterName, RegisterAnswer],
    declared: Sequence[Declared],
    *,
    standard: Standard,
    areas: Sequence[Area],
    now: datetime,
) -> Known:
    """The facts that follow from the registers' answers and from declarations that still count."""
    tests = _listed(answers["tests"], Test)
    doses = _listed(answers["vaccinations"], Vaccination)
    trips = trips_of(answers["trips"])
    contacts = _listed(answers["contacts"], Contact)
    settled = [test for test in tests or () if test.result in {"negative", "positive"}]
    last = max(settled, key=lambda test: test.sampled_at, default=None)
    is_negative = last is not None and last.result == "negative"
    today = local_date(now)
    asked: dict[str, Fact] = {
        "tested_positive": None if tests is None else last is not None and last.result == "positive",
        **_travelled(trips, areas, today),
        **_traced(contacts, today),
    }
    return Known(
        facts=with_declared(asked, declared, standard=standard, now=now),
        asked=asked,
        negative_at=last.counted_from(standard) if last is not None and is_negative else None,
        doses=None if doses is None else _counted(doses),
        contraindicated=any(dose.contraindicated for dose in doses or ()),
        vaccinations=None if doses is None else sorted(doses, key=lambda dose: dose.on or date.min),
        trips=trips,
        silent=tuple(
            name for name, said in zip(ASKED, (tests, contacts, trips, doses), strict=True) if said is None
        ),
    )


def with_declared(asked: Facts, declared: Sequence[Declared], *, standard: Standard, now: datetime) -> Facts:
    """The registers' facts, and those of the declarations that still count."""
    counting = [one for one in declared if now - one.at <= timedelta(days=standard.declaration_days)]
    today = local_date(now)
    facts: dict[str, Fact] = {
        **asked,
        "declared_risk_travel": any(one.risk_travel for one in counting),
        "declared_symptoms": any(one.symptoms for one in counting),
        "checked_in_today": not standard.daily_check_in
        or any(local_date(one.at) == today for one in counting),
    }
    if any(one.fever_clinic for one in counting):
        facts["fever_clinic"] = True
    return facts


def _travelled(trips: Sequence[Trip] | None, areas: Sequence[Area], today: date) -> dict[str, Fact]:
    if trips is None:
        return {"been_in_risk_area": None, "been_in_affected_area": None}
    seen = {
        area.level
        for trip in trips
        for place, day in stops(trip)
        for area in areas
        if today - day <= WATCHED and area.holds(place, day)
    }
    return {
        "been_in_risk_area": bool(seen & {"high", "medium"}),
        "been_in_affected_area": "affected" in seen,
    }


def stops(trip: Trip) -> tuple[tuple[str, date], ...]:
    """Where a journey began and ended, and on which day each was left or reached."""
    left, reached = local_date(trip.departed_at), local_date(trip.arrived_at or trip.departed_at)
    return (trip.from_, left), (trip.to, reached)


def _traced(contacts: Sequence[Contact] | None, today: date) -> dict[str, Fact]:
    if contacts is None:
        names = ("isolated_as", "days_isolated", "fever_clinic", "was_case", "days_since_release")
        return dict.fromkeys((*names, "minutes_near_case"))
    isolated = [one for one in contacts if one.kind in _ISOLATED]
    inside = [one.kind for one in isolated if one.released_on is None or one.released_on > today]
    released = [
        one.released_on
        for one in isolated
        if one.kind in _CASES and one.released_on is not None and one.released_on <= today
    ]
    recent = [one for one in contacts if today - one.since <= WATCHED]
    return {
        "isolated_as": inside[0] if inside else "none",
        "days_isolated": max(
            ((min(one.released_on or today, today) - one.since).days for one in isolated), default=0
        ),
        "fever_clinic": any(one.kind == "fever_clinic" for one in recent),
        "was_case": bool(released),
        "days_since_release": (today - max(released)).days if released else 0,
        "minutes_near_case": max((one.minutes or 0 for one in recent if one.kind == "exposure"), default=0),
    }


def _counted(doses: Sequence[Vaccination]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for dose in doses:
        if dose.product:
            counted[dose.product] = counted.get(dose.product, 0) + 1
    return counted


def _listed(answer: RegisterAnswer, kind: type[T]) -> list[T] | None:
    """The records of a register; None where it could not be asked, or said what cannot be read: among that
    may be what makes red."""
    if answer.state == "unknown":
        return None
    try:
        return msgspec.convert(answer.data.get(answer.register, ()), list[kind])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return None
