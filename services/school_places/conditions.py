"""The conditions that priority classes are written with, as data with a judgement each.

A class in classes.v1.json is a list of these, e.g. `{"is": "home_registered_for", "months": 24}`. Each looks
at one fact and answers yes, no or "not known yet" (None) together with the fact in words, so that a family
can read what counted. "Zone" is the school's own catchment for a child who lives in it, and the whole area
of the enrolment for a child who lives elsewhere in it (who then competes for left-over seats only).
Source: docs/domain.md §6.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct

from haiyiban.errors import Words
from services.school_places.catchments import Area, Zone, same_address
from services.school_places.facts import Fact, Facts, Home, HomeTitle, Hukou, Unknown

T = TypeVar("T")
OPEN = Words("待核实", "not verified yet")
ABSENT = Words("无登记", "none on record")
_TITLES: dict[HomeTitle, Words] = {
    "owned": Words("自有住房", "own home"),
    "public_rental": Words("公租房", "public rental home"),
    "registered_lease": Words("备案租房", "home with a registered lease"),
    "grandparents": Words("祖辈住房", "grandparents' home"),
    "collective": Words("集体宿舍", "dormitory"),
}


class Judgement(NamedTuple):
    """Yes, no or not known yet; the name of the fact in `Facts`; and what it says, in words for who asks: a
    roll, which judges by the million, does not."""

    verdict: bool | None
    fact: str
    value: Callable[[], Words]


@dataclass(frozen=True, slots=True)
class Situation:
    """One child seen from one school, on one day. `catchment` is None for a child who lives outside it."""

    facts: Facts
    catchment: Zone | None
    area: Area
    city: Area
    on: date

    def in_zone(self, address: str, division: str) -> bool:
        if self.catchment is None:
            return self.area.holds(division)
        return self.catchment.holds(address, division)


def full_months(since: date, until: date) -> int:
    """Completed months between two days: a lease of 31 January completes its first on 1 March."""
    return (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)


@dataclass(frozen=True, slots=True)
class _About(Generic[T]):
    """One fact of a situation; judges only when it is known and there is something to judge."""

    name: str
    fact: Fact[T | None]

    def judge(self, test: Callable[[T], bool | None], words: Callable[[T], Words]) -> Judgement:
        if isinstance(self.fact, Unknown):
            return Judgement(None, self.name, lambda: OPEN)
        value = self.fact.value
        if value is None:
            return Judgement(False, self.name, lambda: ABSENT)
        return Judgement(test(value), self.name, lambda: words(value))


def _in_or_out(inside: bool, place: Words) -> Words:
    if inside:
        return Words(f"在{place.zh}内", f"inside {place.en}")
    return Words(f"不在{place.zh}内", f"outside {place.en}")


def _zone(situation: Situation) -> Words:
    return (
        Words("招生区域", "the enrolment area") if situation.catchment is None else Words("片区", "the zone")
    )


_CITY = Words("本市", "the city")


class Privileged(Struct, frozen=True, tag_field="is", tag="privileged", forbid_unknown_fields=True):
    """On the list of 优待 children that the bureau confirmed."""

    def judge(self, situation: Situation) -> Judgement:
        return _About("privileged", situation.facts.privileged).judge(
            lambda listed: listed,
            lambda listed: (
                Words("在优待名单内", "on the confirmed list")
                if listed
                else Words("不在优待名单内", "not on the confirmed list")
            ),
        )


class HukouInZone(Struct, frozen=True, tag_field="is", tag="hukou_in_zone", forbid_unknown_fields=True):
    """Household registration within the zone."""

    def judge(self, situation: Situation) -> Judgement:
        def inside(hukou: Hukou) -> bool:
            return situation.in_zone(hukou.address, hukou.division)

        return _About("hukou", situation.facts.hukou).judge(
            inside, lambda hukou: _prefixed("户口", "hukou ", _in_or_out(inside(hukou), _zone(situation)))
        )


class HukouInCity(Struct, frozen=True, tag_field="is", tag="hukou_in_city", forbid_unknown_fields=True):
    """Household registration anywhere in the city."""

    def judge(self, situation: Situation) -> Judgement:
        return _About("hukou", situation.facts.hukou).judge(
            lambda hukou: situation.city.holds(hukou.division),
            lambda hukou: _prefixed(
                "户口", "hukou ", _in_or_out(situation.city.holds(hukou.division), _CITY)
            ),
        )


class HukouOutsideCity(
    Struct, frozen=True, tag_field="is", tag="hukou_outside_city", forbid_unknown_fields=True
):
    """Household registration outside the city (随迁)."""

    def judge(self, situation: Situation) -> Judgement:
        return _About("hukou", situation.facts.hukou).judge(
            lambda hukou: not situation.city.holds(hukou.division),
            lambda hukou: _prefixed(
                "户口", "hukou ", _in_or_out(situation.city.holds(hukou.division), _CITY)
            ),
        )


class HukouAtHome(Struct, frozen=True, tag_field="is", tag="hukou_at_home", forbid_unknown_fields=True):
    """人户一致: registered at the very home in which the child lives."""

    def judge(self, situation: Situation) -> Judgement:
        home = situation.facts.home
        if isinstance(home, Unknown):
            return Judgement(None, "home", lambda: OPEN)
        if home.value is None:
            return Judgement(False, "home", lambda: ABSENT)
        lived_in = home.value

        def matches(hukou: Hukou) -> bool:
            return hukou.division[:6] == lived_in.division[:6] and same_address(
                hukou.address, lived_in.address
            )

        return _About("hukou", situation.facts.hukou).judge(
            matches,
            lambda hukou: (
                Words("户口地址与住房地址一致", "hukou address and home address are the same")
                if matches(hukou)
                else Words("户口地址与住房地址不一致", "hukou address and home address differ")
            ),
        )


class HomeInZone(Struct, frozen=True, tag_field="is", tag="home_in_zone", forbid_unknown_fields=True):
    """The family's home within the zone."""

    def judge(self, situation: Situation) -> Judgement:
        def inside(home: Home) -> bool:
            return situation.in_zone(home.address, home.division)

        return _About("home", situation.facts.home).judge(
            inside, lambda home: _prefixed("住房", "home ", _in_or_out(inside(home), _zone(situation)))
        )


