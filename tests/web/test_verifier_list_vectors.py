"""The second verifier as an offline terminal: it comes to what the published vectors of the lists say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.codes.test_list_vectors import published
from tests.web.node import Asking, asking


@pytest.fixture(scope="module")
def reader() -> Iterator[Asking]:
    with asking(Path(__file__).with_name("read_lists.mjs")) as node:
        yield node


def held(document: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    lists = document["lists"]
    return {
        "root": document["root"],
        "at": datetime.fromisoformat(case["at"]).timestamp(),
        "text": case.get("text", ""),
        "trustList": lists[case["trustList"]],
        "denyList": lists[case["denyList"]],
        "statusLists": [lists[name] for name in case.get("statusLists", ())],
        **({"lastSeen": case["lastSeen"]} if "lastSeen" in case else {}),
    }


@pytest.mark.parametrize(("document", "case"), published("cases"))
def test_a_terminal_comes_to_what_is_published(
    reader: Asking, document: dict[str, Any], case: dict[str, Any]
) -> None:
    assert reader.ask([held(document, case)]) == [{"outcome": case["outcome"]}]


@pytest.mark.parametrize(("document", "case"), published("refused"))
def test_a_terminal_does_not_take_wrong_lists(
    reader: Asking, document: dict[str, Any], case: dict[str, Any]
) -> None:
    (answer,) = reader.ask([held(document, case)])
    assert "refused" in answer


@pytest.mark.parametrize(("document", "case"), published("changes"))
def test_changes_come_to_the_list_that_is_published(
    reader: Asking, document: dict[str, Any], case: dict[str, Any]
) -> None:
    question = {
        "root": document["root"],
        "at": datetime.fromisoformat(case["at"]).timestamp(),
        "trustList": document["lists"][case["trustList"]],
        "denyList": case["denyList"],
        "changes": case["changes"],
    }
    (answer,) = reader.ask([question])
    assert answer["deny"]["entries"] == case["entries"]
