"""What is done to the platform: one fault after the other, each mended before the next."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.lines import Line, Mode
from tests.chaos.parts import Parts
from tests.chaos.people import Told

CALM_SECONDS = 1.0, 3.0
"""Between two faults, from and to."""
HURT_SECONDS = 0.5, 3.0
"""How long what can be mended stays broken."""
SKEW_SECONDS = 45.0

Fault = Callable[[Parts, float], Awaitable[None]]
"""Hurts, waits so many seconds where it is for us to mend, and mends."""


@dataclass
class Done:
    """Which faults there were, and the longest time in each in which nobody was told anything."""

    faults: Counter[str] = field(default_factory=Counter)
    silence: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def told(self) -> dict[str, Any]:
        """For the report: seconds, median and longest."""
        return {
            name: {
                "times": times,
                "silenceMedian": round(statistics.median(self.silence[name]), 2),
                "silenceLongest": round(max(self.silence[name]), 2),
            }
            for name, times in sorted(self.faults.items())
            if self.silence[name]
        }


def _line(name: str, mode: Mode) -> Fault:
    async def hurt(parts: Parts, seconds: float) -> None:
        line: Line = parts.lines[name]
        line.mode = mode
        if mode == "cut":
            line.cut()
        await asyncio.sleep(seconds)
        line.mode = "whole"

    return hurt


def _killed(part: str) -> Fault:
    async def hurt(parts: Parts, seconds: float) -> None:
        parts.kill(part)

    return hurt


async def _one_that_serves(parts: Parts, seconds: float) -> None:
    parts.kill_one_that_serves()


async def _disk_full(parts: Parts, seconds: float) -> None:
    parts.fill_disk()
    await asyncio.sleep(seconds)
    parts.empty_disk()


def _clock(by: float) -> Fault:
    async def hurt(parts: Parts, seconds: float) -> None:
        parts.skew(by)
        await asyncio.sleep(seconds + 4)  # a start takes three of them
        parts.skew(0)

    return hurt


FAULTS: dict[str, Fault] = {
    "kill worker": _killed("worker"),
    "kill API": _killed("api"),
    "kill process that serves": _one_that_serves,
    "kill PostgreSQL": _killed("postgres"),
    "kill Valkey": _killed("valkey"),
    "cut line to PostgreSQL": _line("postgres", "cut"),
    "cut line to Valkey": _line("valkey", "cut"),
    "slow line to PostgreSQL": _line("postgres", "slow"),
    "slow line to Valkey": _line("valkey", "slow"),
    "disk full": _disk_full,
    "clock of the API fast": _clock(SKEW_SECONDS),
    "clock of the API slow": _clock(-SKEW_SECONDS),
}


def endless(dice: random.Random, *, with_disk: bool) -> Iterator[str]:
    """Every fault as often as the others, each round of them in another order."""
    names = [name for name in FAULTS if with_disk or name != "disk full"]
    while True:
        dice.shuffle(names)
        yield from names


async def hurt(parts: Parts, told: Told, names: Iterable[str], dice: random.Random, *, until: float) -> Done:
    """One fault after the other, each mended, until `time.monotonic()` is `until`.

    The next one comes once people are told things again; how long nobody was told anything is reported.
    """
    done = Done()
    for name in names:
        told.longest_silence = 0.0
        await FAULTS[name](parts, dice.uniform(*HURT_SECONDS))
        await asyncio.sleep(dice.uniform(*CALM_SECONDS))
        told.heard.clear()
        await told.heard.wait()
        done.faults[name] += 1
        done.silence[name].append(told.longest_silence)
        if time.monotonic() > until:
            break
    return done
