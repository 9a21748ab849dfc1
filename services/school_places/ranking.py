"""How schools rank a child of whom every fact is known: what a roll needs, 150,000 children at a time.

The same priorities as `classification.classify` gives, without the evidence that a family reads: the classes
are gone through once for all schools outside whose catchment a child lives, and no further than to the first
that holds. A test holds the two against each other.
Source: docs/domain.md §6.2.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from services.school_places.catchments import Area, Zone
from services.school_places.class_table import COORDINATED, ClassTable
from services.school_places.classification import Priority, home_verdict, outside_of, subclass_of
from services.school_places.conditions import Situation
from services.school_places.facts import Facts


def priorities(
    facts: Facts, table: ClassTable, *, schools: Mapping[str, Zone], area: Area, year: int, on: date
) -> Iterator[Priority]:
    """The priority at each of the `schools`, in their order; all else is as `classify` has it.

    No fact is open (`verified.at_worst`).
    """
    used = home_verdict(facts, table.home_rule, year=year)
    from_outside: int | None = None
    for school, zone in schools.items():
        outside = outside_of(facts, zone)
        if not outside:
            rank = _first_class(table, Situation(facts, zone, area, table.city, on))
        elif from_outside is None:
            rank = from_outside = _first_class(table, Situation(facts, None, area, table.city, on))
        else:
            rank = from_outside
        if used and rank in table.home_rule.applies_to:
            rank = COORDINATED
        subclass = 0 if rank == COORDINATED else subclass_of(facts, table, school=school, on=on)
        yield Priority(int(bool(outside)), rank, subclass)


def _first_class(table: ClassTable, situation: Situation) -> int:
    for rule in table.classes:
        for alternative in rule.any_of:
            if all(condition.judge(situation).verdict for condition in alternative):
                return rule.rank
    return COORDINATED
