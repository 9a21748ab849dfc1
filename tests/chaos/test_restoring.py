"""Losing the database's machine, in small: docs/chaos.md has the figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import restoring


@pytest.mark.long
def test_everything_is_back_as_it_was_at_the_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HAIYIBAN_ENV", "HAIYIBAN_HOME", "DATABASE_URL"):
        monkeypatch.setenv(name, "")  # given back at the end
    told = restoring.drill(tmp_path, 40)
    assert (told["people"], told["missing"], told["tooMany"], told["audit"]) == (80, 0, 0, "holds")
