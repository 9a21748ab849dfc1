"""Two provinces as `haiyiban up --with-neighbour` runs them: taken in here, decided there, shown, revoked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haiyiban.runtime import ports
from tests.journeys.conftest import running
from tests.journeys.people import Document, Official, resident

pytestmark = pytest.mark.long

ZONE = "/zones/cross-province"


def test_a_proof_of_another_province_is_applied_for_decided_shown_and_revoked(tmp_path: Path) -> None:
    port = str(ports.any_free())
    with running(tmp_path / "state", "--with-neighbour", HAIYIBAN_NEIGHBOUR_PORT=port) as platform:
        theirs = platform.demo["neighbour"]
        beside = replace(platform, demo=platform.demo | theirs)
        yun = resident(platform, "可跨省开广东参保证明")
        [matter] = _until(lambda: yun.get(f"{ZONE}/matters")["items"])
        body = {name: matter[name] for name in ("division", "version")} | {"matter": matter["code"]}
        case = yun.post(f"{ZONE}/cases", body | {"form": {"purpose": "loan"}}, expect=201)

        def here() -> Document:
            found: Document = yun.get(f"{ZONE}/cases/{case['id']}")
            return found

        _until(lambda: here()["state"] == "reached")
        clerk = Official(beside, "insurance-clerk")
        [there] = _until(lambda: clerk.get("/desk/cases", matter=matter["code"])["items"])
        for verb in ("accept", "approve"):
            there = clerk.post(f"/desk/cases/{there['id']}/{verb}", {"version": there["version"]})
        # Each step can be taken back for a minute, and is told after it.
        issued = _until(lambda: here()["certificate"])
        assert (here()["state"], issued["status"]) == ("delivered", "valid")
        assert issued["code"].startswith("HYB1:")
        assert any("已办结" in text for text in yun.messages())

        [held] = clerk.get("/desk/certificates", number=issued["identifier"])["items"]
        clerk.post(f"/desk/certificates/{held['id']}/revocation", {"reason": "参保地认定有误"})
        revoked = _until(lambda: (now := here()["certificate"])["status"] == "revoked" and now)
        assert (revoked["code"], revoked["statusReason"]) == (None, "参保地认定有误")
        assert "https://127.0.0.1" in _agreed(tmp_path / "state")
        assert yun.known["idNumber"] not in platform.logs()


def _agreed(home: Path) -> str:
    """Where the two reach each other, as the operator's command tells."""
    servers = json.loads((home / "servers.json").read_bytes())
    environ = os.environ | {
        "HAIYIBAN_ENV": "demo",
        "HAIYIBAN_HOME": str(home),
        "DATABASE_URL": servers["databaseUrl"],
    }
    command = [sys.executable, "-m", "haiyiban.cli", "neighbours", "list"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def _until(look: Callable[[], Any], *, seconds: float = 180) -> Any:
    """What comes of it within a time."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.5)
    return found
