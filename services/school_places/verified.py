"""From what a case holds to the facts that count: the registers' answers first, the family's own words where
a clerk has confirmed them.

What a register said counts. Where it holds nothing, could not be asked, or the family disputes it, the
family's own statement stays open (待核实) until a clerk accepts the case, having been shown that it rests on
the family's word alone. Nothing is ever "no" because nobody answered.
Source: docs/domain.md §6.2 (Verified facts); architecture.md "The plug-in contract".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from haiyiban import residents
from services.school_places.facts import (
    Fact,
    Facts,
    Home,
    HomeUse,
    Hukou,
    Known,
    ResidencePermit,
    Unknown,
)

T = TypeVar("T")
OWN_WORDS = "家长自行填写"
"""What a fact that no register backs is said to come from."""
_TITLES = ("owned", "grandparents", "public_rental", "registered_lease", "collective")
"""Homes as they are preferred where the registers know several."""


@dataclass(frozen=True)
class Application:
    """What a case holds: the form, what each register answered (`<register>/<about>`), what is disputed.

    `confirmed_at`: when a clerk accepted the case, and with it the family's own statements; None before.
    `at` stands for facts that nobody has been asked about.
    """

    form: Mapping[str, Any]
    answers: Mapping[str, Any]
    disputed: frozenset[str]
    confirmed_at: datetime | None
    at: datetime

    @cached_property
    def home(self) -> Fact[Home | None]:
        """The home that it stands on."""
        return home_of(self)

    @cached_property
    def siblings(self) -> Fact[frozenset[str]]:
        """Identity numbers of the child's brothers and sisters."""
        return sibling_numbers(self)

    def data(self, name: str) -> Mapping[str, Any]:
        """What a register said; empty unless it knows something."""
        found: Mapping[str, Any] = self.answers.get(name, {}).get("data", {})
        return found

    def is_unknown(self, name: str) -> bool:
        """Whether a register was not asked, or did not answer."""
        return bool(self.answers.get(name, {"state": "unknown"})["state"] == "unknown")

    def known(self, name: str, value: T) -> Fact[T]:
        """A value that follows from the answer of a register, or that it is still open."""
        answer = self.answers.get(name)
        if answer is None:
            return Unknown(name, self.at)
        at = datetime.fromisoformat(answer["at"])
        return (
            Unknown(answer["source"], at)
            if answer["state"] == "unknown"
            else Known(value, answer["source"], at)
        )

    def section(self, name: str, kind: type[T]) -> T | None:
        """A part of the form, None where it is empty or not well-formed (the schema says so elsewhere)."""
        return _read(self.form.get(name), kind)

    def settled(self, pointer: str, registered: Fact[T | None], stated: T | None) -> Fact[T | None]:
        """The register's value, or the family's own where there is none or it is disputed."""
        disputed = any(at == pointer or at.startswith(f"{pointer}/") for at in self.disputed)
        if isinstance(registered, Known) and registered.value is not None and not disputed:
            return registered
        if stated is None:
            return registered
        if self.confirmed_at is None:
            return Unknown(OWN_WORDS, self.at)
        return Known(stated, OWN_WORDS, self.confirmed_at)


def facts_of(
    application: Application,
    *,
    guardians: frozenset[str],
    home_uses: tuple[HomeUse, ...],
    siblings_at: Fact[frozenset[str]],
) -> Facts:
    """Everything that decides a class. `home_uses` are those of `home_of(application)`."""
    insurance = application.data("social_insurance/applicant")
    months = application.known("social_insurance/applicant", insurance.get("months"))
    if insurance and not insurance.get("consecutive", True):
        # The register counts all months ever paid; how many of them were in a row is for a clerk to see.
        months = Unknown(months.source, months.at)
    settled_months = application.settled(
        "/socialInsuranceMonths", months, application.section("socialInsuranceMonths", int)
    )
    return Facts(
        guardians=guardians,
        hukou=application.settled(
            "/hukou",
            application.known("household/subject", _read(application.data("household/subject"), Hukou)),
            application.section("hukou", Hukou),
        ),
        home=application.home,
        home_uses=Known(home_uses, "一户一生台账", application.at),
        residence_permit=application.settled(
            "/residencePermit",
            application.known(
                "residence_permit/applicant",
                _read(application.data("residence_permit/applicant"), ResidencePermit),
            ),
            application.section("residencePermit", ResidencePermit),
        ),
        social_insurance_months=_or_zero(settled_months),
        siblings_at=siblings_at,
        privileged=application.known(
            "special_group/subject", bool(application.data("special_group/subject").get("group"))
        ),
    )


