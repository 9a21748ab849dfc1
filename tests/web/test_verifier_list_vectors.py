"""The second verifier as an offline terminal: it comes to what the published vectors of the lists say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from haiyiban.resources import schemas
from tests.web.node import Asking, asking

FILE = schemas() / "codes" / "vectors" / "lists" / "offline.json"
DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
LISTS = DOCUMENT["lists"]


@pytest.fixture(scope="module")
def reader() -> Iterator[Asking]:
    with asking(Path(__file__).with_name("read_lists.mjs")) as node:
        yield node


def held(case: dict[str, Any]) -> dict[str, Any]:
    return {
        "root": DOCUMENT["root"],
        "at": datetime.fromisoformat(case["at"]).timestamp(),
        "text": case.get("text", ""),
        "trustList": LISTS[case["trustList"]],
        "denyList": LISTS[case["denyList"]],
        "statusLists": [LISTS[name] for name in case.get("statusLists", ())],
        **({"lastSeen": case["lastSeen"]} if "lastSeen" in case else {}),
    }


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_a_terminal_comes_to_what_is_published(reader: Asking, case: dict[str, Any]) -> None:
    assert reader.ask([held(case)]) == [{"outcome": case["outcome"]}]


@pytest.mark.parametrize("case", DOCUMENT["refused"], ids=lambda case: case["name"])
def test_a_terminal_does_not_take_wrong_lists(reader: Asking, case: dict[str, Any]) -> None:
    (answer,) = reader.ask([held(case)])
    assert "refused" in answer


@pytest.mark.parametrize("case", DOCUMENT["changes"], ids=lambda case: case["name"])
def test_changes_come_to_the_list_that_is_published(reader: Asking, case: dict[str, Any]) -> None:
    question = {
        "root": DOCUMENT["root"],
        "at": datetime.fromisoformat(case["at"]).timestamp(),
        "trustList": LISTS[case["trustList"]],
        "denyList": case["denyList"],
        "changes": case["changes"],
    }
    (answer,) = reader.ask([question])
    assert answer["deny"]["entries"] == case["entries"]
