"""docs/security.md names tests: each is there, so that a requirement does not lose the one that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`(?:[\w/]+/)?(test_\w+\.py)(?:::(\w+))?`")
NAMED = sorted(set(_NAMED.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))))


def test_the_table_names_tests() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_is_there(file: str, name: str) -> None:
    found = list((ROOT / "tests").rglob(file))
    assert found, f"no {file}"
    assert any(re.search(rf"def {name}\b" if name else r"def test_", each.read_text()) for each in found)
