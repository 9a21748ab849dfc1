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

FILE = schemas() / "codes" / "vectors" / "lists" / "offline.json"
DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
ROOT, LISTS = public_key_of(DOCUMENT["root"]), DOCUMENT["lists"]


def hold(case: dict[str, Any]) -> Held:
    return terminal.hold(
        LISTS[case["trustList"]],
        LISTS[case["denyList"]],
        [LISTS[name] for name in case.get("statusLists", [])],
        root=ROOT,
        at=datetime.fromisoformat(case["at"]),
        last_seen=msgspec.convert(case.get("lastSeen", {}), LastSeen),
    )


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_a_terminal_comes_to_what_is_published(case: dict[str, Any]) -> None:
    seen = terminal.judge(case["text"], hold(case), at=datetime.fromisoformat(case["at"]))
    assert seen.outcome == case["outcome"]


@pytest.mark.parametrize("case", DOCUMENT["refused"], ids=lambda case: case["name"])
def test_a_terminal_does_not_take_wrong_lists(case: dict[str, Any]) -> None:
    with pytest.raises(UntrustedList):
        hold(case)


@pytest.mark.parametrize("case", DOCUMENT["changes"], ids=lambda case: case["name"])
def test_changes_come_to_the_list_that_is_published(case: dict[str, Any]) -> None:
    trust, at = read_trust_list(LISTS[case["trustList"]], ROOT), datetime.fromisoformat(case["at"])
    held, told = (deny_list.read(case[name], trust, at=at) for name in ("denyList", "changes"))
    assert isinstance(held, deny_list.DenyList)
    assert isinstance(told, deny_list.Changes)
    assert sorted(cti.hex() for cti in deny_list.changed(held, told).entries) == case["entries"]


def test_the_file_is_what_the_generator_makes(tmp_path: Path) -> None:
    write(tmp_path)
    assert (tmp_path / "lists" / "offline.json").read_bytes() == FILE.read_bytes()
