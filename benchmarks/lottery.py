"""The public lottery at its largest: numbers for 3,000,000 entries, of whom the first 100,000 win.

The program's own draw (services/school_places/draw.py) against the least that such a draw can be: SHA-256
over the same ids, and a sort. Each figure is of a process of its own; the ids are made before the clock runs.
To reach: 5 s, 1 GB, growth n^1.1.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys

from benchmarks.matching import Cost, measured
from benchmarks.report import Growth, Outcome, Ratio, per_round
from services.school_places import draw

ENTRIES, WINNERS = 3_000_000, 100_000
SIZES = (30_000, 300_000, ENTRIES)
ROUNDS = (1, 5)
"""Quick, full."""
SECONDS_MOST, MEGABYTES_MOST = 5.0, 1024
SEED = draw.draw_seed("secret", beacon="7,12,19", roll="0" * 64, campaign="BENCH")


def measure(full: bool) -> Outcome:
    """The draw and its ceiling in turn at the largest size; the draw alone at the others."""
    ours: list[Cost] = []
    theirs: list[Cost] = []
    for _ in range(ROUNDS[full]):
        ours.append(_alone("draw", ENTRIES))
        theirs.append(_alone("hash", ENTRIES))
    seconds = [each["cpuSeconds"] for each in ours]
    grown = {size: _alone("draw", size)["cpuSeconds"] for size in SIZES[:-1]} | {
        ENTRIES: statistics.median(seconds)
    }
    subject = f"draw {WINNERS:,} of {ENTRIES:,}"
    return Outcome(
        (
            Ratio(
                name=subject,
                against=f"{SECONDS_MOST:g} s",
                rounds=tuple(round(each / SECONDS_MOST, 3) for each in seconds),
                better="less",
                reach=1.0,
                value=statistics.median(seconds),
                unit="s CPU",
            ),
            Ratio(
                name=subject,
                against="SHA-256 of the ids and a sort",
                rounds=per_round([each["cpuSeconds"] for each in theirs], seconds),
                value=statistics.median(seconds),
                unit="s CPU",
            ),
            Ratio(
                name=f"memory to {subject}",
                against=f"{MEGABYTES_MOST} MB",
                rounds=tuple(round(each["megabytes"] / MEGABYTES_MOST, 3) for each in ours),
                better="less",
                reach=1.0,
                value=statistics.median(each["megabytes"] for each in ours),
                unit="MB",
            ),
        ),
        (
            Growth(
                name="lottery",
                unit="s CPU",
                work="entries",
                sizes=tuple(grown),
                costs=tuple(grown.values()),
                reach=1.1,
            ),
        ),
    )


def pseudonyms(entries: int) -> list[str]:
    """As a roll has them: 20 hexadecimal digits each, in no order, the same in every run."""
    return [hashlib.blake2b(number.to_bytes(8), digest_size=10).hexdigest() for number in range(entries)]


def winners_of(entries: list[str]) -> int:
    """How many the program's draw lets win."""
    numbers = draw.lottery_numbers(SEED, entries, twins=())
    return sum(number <= WINNERS for number in numbers)


def least(entries: list[str]) -> int:
    """How many win by a hash for each and a sort, and nothing else."""
    sha256 = hashlib.sha256
    drawn = sorted((sha256(SEED + entry.encode()).digest(), entry) for entry in entries)
    return len(drawn[:WINNERS])


def _alone(variant: str, entries: int) -> Cost:
    print(f"{variant} {entries:,} …", flush=True)
    command = [sys.executable, "-m", "benchmarks.lottery", variant, str(entries)]
    answer: Cost = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return answer


def main(variant: str, count: int) -> None:
    """One draw in this process, its cost on stdout."""
    entries = pseudonyms(count)
    work = winners_of if variant == "draw" else least
    won, cost = measured(lambda: work(entries))
    if won != min(WINNERS, count):
        raise RuntimeError(f"{won:,} won and not {min(WINNERS, count):,}")
    print(json.dumps(cost))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
