"""Lighthouse's accessibility of the pages that anybody can open, which is to be 100: `make lighthouse`.

Not collected with the tests: it takes ten seconds a page. Pages behind a sign-in are looked at by axe in
every state (looks.py); how soon a page stands is measured by test_speed.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Platform, platform
from tests.web import chromium
from tests.web.node import NODE, installed

__all__ = ["platform"]

PAGES = ("/m/", "/m/search?q=社保", "/m/matters/education.school-place", "/m/schools", "/m/cases/track")
SCREENS = ("/desk/", "/hall/")
"""Opened on a desk and on a wall, without a phone's network."""


@pytest.mark.parametrize("place", [*PAGES, *SCREENS])
def test_nothing_keeps_anybody_out(platform: Platform, place: str, tmp_path: Path) -> None:
    told = _judge(f"{platform.demo['web']}{place}", tmp_path / "told.json", is_desktop=place in SCREENS)
    category = told["categories"]["accessibility"]
    weighed = {each["id"] for each in category["auditRefs"] if each["weight"]}
    failed = [
        f"{audit['id']}: {audit['title']}"
        for audit in told["audits"].values()
        if audit["id"] in weighed and audit["score"] == 0
    ]
    print(f"{place}: {round(100 * category['score'])}")  # noqa: T201
    assert category["score"] == 1, failed


def _flags() -> str:
    """As one argument; a value with blanks in it keeps them by quotes."""
    named = (flag.partition("=") for flag in chromium.FLAGS)
    return " ".join(f'{name}="{value}"' if value else name for name, _, value in named)


def _judge(url: str, file: Path, *, is_desktop: bool) -> dict[str, Any]:
    found = chromium.find()
    done = subprocess.run(
        [
            NODE,
            installed(Path(__file__).parent) / "lighthouse" / "cli" / "index.js",
            url,
            "--quiet",
            "--output=json",
            f"--output-path={file}",
            "--only-categories=accessibility",
            f"--chrome-flags={_flags()}",
            *(["--preset=desktop"] if is_desktop else []),
        ],
        env={**os.environ, **found.environ, "CHROME_PATH": found.program},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(file.read_bytes())
    return told
