"""Who gets which school place, at the size of a province: 150,000 children × 5 choices × 1,000 schools.

The matching alone (seconds, memory above its input, growth), against the `matching` library at the sizes that
one can do; and the whole public draw: roll hash, numbers, file, and `haiyiban draw verify` of that file.
To reach: 2 s, 300 MB, no blocking pair, growth n^1.1, 500 times the library. Each figure is of a process of
its own, so that none inherits another's memory; all is one thread, so its CPU seconds are what a quiet
machine takes, and growth and ratios are reckoned from them.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.report import Growth, Outcome, Ratio
from services.school_places import public_file
from services.school_places.matching import UNPLACED, Instance, match
from services.school_places.recompute import recompute
from services.school_places.stability import stability_violations

PUPILS, PUPILS_A_SCHOOL, CHOICES, CLASSES = 150_000, 150, 5, 6
SIZES = (15_000, 30_000, 75_000, PUPILS)
LIBRARY_SIZES = (2_000, 8_000, 16_000, 32_000)
ROUNDS = (1, 3)
"""Quick, full."""

T = TypeVar("T")
Cost = dict[str, float]


def measure(full: bool) -> Outcome:
    """The matching, the library at the sizes that it can do, and the public draw."""
    rounds = ROUNDS[full]
    ours = {size: _median("ours", size, rounds) for size in SIZES}
    library_sizes = LIBRARY_SIZES if full else LIBRARY_SIZES[:1]
    small = {size: _median("ours", size, rounds) for size in library_sizes}
    library = {size: _alone("library", size) for size in library_sizes}
    costs = {size: figure["cpuSeconds"] for size, figure in ours.items()}
    theirs = {size: figure["cpuSeconds"] for size, figure in library.items()}
    largest = ours[PUPILS]
    ratios = [
        Ratio(
            name=f"place {PUPILS:,} children × 5 × 1,000 schools",
            against="2 s",
            rounds=(round(largest["cpuSeconds"] / 2, 3),),
            better="less",
            reach=1.0,
            value=largest["cpuSeconds"],
            unit="s CPU",
        ),
        Ratio(
            name=f"memory to place {PUPILS:,} children",
            against="300 MB",
            rounds=(round(largest["megabytes"] / 300, 3),),
            better="less",
            reach=1.0,
            value=largest["megabytes"],
            unit="MB",
        ),
        *(
            Ratio(
                name=f"place {size:,} children",
                against="the matching library",
                rounds=(round(theirs[size] / small[size]["cpuSeconds"]),),
                # Its growth bends upwards; at 150,000 it takes longer than anybody waits.
                reach=500 if size == LIBRARY_SIZES[-1] else None,
                value=small[size]["cpuSeconds"],
                unit="s CPU",
            )
            for size in library_sizes
        ),
    ]
    if any(figure["blockingPairs"] for figure in ours.values()):
        raise RuntimeError("a matching has blocking pairs")
    if full:
        steps = _alone("draw", PUPILS)["steps"]
        ratios.append(
            Ratio(
                name=f"check the public file of {PUPILS:,} children, whole command",
                against="placing them",
                rounds=(round(steps["command"]["seconds"] / largest["cpuSeconds"], 2),),
                better="less",
                value=steps["command"]["seconds"],
                unit="s",
            )
        )
    return Outcome(
        tuple(ratios),
        (
            Growth(
                name="deferred acceptance",
                unit="s CPU",
                work="children",
                sizes=tuple(costs),
                costs=tuple(costs.values()),
                reach=1.1,
            ),
        ),
    )


def instance(pupils: int, kind: str) -> Instance:
    """Random lists over as many schools as there are classes of 150; one class, or one list, for all."""
    chance = random.Random(pupils)
    schools = max(CHOICES, pupils // PUPILS_A_SCHOOL)
    favourite = list(range(CHOICES))
    choices = [
        favourite if kind == "crowd" else chance.sample(range(schools), CHOICES) for _ in range(pupils)
    ]
    priorities = [
        [0] * CHOICES if kind == "equal" else [chance.randrange(CLASSES) for _ in range(CHOICES)]
        for _ in range(pupils)
    ]
    lottery = chance.sample(range(1, pupils + 1), pupils)
    seats = [max(1, round(PUPILS_A_SCHOOL * chance.uniform(0.6, 1.3))) for _ in range(schools)]
    return Instance(choices, priorities, lottery, [], seats)


def measure_ours(pupils: int, kind: str) -> dict[str, Any]:
    """One matching, and the proof of its result."""
    given = instance(pupils, kind)
    result, cost = measured(lambda: match(given))
    violations, checked = measured(lambda: stability_violations(given, result.placements))
    return cost | {
        "blockingPairs": len(violations),
        "stabilityCpuSeconds": checked["cpuSeconds"],
        "unplaced": result.placements.count(UNPLACED),
    }


def measure_library(pupils: int) -> dict[str, Any]:
    """The `matching` library (HospitalResident, resident-optimal) on the same children: the same answer."""
    from matching.games import HospitalResident

    warnings.simplefilter("ignore")
    given = instance(pupils, "random")
    askers: list[list[tuple[int, int, int]]] = [[] for _ in given.capacities]
    for pupil, (choices, priorities) in enumerate(zip(given.choices, given.priorities, strict=True)):
        for school, priority in zip(choices, priorities, strict=True):
            askers[school].append((priority, given.lottery[pupil], pupil))
    asked = [school for school, ranked in enumerate(askers) if ranked]
    residents = {pupil: list(choices) for pupil, choices in enumerate(given.choices)}
    hospitals = {school: [pupil for *_, pupil in sorted(askers[school])] for school in asked}
    capacities = {school: given.capacities[school] for school in asked}

    def solve() -> dict[Any, Any]:
        game = HospitalResident.create_from_dictionaries(residents, hospitals, capacities)
        return dict(game.solve(optimal="resident"))

    solved, cost = measured(solve)
    placements = [UNPLACED] * pupils
    for hospital, held in solved.items():
        for resident in held:
            placements[resident.name] = hospital.name
    if placements != match(given).placements:
        raise RuntimeError("the library places somebody elsewhere")
    return cost


def measure_draw(pupils: int) -> dict[str, Any]:
    """The public draw from applications to a checked file, step by step."""
    chance = random.Random(pupils)
    schools = [f"{chance.getrandbits(128):032x}" for _ in range(pupils // PUPILS_A_SCHOOL)]
    names = [f"{chance.getrandbits(80):020x}" for _ in range(pupils)]
    applications = {
        name: [(school, chance.randrange(CLASSES) << 8) for school in chance.sample(schools, CHOICES)]
        for name in names
    }
    seats = {school: round(PUPILS_A_SCHOOL * chance.uniform(0.6, 1.3)) for school in schools}
    steps: dict[str, Cost] = {}

    def step(name: str, work: Callable[[], T]) -> T:
        answer, steps[name] = measured(work)
        return answer

    twins = [names[at : at + 2] for at in range(0, pupils // 50, 2)]
    roll, _ = step(
        "roll", lambda: public_file.make_roll(capacities=seats, applications=applications, twins=twins)
    )
    step("rollHash", lambda: public_file.hash_of(roll))
    file = step(
        "draw", lambda: public_file.draw_and_match(roll, secret="s", beacon="7,12,19", campaign="BENCH")
    )
    document = step("writeFile", lambda: public_file.to_bytes(file))
    if not step("recompute", lambda: recompute(document)).holds:
        raise RuntimeError("the file does not prove its own result")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "public.json"
        path.write_bytes(document)
        began = time.perf_counter()
        command = [sys.executable, "-m", "haiyiban.cli", "draw", "verify", str(path)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    steps["command"] = {
        "seconds": round(seconds, 2),
        "cpuSeconds": round(used.ru_utime + used.ru_stime, 2),
        "megabytes": used.ru_maxrss // 1024,
    }
    return {"fileBytes": len(document), "twinPairs": len(twins), "steps": steps}


def in_deep_stack(work: Callable[[], T]) -> T:
    """The library copies its linked players by recursion, deeper than an ordinary stack holds."""
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(1 << 30)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()


def measured(work: Callable[[], T]) -> tuple[T, Cost]:
    """The answer, the seconds (by the clock, and of CPU), and how many MB the process grew at its height."""
    grown = grown_megabytes()
    began, cpu = time.perf_counter(), time.process_time()
    answer = work()
    cost = {
        "seconds": round(time.perf_counter() - began, 4),
        "cpuSeconds": round(time.process_time() - cpu, 4),
        "megabytes": grown(),
    }
    return answer, cost


def grown_megabytes() -> Callable[[], int]:
    """Asked later, it says by how many MB this process grew at its height since this call."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    return lambda: max(0, _status("VmHWM") - before) // 1024


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _alone(variant: str, pupils: int) -> dict[str, Any]:
    print(f"{variant} {pupils:,} …", flush=True)
    command = [sys.executable, "-m", "benchmarks.matching", variant, str(pupils)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return answer


def _median(variant: str, pupils: int, count: int) -> dict[str, Any]:
    rounds = [_alone(variant, pupils) for _ in range(count)]
    return rounds[0] | {
        "seconds": statistics.median(each["seconds"] for each in rounds),
        "cpuSeconds": statistics.median(each["cpuSeconds"] for each in rounds),
        "megabytes": max(each["megabytes"] for each in rounds),
    }


if __name__ == "__main__":
    variant, count = sys.argv[1], int(sys.argv[2])
    if variant == "library":
        told = in_deep_stack(lambda: measure_library(count))
    elif variant == "draw":
        told = measure_draw(count)
    else:
        told = measure_ours(count, variant)
    print(json.dumps(told))
