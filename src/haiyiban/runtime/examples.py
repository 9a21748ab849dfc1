"""Examples of the contract's operations: what was really asked and answered, recorded by the tests.

`schemas/examples/api.v1.json` holds, by operationId, `{request?, status, media, response?}`; `make examples`
records anew what is missing or no longer fits. People in them are made up.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from haiyiban import resources

FILE = "examples/api.v1.json"


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Every recorded example by its operationId."""
    file = resources.schemas() / FILE
    found: dict[str, dict[str, Any]] = json.loads(file.read_bytes()) if file.exists() else {}
    return found


def show(operation: dict[str, Any]) -> None:
    """Put the recorded example of an operation into its part of the document."""
    example = examples().get(operation["operationId"])
    if example is None:
        return
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and "request" in example:
        body["example"] = example["request"]
    answer = operation["responses"].get(str(example["status"]), {}).get("content", {}).get(example["media"])
    if answer is not None and "response" in example:
        answer["example"] = example["response"]
