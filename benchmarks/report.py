"""What a benchmark comes to: ratios against ceilings of the same run, so that they hold on any machine.

A benchmark measures its subject and its ceiling in turn, round after round. The ratio of a round is the
subject's figure by the ceiling's; what is told is the median of the rounds and how far they lie apart.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

VERSIONS = ("litestar", "granian", "msgspec", "sqlalchemy", "asyncpg", "redis", "cryptography", "gmssl-pyx")
NOISE = 0.1
"""Ratios of two runs on one machine that lie no further apart than this are the same."""


class Ratio(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One line of the table."""

    name: str
    """What was measured, such as "claim, 64 clients"."""
    against: str
    """The ceiling, such as "bare POST"."""
    rounds: tuple[float, ...]
    """The ratio of each round; one where the subject takes minutes."""
    better: Literal["more", "less"] = "more"
    reach: float | None = None
    """What docs/performance.md promises; None where nothing is."""
    value: float | None = None
    """The subject's own figure, medians; only for this machine."""
    unit: str = ""
    cpu_ratio: float | None = None
    """Of processor time for one request or row: the ceiling's by the subject's, more is better."""

    @property
    def ratio(self) -> float:
        """The median."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the most."""
        return min(self.rounds), max(self.rounds)

    @property
    def is_reached(self) -> bool | None:
        """None where nothing was promised."""
        if self.reach is None:
            return None
        return self.ratio >= self.reach if self.better == "more" else self.ratio <= self.reach


class Growth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a cost grows with the work."""

    name: str
    unit: str
    """Of the cost."""
    work: str
    """What the sizes count."""
    sizes: tuple[int, ...]
    costs: tuple[float, ...]
    reach: float
    """The largest exponent that is promised."""

    @property
    def exponent(self) -> float:
        """The k of n^k that fits best (least squares of the logarithms)."""
        x, y = ([math.log(each) for each in values] for values in (self.sizes, self.costs))
        return statistics.linear_regression(x, y).slope


class Outcome(msgspec.Struct, frozen=True):
    """What one benchmark came to."""

    ratios: tuple[Ratio, ...] = ()
    growths: tuple[Growth, ...] = ()


class Taken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When and how a benchmark was run last."""

    at: datetime
    full: bool = False
    seconds: float


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A run of some or all benchmarks, as results/bench.json keeps it."""

    at: datetime
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    benchmarks: dict[str, Outcome]
    taken: dict[str, Taken]


def machine() -> dict[str, str | int | float]:
    """Where it ran, and what else ran there."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "loadAverage": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of the packages that the figures depend on."""
    return {name: version(name) for name in VERSIONS}


def now() -> datetime:
    """When it ran."""
    return datetime.now(UTC).replace(microsecond=0)


def moved(before: Ratio, after: Ratio) -> float | None:
    """By what part a ratio moved; None within the noise: of the machine, or of either run's rounds."""
    if not before.ratio:  # a count of what must never happen
        return after.ratio or None
    change = after.ratio / before.ratio - 1
    apart = before.spread[1] < after.spread[0] or after.spread[1] < before.spread[0]
    return change if abs(change) > NOISE and apart else None


def per_round(subject: Sequence[float], ceiling: Sequence[float]) -> tuple[float, ...]:
    """The ratio of each round."""
    return tuple(round(ours / theirs, 4) for ours, theirs in zip(subject, ceiling, strict=True))


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in told if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
