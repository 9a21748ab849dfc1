"""A short run of chaos with a fixed seed: kills while people go about their business.

Twenty minutes of everything are in docs/chaos.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FAULTS = ("kill worker", "kill process that serves", "kill PostgreSQL")


def test_nothing_that_was_said_is_gone_or_done_twice(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.chaos", "--seed", "7", "--json", str(report)]
    command += ["--stock", "1", "--people", "6"]  # two of them begin with a claim
    for fault in FAULTS:
        command += ["--fault", fault]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert report.exists(), done.stdout + done.stderr
    told = json.loads(report.read_bytes())
    assert not any(told["found"].values()), told["found"]
    assert done.returncode == 0
    assert {name: each["times"] for name, each in told["faults"].items()} == dict.fromkeys(FAULTS, 1)
    assert told["acknowledged"].keys() >= {"claimed", "sold out", "approve", "file", "let in", "not let in"}
    assert told["acknowledged"]["claimed"] == 1
