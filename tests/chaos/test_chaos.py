"""A short run of chaos with a fixed seed: kills while people go about their business.

Twenty minutes of everything are in docs/chaos.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.chaos.broken import BROKEN

FAULTS = ("kill worker", "kill process that serves", "kill PostgreSQL")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the run reported."""
    report = tmp_path_factory.mktemp("chaos") / "report.json"
    command = [sys.executable, "-m", "tests.chaos", "--seed", "7", "--json", str(report)]
    command += ["--stock", "1", "--people", "6"]  # two of them begin with a claim
    for fault in FAULTS:
        command += ["--fault", fault]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert report.exists(), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(report.read_bytes())
    failed = any(told["found"].values()) or bool(told["checkerMissed"])
    assert done.returncode == int(failed)
    return told


def test_nothing_that_was_said_is_gone_or_done_twice(told: dict[str, Any]) -> None:
    assert not any(told["found"].values()), told["found"]
    assert {name: each["times"] for name, each in told["faults"].items()} == dict.fromkeys(FAULTS, 1)
    assert told["acknowledged"].keys() >= {"claimed", "sold out", "approve", "file", "let in", "not let in"}
    assert told["acknowledged"]["claimed"] == 1


def test_the_checker_finds_each_thing_that_is_broken_on_purpose(told: dict[str, Any]) -> None:
    assert told["brokenOnPurpose"] == len(BROKEN)
    assert told["checkerMissed"] == []
