"""The second verifier, written in TypeScript from the format's page alone, reads the published vectors."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Any

import pytest

from haiyiban.resources import schemas
from tests.web.node import Asking

DOCUMENTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((schemas() / "codes" / "vectors").glob("*.json"))
}
CASES = [
    pytest.param(document, case, id=f"{outcome}: {case['name']}")
    for outcome, document in DOCUMENTS.items()
    if "trustList" in document
    for case in document["cases"]
]


def asked(document: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    also = ("deny", "listsAgeSeconds", "trustListExp", "expectedKind", "challenge")
    return {
        "entries": document["trustList"]["entries"],
        "text": case["text"],
        "at": datetime.fromisoformat(case["at"]).timestamp(),
        "deny": [],
        **{name: case[name] for name in also if name in case},
    }


def in_camel_case(value: Any) -> Any:
    """Names as TypeScript writes them; what is not there is left out."""
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"_(.)", lambda found: found[1].upper(), name): each for name, each in value.items()}
    return {name: in_camel_case(each) for name, each in named.items() if each is not None}


@pytest.mark.parametrize(("document", "case"), CASES)
def test_a_vector_comes_out_as_published(
    second_verifier: Asking, document: dict[str, Any], case: dict[str, Any]
) -> None:
    (answer,) = second_verifier.ask([asked(document, case)])["answers"]
    assert answer["outcome"] == document["outcome"]


@pytest.mark.parametrize("case", DOCUMENTS["valid"]["cases"], ids=lambda case: case["name"])
def test_a_good_vector_says_what_is_published(second_verifier: Asking, case: dict[str, Any]) -> None:
    (answer,) = second_verifier.ask([asked(DOCUMENTS["valid"], case)])["answers"]
    said, body = answer["claims"], answer["claims"].pop("body")
    published = dict(case["says"]["body"])
    days = published.pop("valid_until", None)
    assert said == {name: value for name, value in case["says"].items() if name != "body"}
    assert body.pop("validUntil", None) == (days and (date.fromisoformat(days) - date(1970, 1, 1)).days)
    assert body == in_camel_case(published)
