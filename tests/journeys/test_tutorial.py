"""The tutorial, as a stranger pastes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Platform

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"


def test_the_tutorial_reaches_a_valid_outcome(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAIYIBAN_HOME", str(platform.home))
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text(), re.S)
    assert len(blocks) >= 7
    prompt: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(TUTORIAL), "exec"), prompt)
    assert prompt["seen"]["outcome"] == "valid", capsys.readouterr().out
    assert prompt["again"]["outcome"] == "already_used"
    for name in ("phone", "clerk", "officer", "gate"):
        prompt[name].close()
