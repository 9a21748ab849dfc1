"""docs/add-a-zone.md does what it says, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "add-a-zone.md"

_ASK = """
import asyncio, sys, httpx, services
services.__path__.append(sys.argv[1])
from haiyiban.runtime.app import build
from haiyiban.runtime import discovery
from haiyiban.settings import Settings
assert "libraries" in [zone.name for zone in discovery.zones()]
app = build(Settings(env="test", zones=("libraries",)))
assert "/api/v1/zones/libraries/loans" in app.openapi_schema.to_schema()["paths"]
from services.libraries.controllers import LibrariesController
from litestar import Litestar, Router
alone = Litestar([Router("/api/v1", route_handlers=[LibrariesController])])

async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=alone), base_url="http://test") as client:
        return (await client.get("/api/v1/zones/libraries/loans?borrowed_on=2026-11-21")).json()

assert asyncio.run(ask()) == {"dueOn": "2026-12-19"}
"""


def test_the_guide_makes_a_zone_that_is_found_and_served(tmp_path: Path) -> None:
    files = re.findall(r"```python\n# services/(\S+)\n(.*?)```", GUIDE.read_text(), re.S)
    assert {name for name, _ in files} == {
        f"libraries/{part}.py" for part in ("rules", "controllers", "__init__")
    }
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
