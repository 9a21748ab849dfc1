"""How the matching grows, from 7,500 children to 300,000: the work counted, and the time against a yardstick.

Counted work is the asks of deferred acceptance (a child asks a school): a property of the children and their
lists, the same on every machine and in every order. The yardstick visits the children in random order, as
those who were turned away are met, and adds up all that stands in their lists: it slows down with the
machine's caches as the matching does, so the ratio of the two tells what the algorithm itself adds. Each size
is a process of its own, visited in turn; the least CPU seconds of all rounds count.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.matching import exponent, instance
from services.school_places.matching import UNPLACED, Instance, match

SIZES = (7_500, 15_000, 37_500, 75_000, 150_000, 300_000)
ROUNDS = 2
RESULTS = Path(__file__).parent / "results" / "growth.json"


def main() -> None:
    """Measure, print, write benchmarks/results/growth.json."""
    rounds: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            command = [sys.executable, "-m", "benchmarks.growth", str(size)]
            answer = subprocess.run(command, check=True, capture_output=True)
            rounds[size].append(json.loads(answer.stdout))
    figures = {
        size: {name: min(each[name] for each in measured) for name in measured[0]}
        for size, measured in rounds.items()
    }
    print(f"{'children':>9}{'asks':>11}{'CPU s':>9}{'walk s':>9}{'ratio':>8}")
    for size, each in figures.items():
        each["ratio"] = round(each["cpuSeconds"] / each["walkCpuSeconds"], 2)
        print(
            f"{size:>9,}{each['asks']:>11,}{each['cpuSeconds']:>9}{each['walkCpuSeconds']:>9}{each['ratio']:>8}"
        )
    grown = {
        name: round(exponent({size: each[name] for size, each in figures.items()}), 3)
        for name in ("asks", "cpuSeconds", "walkCpuSeconds", "ratio")
    }
    print("n^k with k =", grown)
    summary: dict[str, Any] = {
        "loadAverage": round(os.getloadavg()[0], 2),
        "sizes": {str(size): each for size, each in figures.items()},
        "exponents": grown,
    }
    RESULTS.write_text(json.dumps(summary, indent=1) + "\n")


def measure(pupils: int) -> dict[str, float]:
    """One matching and one walk over its input, best of three each."""
    given = instance(pupils, "random")
    times: dict[str, list[float]] = {"cpuSeconds": [], "walkCpuSeconds": []}
    placements: list[int] = []
    order = random.Random(pupils).sample(range(pupils), pupils)
    for _ in range(3):
        began = time.process_time()
        placements = match(given).placements
        between = time.process_time()
        _walk(given, order)
        times["cpuSeconds"].append(between - began)
        times["walkCpuSeconds"].append(time.process_time() - between)
    asks = sum(
        len(choices) if placed == UNPLACED else choices.index(placed) + 1
        for choices, placed in zip(given.choices, placements, strict=True)
    )
    return {"asks": asks} | {name: round(min(each), 5) for name, each in times.items()}


def _walk(given: Instance, order: list[int]) -> int:
    total = 0
    for pupil in order:
        number = given.lottery[pupil]
        for school, priority in zip(given.choices[pupil], given.priorities[pupil], strict=True):
            total += (given.capacities[school] ^ priority) + number
    return total


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps(measure(int(sys.argv[1]))))