class HomeTitled(Struct, frozen=True, tag_field="is", tag="home_titled", forbid_unknown_fields=True):
    """By what right the family lives there."""

    titles: frozenset[HomeTitle]

    def judge(self, situation: Situation) -> Judgement:
        return _About("home", situation.facts.home).judge(
            lambda home: home.title in self.titles, lambda home: _TITLES[home.title]
        )


class HomeShareAtLeast(
    Struct, frozen=True, tag_field="is", tag="home_share_at_least", forbid_unknown_fields=True
):
    """The part of the home that the family owns, in percent."""

    percent: int

    def judge(self, situation: Situation) -> Judgement:
        return _About("home", situation.facts.home).judge(
            lambda home: home.share >= self.percent,
            lambda home: Words(f"产权份额 {home.share}%", f"owns {home.share}% of the home"),
        )


class HomeRegisteredFor(
    Struct, frozen=True, tag_field="is", tag="home_registered_for", forbid_unknown_fields=True
):
    """Months for which the home (its lease) has been on record; without a date it stays open."""

    months: int

    def judge(self, situation: Situation) -> Judgement:
        def long_enough(home: Home) -> bool | None:
            return None if home.since is None else full_months(home.since, situation.on) >= self.months

        def words(home: Home) -> Words:
            if home.since is None:
                return Words("住房登记日期待核实", "date of registration not verified yet")
            months = full_months(home.since, situation.on)
            return Words(f"住房登记已满 {months} 个月", f"home on record for {months} months")

        return _About("home", situation.facts.home).judge(long_enough, words)


class ResidencePermitValid(
    Struct, frozen=True, tag_field="is", tag="residence_permit_valid", forbid_unknown_fields=True
):
    """居住证 (or its receipt) valid on the day."""

    def judge(self, situation: Situation) -> Judgement:
        on = situation.on
        return _About("residence_permit", situation.facts.residence_permit).judge(
            lambda permit: permit.since <= on and (permit.until is None or on <= permit.until),
            lambda permit: Words(
                f"居住证有效期 {permit.since} 至 {permit.until or '长期'}",
                f"residence permit from {permit.since} to {permit.until or 'no end'}",
            ),
        )


class InsuredFor(Struct, frozen=True, tag_field="is", tag="insured_for", forbid_unknown_fields=True):
    """Consecutive months of social insurance; how many a city asks is configuration (M: 6 or 12)."""

    months: int

    def judge(self, situation: Situation) -> Judgement:
        return _About("social_insurance_months", situation.facts.social_insurance_months).judge(
            lambda months: months >= self.months,
            lambda months: Words(f"社保连续缴纳 {months} 个月", f"{months} consecutive months insured"),
        )


def _prefixed(zh: str, en: str, words: Words) -> Words:
    return Words(zh + words.zh, en + words.en)


Condition = (
    Privileged
    | HukouInZone
    | HukouInCity
    | HukouOutsideCity
    | HukouAtHome
    | HomeInZone
    | HomeTitled
    | HomeShareAtLeast
    | HomeRegisteredFor
    | ResidencePermitValid
    | InsuredFor
)
