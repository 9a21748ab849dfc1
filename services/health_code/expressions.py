"""Conditions as data, judged over facts with three answers: True, False, and None where a source is silent.

No code in data: a condition is one of the six shapes below. Source: docs/domain.md §5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

Fact: TypeAlias = bool | int | str | None
"""What is known of somebody: None where its source could not be asked."""

Facts: TypeAlias = Mapping[str, Fact]


class All(msgspec.Struct, frozen=True, tag="all", tag_field="op", forbid_unknown_fields=True):
    """Every one of the conditions holds."""

    of: Sequence[Condition]


class Any(msgspec.Struct, frozen=True, tag="any", tag_field="op", forbid_unknown_fields=True):
    """At least one of the conditions holds."""

    of: Sequence[Condition]


class Not(msgspec.Struct, frozen=True, tag="not", tag_field="op", forbid_unknown_fields=True):
    """The condition does not hold."""

    of: Condition


class Is(msgspec.Struct, frozen=True, tag="is", tag_field="op", forbid_unknown_fields=True):
    """The fact is one of these values."""

    fact: str
    one_of: Sequence[bool | int | str] = msgspec.field(name="oneOf")


class AtLeast(msgspec.Struct, frozen=True, tag="at-least", tag_field="op", forbid_unknown_fields=True):
    """The fact is a number and not below this one."""

    fact: str
    number: int


class LessThan(msgspec.Struct, frozen=True, tag="less-than", tag_field="op", forbid_unknown_fields=True):
    """The fact is a number and below this one."""

    fact: str
    number: int


Condition: TypeAlias = All | Any | Not | Is | AtLeast | LessThan


def holds(condition: Condition, facts: Facts) -> bool | None:
    """Whether the condition holds; None where that hangs on something unknown.

    A fact that is absent is as unknown as one that is None: silence never counts as an answer.
    """
    match condition:
        case All(of=parts):
            answers = [holds(part, facts) for part in parts]
            return False if False in answers else None if None in answers else True
        case Any(of=parts):
            answers = [holds(part, facts) for part in parts]
            return True if True in answers else None if None in answers else False
        case Not(of=part):
            answer = holds(part, facts)
            return None if answer is None else not answer
        case Is(fact=name, one_of=values):
            value = facts.get(name)
            return None if value is None else value in values
        case AtLeast(fact=name, number=number):
            value = facts.get(name)
            return value >= number if type(value) is int else None
        case LessThan(fact=name, number=number):
            value = facts.get(name)
            return value < number if type(value) is int else None
