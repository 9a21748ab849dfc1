"""Nothing but a delegation lets one person act for another: read off the contract itself.

Which person a resident's request is about follows from who is signed in. The operations whose body names
somebody else are listed with the reason; one that is not here fails. That a delegation reaches nothing but
its own matter is walked operation by operation in test_doors.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from haiyiban.runtime import contract
from haiyiban.runtime.app import build
from haiyiban.settings import Settings
from haiyiban.wire import API

NAMES_A_PERSON = {
    "idNumber",
    "onBehalfOf",
    "personId",
    "holderId",
    "keeperId",
    "applicantId",
    "accountId",
    "giverId",
    "takerId",
    "childId",
}
ALLOWED = {
    "POST /me/real-name": "one's own number, which the register and a face must confirm",
    "POST /cases": "a child whom the registers show, or the giver of a delegation that the caller takes",
    "POST /enterprises/{enterprise_id}/roles": "who is to act for an enterprise, and must accept it",
    "POST /zones/cross-province/cases": "the giver of a delegation that the caller takes",
    "POST /delegations": "the other side of a delegation, which must agree or be proven by register",
}
"""Operation of residents → why its body may name a person."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(contract.document(build(Settings(env="test"))))
    return found


def test_no_other_operation_of_residents_takes_a_person(document: dict[str, Any]) -> None:
    naming = set()
    seen = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if {"resident": []} not in operation.get("security", ()):
                continue
            seen += 1
            asked = [operation.get("requestBody", {}), *operation.get("parameters", ())]
            if any(NAMES_A_PERSON & set(_names(document, part)) for part in asked):
                naming.add(f"{method.upper()} {path.removeprefix(API)}")
    assert seen > 40
    filtered = {"GET /cases", "GET /zones/cross-province/cases"}
    assert naming - filtered == set(ALLOWED), "lists are filtered by a delegation that the caller takes"


def _names(document: dict[str, Any], part: Any, *, within: tuple[str, ...] = ()) -> Iterator[str]:
    """Every name of a member or parameter in a part of the contract, through its references."""
    if isinstance(part, list):
        for each in part:
            yield from _names(document, each, within=within)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("name"), str):
        yield part["name"]
    for name, value in part.items():
        if name == "properties":
            yield from value
        if name == "$ref" and value not in within:
            target = document["components"]["schemas"][value.rsplit("/", 1)[-1]]
            yield from _names(document, target, within=(*within, value))
        elif name not in {"example", "examples"}:
            yield from _names(document, value, within=within)
