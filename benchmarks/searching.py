"""Finding a matter among as many as the province had, in process: 400 queries of two to eight characters.

The program's own search (src/haiyiban/matters) over 19,723 made-up matters beside the real ones, against a
plain pass over all names (`in`), which knows no order and no other words. Each query is timed in both, in
turn, in a process of its own; everyday words are those of tests/kernel/matters/everyday_words.json, which no
code reads. To reach: p95 of 2 ms, everyday words in the first three for 95 of 100.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.report import Outcome, Ratio
from haiyiban.matters import catalogue, scale
from haiyiban.population import SIZES

QUERIES, LENGTHS = 400, (2, 8)
ROUNDS = (1, 5)
"""Quick, full."""
P95_MOST_MS = 2.0
FIRST, FOUND_LEAST = 3, 0.95
WORDS = Path(__file__).parents[1] / "tests" / "kernel" / "matters" / "everyday_words.json"


def measure(full: bool) -> Outcome:
    """All rounds in one process, which compiles the matters first."""
    with tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder:
        matters = Path(folder) / "matters"
        scale.write(matters, SIZES["province"])
        command = [sys.executable, "-m", "benchmarks.searching", str(ROUNDS[full])]
        environ = os.environ | {"HAIYIBAN_HOME": folder, "HAIYIBAN_MATTERS": str(matters)}
        told = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True).stdout)
    subject = f"search {told['matters']:,} matters"
    return Outcome(
        (
            Ratio(
                name=f"{subject}, p95",
                against=f"{P95_MOST_MS:g} ms",
                rounds=tuple(round(each / P95_MOST_MS, 3) for each in told["p95"]),
                better="less",
                reach=1.0,
                value=round(statistics.median(told["p95"]), 3),
                unit="ms",
            ),
            Ratio(
                name=f"{subject}, p50",
                against="a pass over all names",
                rounds=tuple(
                    round(plain / ours, 2) for ours, plain in zip(told["p50"], told["plain"], strict=True)
                ),
                value=round(statistics.median(told["p50"]), 3),
                unit="ms",
            ),
            Ratio(
                name=f"{told['words']} everyday words, the matter among the first {FIRST} of them",
                against="all",
                rounds=(round(told["found"] / told["words"], 4),),
                reach=FOUND_LEAST,
                value=told["found"],
                unit="words",
            ),
        )
    )


def queries(names: Sequence[str]) -> list[str]:
    """Pieces of names, of every length alike, the same in every run."""
    chance = random.Random(QUERIES)
    pieces = []
    for number in range(QUERIES):
        length = LENGTHS[0] + number % (LENGTHS[1] - LENGTHS[0] + 1)
        name = chance.choice(names)
        start = chance.randrange(max(1, len(name) - length + 1))
        pieces.append(name[start : start + length])
    return pieces


def main(rounds: int) -> None:
    """The measuring process: figures in milliseconds on stdout."""
    known = catalogue()
    matters = known.search("")
    names = [matter.name.zh for matter in matters]
    asked = queries(names)
    told: dict[str, list[float]] = {"p50": [], "p95": [], "plain": []}
    for _ in range(rounds):
        ours, plain = [], []
        for query in asked:
            ours.append(_milliseconds(known.search, query))
            plain.append(_milliseconds(lambda words: [name for name in names if words in name], query))
        told["p50"].append(statistics.median(ours))
        told["p95"].append(statistics.quantiles(ours, n=20)[-1])
        told["plain"].append(statistics.median(plain))
    words = json.loads(WORDS.read_bytes())
    found = sum(
        code in [matter.code for matter in known.search(word)[:FIRST]] for word, code in words.items()
    )
    print(json.dumps(told | {"matters": len(matters), "words": len(words), "found": found}))


def _milliseconds(work: Callable[[str], object], query: str) -> float:
    began = time.perf_counter()
    work(query)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]))
