"""A package whose licence is not allowed is named, and what nothing runs with may have another."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from deploy.supply import mark_excluded, not_allowed

ROOT = Path(__file__).parents[2]
RULES = tomllib.loads((ROOT / "deploy" / "licences.toml").read_text())
LGPL = "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)"


def package(name: str, *licences: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1", "licenses": list(licences)}


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (package("a", {"license": {"id": "MIT"}}), []),
        (package("a", {"expression": "Apache-2.0 AND MIT"}), []),
        (package("a", {"license": {"id": "GPL-3.0-only"}}), ["a 1: GPL-3.0-only"]),
        (package("a", {"license": {"id": "MIT"}}, {"license": {"name": "Other"}}), ["a 1: MIT; Other"]),
        (package("a"), ["a 1: not told"]),
        (package("rich-click"), []),
        (package("a", {"license": {"name": LGPL}}), [f"a 1: {LGPL}"]),
        (package("a", {"license": {"name": LGPL}}) | {"scope": "excluded"}, []),
    ],
)
def test_what_is_not_allowed_is_named(found: dict[str, Any], wrong: list[str]) -> None:
    assert list(not_allowed({"components": [found]}, RULES)) == wrong


def test_what_is_not_pinned_for_running_is_excluded() -> None:
    bom = {"components": [package("My_Package"), package("pytest")]}
    mark_excluded(bom, "my.package==1 \\\n    --hash=sha256:00\n")
    assert [each["scope"] for each in bom["components"]] == ["required", "excluded"]
