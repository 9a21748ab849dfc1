"""The colour, the windows and the edge: docs/domain.md §5."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from haiyiban.clock import SHANGHAI
from services.health_code.expressions import Fact
from services.health_code.rules import Colour, Correction, RuleTable, decide
from services.health_code.windows import Edge, edge, window

TABLE = msgspec.json.decode(
    (Path(__file__).parents[3] / "schemas/zones/health_code/rules.v1.json").read_bytes(), type=RuleTable
)
WELL: dict[str, Fact] = {
    "tested_positive": False,
    "isolated_as": "none",
    "been_in_risk_area": False,
    "days_isolated": 0,
    "declared_risk_travel": False,
    "declared_symptoms": False,
    "fever_clinic": False,
    "was_case": False,
    "days_since_release": 0,
    "been_in_affected_area": False,
    "minutes_near_case": 0,
    "checked_in_today": True,
}
REQUIRED = {"inactivated": 2, "recombinant_protein": 3, "adenovirus_vector": 1}


@pytest.mark.parametrize(
    ("facts", "colour", "by"),
    [
        ({}, "green", []),
        ({"isolated_as": "confirmed"}, "red", ["isolated"]),
        ({"isolated_as": "close_contact"}, "red", ["isolated"]),
        ({"tested_positive": True}, "red", ["positive-test"]),
        ({"been_in_risk_area": True, "days_isolated": 13}, "red", ["risk-area"]),
        ({"been_in_risk_area": True, "days_isolated": 14}, "green", []),
        ({"declared_risk_travel": True}, "red", ["declared-travel"]),
        ({"declared_symptoms": True}, "yellow", ["symptoms"]),
        ({"fever_clinic": True}, "yellow", ["symptoms"]),
        ({"was_case": True, "days_since_release": 13}, "yellow", ["released"]),
        ({"was_case": True, "days_since_release": 14}, "green", []),
        ({"been_in_affected_area": True}, "yellow", ["affected-area"]),
        ({"minutes_near_case": 30}, "yellow", ["exposure"]),
        ({"minutes_near_case": 29}, "green", []),
        ({"declared_symptoms": True, "declared_risk_travel": True}, "red", ["declared-travel"]),
        ({"checked_in_today": False}, "grey", ["check-in"]),
        ({"checked_in_today": False, "declared_symptoms": True}, "yellow", ["symptoms"]),
    ],
)
def test_the_worst_rule_that_holds_gives_the_colour_and_its_reason(
    facts: dict[str, Fact], colour: str, by: list[str]
) -> None:
    decision = decide(TABLE, WELL | facts)
    assert (decision.colour, [rule.id for rule in decision.by]) == (colour, by)


@pytest.mark.parametrize("silent", sorted(WELL.keys() - {"days_isolated", "days_since_release"}))
def test_a_source_that_cannot_be_asked_makes_nobody_green(silent: str) -> None:
    decision = decide(TABLE, WELL | {silent: None})
    assert decision.colour == Colour.GREY
    assert decision.unanswered


@pytest.mark.parametrize("silent", ["isolated_as", "fever_clinic", "checked_in_today"])
def test_what_is_certain_stays_certain_beside_a_silent_source(silent: str) -> None:
    assert decide(TABLE, WELL | {"declared_symptoms": True, silent: None}).colour == Colour.YELLOW


def test_no_facts_at_all_are_grey() -> None:
    assert decide(TABLE, {}).colour == Colour.GREY


@pytest.mark.parametrize(
    ("after", "hours"),
    [
        (timedelta(0), 24),
        (timedelta(hours=24), 24),
        (timedelta(hours=24, seconds=1), 48),
        (timedelta(hours=48), 48),
        (timedelta(hours=48, seconds=1), 72),
        (timedelta(hours=72), 72),
        (timedelta(hours=72, seconds=1), None),
        (timedelta(seconds=-1), None),
    ],
)
def test_a_negative_test_counts_up_to_the_last_second_of_its_window(
    after: timedelta, hours: int | None
) -> None:
    at = datetime(2022, 4, 10, 8, tzinfo=SHANGHAI)
    assert window(at, now=at + after) == hours


def test_without_a_test_there_is_no_window() -> None:
    assert window(None, now=datetime(2022, 4, 10, 8, tzinfo=SHANGHAI)) is None


@pytest.mark.parametrize(
    ("doses", "expected"),
    [
        ({"inactivated": 2}, Edge(golden=True, reminder=False)),
        ({"inactivated": 1}, Edge(golden=False, reminder=True)),
        ({"recombinant_protein": 2}, Edge(golden=False, reminder=True)),
        ({"recombinant_protein": 3}, Edge(golden=True, reminder=False)),
        ({"adenovirus_vector": 1}, Edge(golden=True, reminder=False)),
        ({}, Edge(golden=False, reminder=True)),
        (None, Edge(golden=False, reminder=False)),
    ],
)
def test_all_doses_make_the_edge_gold_and_fewer_a_reminder(
    doses: dict[str, int] | None, expected: Edge
) -> None:
    assert edge(doses, required=REQUIRED) == expected


def test_nobody_is_reminded_of_what_they_may_not_take() -> None:
    assert edge({}, required=REQUIRED, contraindicated=True) == Edge(golden=False, reminder=False)


@pytest.mark.parametrize(
    ("corrected", "aside", "facts", "colour"),
    [
        ("green", {"positive-test"}, {"tested_positive": True}, "green"),
        ("yellow", {"positive-test"}, {"tested_positive": True}, "yellow"),
        ("green", {"exposure"}, {"tested_positive": True}, "red"),
        ("red", set(), {}, "red"),
    ],
)
def test_a_correction_sets_aside_the_rules_that_it_names_and_no_others(
    corrected: str, aside: set[str], facts: dict[str, Fact], colour: str
) -> None:
    correction = Correction(Colour(corrected), frozenset(aside))
    assert decide(TABLE, WELL | facts, correction=correction).colour == colour


def test_a_correction_makes_no_green_of_silence() -> None:
    correction = Correction(Colour.GREEN, frozenset({"positive-test"}))
    assert decide(TABLE, WELL | {"isolated_as": None}, correction=correction).colour == "grey"
