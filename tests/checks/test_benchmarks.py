"""Benchmarks have one shape, and the figures that are checked in are theirs."""

from __future__ import annotations

import importlib
import inspect

import msgspec
import pytest

from benchmarks import page
from benchmarks.catalogue import NAMES, RESULTS
from benchmarks.report import Growth, Outcome, Ratio, Report, moved


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
