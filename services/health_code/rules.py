"""Which colour somebody has and why: red before yellow before green, and never green by silence.

Where a rule for red or yellow hangs on a source that could not be asked and nothing worse is certain, the
code is grey and names what is missing. Source: docs/domain.md §5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec

from haiyiban.bilingual import Text
from services.health_code.expressions import Condition, Facts, holds


class Colour(StrEnum):
    """What a code shows."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    GREY = "grey"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the table: the colour it gives, when, and the reason in plain words."""

    id: str
    colour: Colour
    reason: Text
    when: Condition


class RuleTable(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A version of the rules; `rules` stand in the order of their priority."""

    id: str
    effective_from: date
    effective_to: date | None
    source: str
    confidence: str
    rules: Sequence[Rule]


class Decision(msgspec.Struct, frozen=True):
    """A colour, the rules that gave it, and the rules that could not be judged."""

    colour: Colour
    by: Sequence[Rule]
    unanswered: Sequence[Rule]


class Correction(msgspec.Struct, frozen=True):
    """What two persons corrected by hand: a colour, and the rules that are set aside for it."""

    colour: Colour
    aside: frozenset[str]


_WORSE = (Colour.GREEN, Colour.GREY, Colour.YELLOW, Colour.RED)


def stays(previous: Colour, decision: Decision) -> bool:
    """Whether the last known colour is shown instead, because a register that could not be asked hides why it
    was given: silence makes nobody grey who was known, and makes no red yellow."""
    if not decision.unanswered or decision.colour == Colour.RED or previous == Colour.GREY:
        return False
    is_silence = decision.colour == Colour.GREY and not decision.by
    return is_silence or _WORSE.index(previous) > _WORSE.index(decision.colour)


def decide(table: RuleTable, facts: Facts, *, correction: Correction | None = None) -> Decision:
    """The colour by the rules in force.

    A correction sets aside the rules that it was made against, and no others: what comes to hold later
    counts, so the colour is the worse of the two. Nor does it make green of silence.
    """
    if correction is None:
        return _by_rules(table.rules, facts)
    decision = _by_rules([rule for rule in table.rules if rule.id not in correction.aside], facts)
    if _WORSE.index(correction.colour) > _WORSE.index(decision.colour):
        return Decision(correction.colour, [], decision.unanswered)
    return decision


def _by_rules(rules: Sequence[Rule], facts: Facts) -> Decision:
    answers = [(rule, holds(rule.when, facts)) for rule in rules]
    unanswered = [rule for rule, answer in answers if answer is None]
    for colour in (Colour.RED, Colour.YELLOW):
        by = [rule for rule, answer in answers if answer is True and rule.colour == colour]
        if by:
            return Decision(colour, by, unanswered)
    missing = [rule for rule, answer in answers if answer is True and rule.colour == Colour.GREY]
    if missing or unanswered:
        return Decision(Colour.GREY, missing, unanswered)
    return Decision(Colour.GREEN, [], [])
