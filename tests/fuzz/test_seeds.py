"""Each reader keeps its promise for what fuzzing starts from, for what it once found, and nearby."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.targets import TARGETS

MUTANTS = {"document": 2}
"""For each seed, where not the usual number: judging a PDF takes a hundred times as long."""


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_what_is_near_them(name: str) -> None:
    """Some seeds are taken for what they should be, so that reading gets past the first look; not all are."""
    target, chance = TARGETS[name], random.Random(name)
    seeds = list(target.seeds())
    taken = [target.read(seed) for seed in seeds]
    assert any(taken)
    assert not all(taken)
    for seed in seeds:
        for _ in range(MUTANTS.get(name, 3)):
            target.read(_mutant(seed, chance))


def _mutant(seed: bytes, chance: random.Random) -> bytes:
    """The seed with one byte changed, left out or doubled, or cut off."""
    at = chance.randrange(len(seed) + 1)
    middle = chance.choice([bytes((chance.randrange(256),)), b"", seed[at : at + 1] * 2, None])
    return seed[:at] if middle is None else seed[:at] + middle + seed[at + 1 :]
