"""Into which priority class a child falls at one school, and which facts made it so.

A class is settled only by known facts. Where an open fact could still put the child into a better class
(or out of its class by 一户一生) the answer is `needs_review`, with what is open and the best and worst
class possible; it is never taken as a "no".
Source: docs/domain.md §6.2.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from haiyiban.errors import Words
from services.school_places.catchments import Area, Zone
from services.school_places.class_table import COORDINATED, ClassRule, ClassTable, HomeRule
from services.school_places.conditions import OPEN, Judgement, Situation, full_months
from services.school_places.facts import Facts, Unknown
from services.school_places.matching import NOT_BY_MATCHING

DRAWN_ONLY = 7
"""Stands where a class does at a private school: none has priority there, the lottery alone decides."""


class Priority(NamedTuple):
    """How a school ranks a child, before the lottery; lower wins."""

    outside: int
    rank: int
    subclass: int

    def packed(self) -> int:
        """One integer in the same order, for the matching; class 6 is not placed by it."""
        if self.rank == COORDINATED:
            return NOT_BY_MATCHING
        return self.outside << 11 | self.rank << 8 | self.subclass

    @classmethod
    def of_packed(cls, packed: int) -> "Priority":
        """What `packed` stands for; `NOT_BY_MATCHING` has no way back."""
        return cls(packed >> 11, packed >> 8 & 7, packed & 255)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that counted: what it says, which register said so and when, and what follows."""

    fact: str
    value: Words
    source: str
    at: datetime
    effect: Words


@dataclass(frozen=True, slots=True)
class Classification:
    """A child's standing at one school. `priority` is None while facts in `open` are not verified."""

    priority: Priority | None
    open: tuple[str, ...]
    at_best: int
    at_worst: int
    evidence: tuple[Evidence, ...]

    @property
    def needs_review(self) -> bool:
        """Whether a clerk or a later answer of a register must settle something first."""
        return self.priority is None


def classify(
    facts: Facts, table: ClassTable, *, school: str, catchment: Zone, area: Area, year: int, on: date
) -> Classification:
    """The class of a child at `school`, for the school `year`, by the facts as of `on` (Asia/Shanghai).

    `area` is what the whole enrolment covers: a child from elsewhere in it is ranked outside the catchment,
    with the class that its home gives it.
    """
    outside = outside_of(facts, catchment)
    from_inside = Situation(facts, catchment, area, table.city, on)
    from_outside = Situation(facts, None, area, table.city, on)
    if outside is None:
        ranges = [_possible_classes(table, from_inside), _possible_classes(table, from_outside)]
    else:
        ranges = [_possible_classes(table, from_outside if outside else from_inside)]
    at_best, at_worst = min(best for best, _ in ranges), max(worst for _, worst in ranges)
    ledger = _Ledger(facts)
    for rule in table.classes:
        if rule.rank <= at_worst:
            _judge_class(rule, from_outside if outside else from_inside, ledger)
    if outside is None:
        ledger.open.add("home")
    used = _judge_home(facts, table.home_rule, year=year)
    if used is not None and not table.home_rule.applies_to.isdisjoint((at_best, at_worst)):
        ledger.note(used, _home_effect(used.verdict, table.home_rule.years))
        if used.verdict is not False:
            at_worst = COORDINATED
        if used.verdict is True and at_best in table.home_rule.applies_to:
            at_best = COORDINATED
    subclass = 0
    if at_worst != COORDINATED:
        subclass = subclass_of(facts, table, school=school, on=on)
        _note_subclass(facts, table, ledger, school=school, on=on)
    settled = not ledger.open or (at_best == at_worst == COORDINATED)
    priority = Priority(int(bool(outside)), at_worst, subclass) if settled else None
    opened = () if settled else tuple(sorted(ledger.open))
    return Classification(priority, opened, at_best, at_worst, tuple(ledger.evidence))


