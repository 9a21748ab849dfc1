"""The contract that the tests hold answers against.

Every process of the tests reads it, so it is the one that is checked in; test_openapi.py holds that against
the code. While examples are recorded it is made of the code, for new operations are not checked in yet.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from haiyiban.runtime import contract
from haiyiban.runtime.app import build
from haiyiban.settings import Settings

CHECKED_IN = Path(__file__).parents[2] / "openapi" / "openapi.json"


def is_recording() -> bool:
    """Whether this run records examples (`make examples`)."""
    return os.environ.get("HAIYIBAN_RECORD_EXAMPLES") == "1"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made = contract.document(build(Settings(env="test"))) if is_recording() else CHECKED_IN.read_bytes()
    found: dict[str, Any] = json.loads(made)
    return found