def home_of(application: Application) -> Fact[Home | None]:
    """The home that the application stands on."""
    stated = application.section("home", Home)
    homes = list(homes_in(application.data("property/applicant").get("homes", ())))
    same = next((home for home in homes if stated is not None and home.id == stated.id), None)
    registered = application.known("property/applicant", same or (homes[0] if homes else None))
    return application.settled("/home", registered, stated)


def homes_in(rows: Sequence[Any]) -> Iterator[Home]:
    """The homes of a register's answer."""
    return (home for row in rows if (home := _read(row, Home)) is not None)


def best_home(homes: Sequence[Home], *, hukou_division: str | None) -> Home | None:
    """Of several homes, the one to apply with: where the child is registered, then by title and by age."""
    return min(
        homes,
        key=lambda home: (
            hukou_division is None or home.division[:6] != hukou_division[:6],
            _TITLES.index(home.title),
            home.since or date.max,
        ),
        default=None,
    )


def at_worst(facts: Facts) -> Facts:
    """The facts with every open one taken as it helps least.

    For a roll only: what nobody could confirm by then helps nobody past a child whose facts are confirmed.
    """

    def settled(fact: Fact[T], worst: T) -> Fact[T]:
        return Known(worst, fact.source, fact.at) if isinstance(fact, Unknown) else fact

    home = settled(facts.home, None)
    if isinstance(home, Known) and home.value is not None and home.value.since is None:
        home = Known(replace(home.value, since=home.at.date()), home.source, home.at)
    return replace(
        facts,
        home=home,
        hukou=settled(facts.hukou, None),
        home_uses=settled(facts.home_uses, ()),
        residence_permit=settled(facts.residence_permit, None),
        social_insurance_months=settled(facts.social_insurance_months, 0),
        siblings_at=settled(facts.siblings_at, frozenset()),
        privileged=settled(facts.privileged, False),
    )


def guardian_numbers(application: Application) -> set[str]:
    """Identity numbers of the child's guardians, as far as they are known: the applicant and the parents."""
    applicant = application.form.get("guardian")
    numbers = {row["idNumber"] for row in application.data("birth/subject").get("parents", ())}
    if isinstance(applicant, Mapping) and isinstance(applicant.get("idNumber"), str):
        numbers.add(applicant["idNumber"])
    return numbers


def sibling_numbers(application: Application) -> Fact[frozenset[str]]:
    """Identity numbers of the child's brothers and sisters."""
    child = application.form.get("child")
    own = child.get("idNumber") if isinstance(child, Mapping) else None
    born = {row["idNumber"] for row in application.data("birth/applicant").get("children", ())}
    booklet = {
        row["idNumber"]
        for row in application.data("household/subject").get("members", ())
        if row["relation"] == "sibling"
    }
    found = frozenset((born | booklet) - {own})
    silent = "household/subject" if application.is_unknown("household/subject") else "birth/applicant"
    return application.known(silent, found)


def twin_birth(application: Application, number: str, *, today: date) -> Fact[date | None]:
    """When the child that is named as a twin was born, if it is a sibling at all."""
    siblings = application.siblings
    own = residents.parse_identity_number(number, today=today)
    if isinstance(siblings, Unknown):
        return siblings
    return Known(own.birth if own.number in siblings.value else None, siblings.source, siblings.at)


def relation_of(answers: Mapping[str, Mapping[str, Any]], guardian: str) -> str | None:
    """What the registers say the guardian is to the child: parent, grandparent, or nothing known."""
    if any(row["idNumber"] == guardian for row in answers["birth"].get("parents", ())):
        return "parent"
    relations = {
        row["relation"] for row in answers["household"].get("members", ()) if row["idNumber"] == guardian
    }
    return next((relation for relation in ("parent", "grandparent") if relation in relations), None)


def _or_zero(months: Fact[int | None]) -> Fact[int]:
    """No record of insurance is no month of it."""
    if isinstance(months, Unknown):
        return months
    return Known(months.value or 0, months.source, months.at)


def _read(value: Any, kind: type[T]) -> T | None:
    if not value and value != 0:
        return None
    members = {"since": None, "until": None} | dict(value) if isinstance(value, Mapping) else value
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError:
        return None
