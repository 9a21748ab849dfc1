"""The published vectors of the signed lists: a terminal of ours comes to what each says."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haiyiban.codes import deny_list, terminal
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.terminal import Held, LastSeen
from haiyiban.codes.trust import public_key_of, read_trust_list
from haiyiban.codes.vectors.__main__ import write
from haiyiban.resources import schemas

FOLDER = schemas() / "codes" / "vectors" / "lists"
FILES = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def published(group: str) -> list[Any]:
    """The document and the case, of every file."""
    return [
        pytest.param(document, case, id=f"{name}: {case['name']}")
        for name, document in FILES.items()
        for case in document[group]
    ]


def hold(document: dict[str, Any], case: dict[str, Any]) -> Held:
    lists = document["lists"]
    return terminal.hold(
        lists[case["trustList"]],
        lists[case["denyList"]],
        [lists[name] for name in case.get("statusLists", [])],
        root=public_key_of(document["root"]),
        at=datetime.fromisoformat(case["at"]),
        last_seen=msgspec.convert(case.get("lastSeen", {}), LastSeen),
    )


@pytest.mark.parametrize(("document", "case"), published("cases"))
def test_a_terminal_comes_to_what_is_published(document: dict[str, Any], case: dict[str, Any]) -> None:
    seen = terminal.judge(case["text"], hold(document, case), at=datetime.fromisoformat(case["at"]))
    assert seen.outcome == case["outcome"]


@pytest.mark.parametrize(("document", "case"), published("refused"))
def test_a_terminal_does_not_take_wrong_lists(document: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises(UntrustedList):
        hold(document, case)


@pytest.mark.parametrize(("document", "case"), published("changes"))
def test_changes_come_to_the_list_that_is_published(document: dict[str, Any], case: dict[str, Any]) -> None:
    root, at = public_key_of(document["root"]), datetime.fromisoformat(case["at"])
    trust = read_trust_list(document["lists"][case["trustList"]], root)
    held, told = (deny_list.read(case[name], trust, at=at) for name in ("denyList", "changes"))
    assert isinstance(held, deny_list.DenyList)
    assert isinstance(told, deny_list.Changes)
    assert sorted(cti.hex() for cti in deny_list.changed(held, told).entries) == case["entries"]


def test_the_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    write(tmp_path)
    made = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("lists/*.json")}
    assert made == FILES
