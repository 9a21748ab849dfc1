"""Benchmarks have one shape, and the figures that are checked in are theirs."""

from __future__ import annotations

import importlib
import inspect
from uuid import UUID

import msgspec
import pytest

from benchmarks import page
from benchmarks.arrivals import Answer
from benchmarks.catalogue import NAMES, RESULTS
from benchmarks.report import Growth, Outcome, Ratio, Report, moved
from benchmarks.rush import Person, is_true, won_in_turn


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_measures_in_a_quick_and_a_full_form(name: str) -> None:
    measure = importlib.import_module(f"benchmarks.{name}").measure
    assert list(inspect.signature(measure).parameters) == ["full"]


def test_the_figures_of_the_page_are_those_that_are_checked_in() -> None:
    made = msgspec.json.decode(RESULTS.read_bytes(), type=Report)
    assert set(made.benchmarks) <= set(NAMES)
    assert page.tables(made) in page.PAGE.read_text(encoding="utf-8")
    assert page.ratios_svg(made) == (page.DOCS / "performance-ratios.svg").read_text(encoding="utf-8")
    assert page.growth_svg(made) == (page.DOCS / "performance-growth.svg").read_text(encoding="utf-8")


def test_a_ratio_moves_only_beyond_its_noise() -> None:
    def ratio(*rounds: float) -> Ratio:
        return Ratio(name="x", against="y", rounds=rounds)

    assert moved(ratio(1.0, 1.1, 0.9), ratio(1.05, 1.15, 1.0)) is None
    assert moved(ratio(1.0, 1.0, 1.0), ratio(1.08, 1.08, 1.08)) is None, "a tenth is noise"
    assert moved(ratio(1.0, 2.0, 0.5), ratio(1.5, 1.5, 1.5)) is None, "within the rounds of before"
    assert moved(ratio(1.0, 1.1, 0.9), ratio(0.5, 0.6, 0.4)) == pytest.approx(-0.5)
    assert moved(ratio(0.0), ratio(0.0)) is None
    assert moved(ratio(0.0), ratio(3.0)) == 3.0


def test_what_is_reached_goes_by_its_direction() -> None:
    assert Ratio(name="x", against="y", rounds=(0.5,), reach=0.45).is_reached
    assert not Ratio(name="x", against="y", rounds=(0.5,), reach=0.45, better="less").is_reached
    assert Ratio(name="x", against="y", rounds=(0.5,)).is_reached is None


def test_an_exponent_is_that_of_the_power_that_fits() -> None:
    sizes = (10, 100, 1000)
    growth = Growth(
        name="x", unit="s", work="rows", sizes=sizes, costs=tuple(3.0 * n**1.5 for n in sizes), reach=1
    )
    assert growth.exponent == pytest.approx(1.5)
    assert Outcome(growths=(growth,)).growths == (growth,)


@pytest.mark.parametrize(
    ("kind", "status", "told", "has_one", "true"),
    [
        ("once", 201, "v1", True, True),
        ("once", 201, "v2", True, False),
        ("once", 201, "v1", False, False),
        ("once", 409, "sold-out", False, True),
        ("once", 409, "sold-out", True, False),
        ("twice", 409, "already-claimed", True, False),
        ("two devices", 409, "already-claimed", True, True),
        ("two devices", 409, "already-claimed", False, False),
        ("two devices", 409, "sold-out", True, True),
        ("once", 500, "internal", False, False),
    ],
)
def test_what_somebody_in_a_rush_was_told_is_held_against_the_tables(
    kind: str, status: int, told: str, has_one: bool, true: bool
) -> None:
    person = UUID(int=1)
    body = {"voucherId": told, "number": "n"} if status == 201 else {"type": f"/problems/duty-free/{told}"}
    click = Answer(0, person, kind, arrived=0.0, clicked=0.0, status=status, told=body)
    assert is_true(click, {person: ("v1", "n")} if has_one else {}) is true


def test_who_wins_while_somebody_came_much_earlier_has_won_out_of_turn() -> None:
    came = [(0.0, True), (1.0, False), (1.9, True), (2.1, True)]
    people = [Person("once", arrived, answered=9.0, won=won) for arrived, won in came]
    assert won_in_turn(people) == [True, True, False]
    assert won_in_turn([person for person in people if person.won]) == [True] * 3