class _Ledger:
    """Collects the evidence of one classification, and the facts that are still open."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.evidence: list[Evidence] = []
        self.open: set[str] = set()

    def note(self, judgement: Judgement, effect: Words) -> None:
        fact = getattr(self._facts, judgement.fact)
        if judgement.verdict is None:
            self.open.add(judgement.fact)
        self.evidence.append(Evidence(judgement.fact, judgement.value(), fact.source, fact.at, effect))


def outside_of(facts: Facts, catchment: Zone) -> bool | None:
    """Whether the child lives elsewhere, or has no home on record; None while that is open."""
    if isinstance(facts.home, Unknown):
        return None
    home = facts.home.value
    return home is None or not catchment.holds(home.address, home.division)


def _possible_classes(table: ClassTable, situation: Situation) -> tuple[int, int]:
    """The best class that open facts still allow, and the first that holds without them."""
    at_best = at_worst = COORDINATED
    for rule in reversed(table.classes):
        verdict = _judge_class(rule, situation, _Ledger(situation.facts))
        if verdict is not False:
            at_best = rule.rank
        if verdict is True:
            at_worst = rule.rank
    return at_best, at_worst


def _judge_class(rule: ClassRule, situation: Situation, ledger: _Ledger) -> bool | None:
    """True if one alternative holds, False if none can, None while an open fact may still decide."""
    name = Words(f"第{rule.rank}类（{rule.title.zh}）", f"class {rule.rank} ({rule.title.en})")
    judged = [[condition.judge(situation) for condition in alternative] for alternative in rule.any_of]
    for judgements in judged:
        if all(judgement.verdict is True for judgement in judgements):
            for judgement in judgements:
                ledger.note(judgement, Words(f"符合{name.zh}", f"meets {name.en}"))
            return True
    undecided = False
    for judgements in judged:
        refusing = next((judgement for judgement in judgements if judgement.verdict is False), None)
        if refusing is not None:
            ledger.note(refusing, Words(f"因此不属于{name.zh}", f"so not in {name.en}"))
            continue
        undecided = True
        for judgement in judgements:
            if judgement.verdict is None:
                ledger.note(
                    judgement, Words(f"核实后才能确定是否属于{name.zh}", f"decides whether in {name.en}")
                )
    return None if undecided else False


def home_verdict(facts: Facts, rule: HomeRule, *, year: int) -> bool | None:
    """Whether another family had a place by the home; None where that is open, or there is no home."""
    judgement = _judge_home(facts, rule, year=year)
    return None if judgement is None else judgement.verdict


def _judge_home(facts: Facts, rule: HomeRule, *, year: int) -> Judgement | None:
    """Whether another family had a place by this home; None where there is no home to ask about.

    One guardian in common makes it the same family, so that siblings of remarried parents count as such.
    """
    if isinstance(facts.home, Unknown) or facts.home.value is None:
        return None
    if isinstance(facts.home_uses, Unknown):
        return Judgement(None, "home_uses", lambda: OPEN)
    recent = [use for use in facts.home_uses.value if 0 <= year - use.year < rule.years]
    others = [use.year for use in recent if facts.guardians.isdisjoint(use.guardians)]
    if others:
        return Judgement(
            True,
            "home_uses",
            lambda: Words(
                f"该住房 {max(others)} 年已用于另一家庭的孩子入学",
                f"another family's child had a place by this home in {max(others)}",
            ),
        )
    if recent:
        return Judgement(
            False,
            "home_uses",
            lambda: Words("该住房只用于同一家庭的孩子", "used only by children of this family"),
        )
    return Judgement(
        False,
        "home_uses",
        lambda: Words(f"该住房 {rule.years} 年内未被使用", f"not used within the last {rule.years} years"),
    )


def _home_effect(used: bool | None, years: int) -> Words:
    if used is None:
        return Words("核实后才能确定是否符合一户一生", "decides whether one-home-one-family is met")
    if used:
        return Words(
            f"{years} 年内一户一生，因此转为统筹安排（第{COORDINATED}类）",
            f"one family a home within {years} years, so placed by coordination (class {COORDINATED})",
        )
    return Words("符合一户一生", "one-home-one-family is met")


def subclass_of(facts: Facts, table: ClassTable, *, school: str, on: date) -> int:
    """The order within a class, lower first; an open fact counts as it helps least."""
    rule, subclass = table.subclass, 0
    if rule.years_cap:
        years = _years_of_residence(facts, table.city, on=on)
        subclass = rule.years_cap - min(years or 0, rule.years_cap)
    return subclass * 2 + (0 if _attends(facts, school) else 1) if rule.sibling else subclass


def _note_subclass(facts: Facts, table: ClassTable, ledger: _Ledger, *, school: str, on: date) -> None:
    if table.subclass.years_cap and _years_of_residence(facts, table.city, on=on) is None:
        ledger.open.update({"hukou", "residence_permit"})
    if not table.subclass.sibling:
        return
    attends = _attends(facts, school)
    words = {
        None: OPEN,
        True: Words("有兄弟姐妹在该校就读", "a sibling attends this school"),
        False: Words("没有兄弟姐妹在该校就读", "no sibling attends this school"),
    }
    ledger.note(
        Judgement(attends, "siblings_at", lambda: words[attends]),
        Words("同类中的先后", "order within the class"),
    )


def _attends(facts: Facts, school: str) -> bool | None:
    siblings = facts.siblings_at
    return None if isinstance(siblings, Unknown) else school in siblings.value


def _years_of_residence(facts: Facts, city: Area, *, on: date) -> int | None:
    """Completed years since the hukou came to the city, else since the residence permit; None while open."""
    hukou, permit = facts.hukou, facts.residence_permit
    if isinstance(hukou, Unknown):
        return None
    if hukou.value is not None and city.holds(hukou.value.division):
        since = hukou.value.since
    elif isinstance(permit, Unknown):
        return None
    elif permit.value is None:
        return 0
    else:
        since = permit.value.since
    return max(0, full_months(since, on)) // 12
