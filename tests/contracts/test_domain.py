"""docs/domain.md's worked examples recompute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

VECTORS = Path(__file__).parents[2] / "docs" / "domain_vectors.py"


def test_the_worked_examples_of_the_domain_reference_recompute() -> None:
    done = subprocess.run([sys.executable, str(VECTORS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "all vectors ok"
