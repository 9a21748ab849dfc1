"""How the matching grows, from 7,500 children to 300,000: the work counted, and the time against a yardstick.

Counted work is the asks of deferred acceptance (a child asks a school): a property of the children and their
lists, the same on every machine and in every order. The yardstick visits the children in random order, as
those who were turned away are met, and adds up all that stands in their lists: it slows down with the
machine's caches as the matching does, so the ratio of the two tells what the algorithm itself adds. Each size
is a process of its own, visited in turn; the least CPU seconds of all rounds count.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.matching import instance
from benchmarks.report import Growth, Outcome
from services.school_places.matching import UNPLACED, Instance, match

SIZES = (7_500, 15_000, 37_500, 75_000, 150_000, 300_000)
ROUNDS = (1, 2)
"""Quick, full."""


def measure(full: bool) -> Outcome:
    """The sizes in turn, in processes of their own."""
    sizes = SIZES if full else SIZES[:4]
    rounds: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    for _ in range(ROUNDS[full]):
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.growth", str(size)]
            answer = subprocess.run(command, check=True, capture_output=True)
            rounds[size].append(json.loads(answer.stdout))
    figures = {
        size: {name: min(each[name] for each in measured) for name in measured[0]}
        for size, measured in rounds.items()
    }

    def grown(name: str, unit: str, cost: Callable[[dict[str, float]], float]) -> Growth:
        costs = tuple(cost(each) for each in figures.values())
        return Growth(name=name, unit=unit, work="children", sizes=sizes, costs=costs, reach=1.1)

    return Outcome(
        growths=(
            grown("schools asked, counted", "asks", lambda each: each["asks"]),
            grown(
                "placing, by a walk through the same memory",
                "walks",
                lambda each: each["cpuSeconds"] / each["walkCpuSeconds"],
            ),
        )
    )


def _measured(pupils: int) -> dict[str, float]:
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
    print(json.dumps(_measured(int(sys.argv[1]))))
