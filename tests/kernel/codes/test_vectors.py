"""The published vectors: our verifier agrees with every one, and they are what the generator makes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustEntry, TrustList
from haiyiban.codes.vectors.__main__ import write
from haiyiban.resources import schemas

FOLDER = schemas() / "codes" / "vectors"
DOCUMENTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
CASES = [
    pytest.param(document, case, id=f"{outcome}: {case['name']}")
    for outcome, document in DOCUMENTS.items()
    for case in document["cases"]
]


def judge(document: dict[str, Any], case: dict[str, Any]) -> Any:
    entries = msgspec.convert(document["trustList"]["entries"], list[TrustEntry])
    now = datetime.fromisoformat(case["at"])
    expires_at = datetime.fromtimestamp(case["trustListExp"], UTC) if "trustListExp" in case else None
    return verify_offline(
        case["text"],
        trust=TrustList(entries, issued_at=now - timedelta(hours=1), expires_at=expires_at),
        now=now,
        deny={bytes.fromhex(cti) for cti in case.get("deny", [])},
        lists_age=timedelta(seconds=case["listsAgeSeconds"]) if "listsAgeSeconds" in case else None,
        expected_kind=case.get("expectedKind"),
        challenge=bytes.fromhex(case["challenge"]) if "challenge" in case else None,
    )


@pytest.mark.parametrize(("document", "case"), CASES)
def test_a_vector_comes_out_as_published(document: dict[str, Any], case: dict[str, Any]) -> None:
    assert judge(document, case).outcome == document["outcome"]


@pytest.mark.parametrize("case", DOCUMENTS["valid"]["cases"], ids=lambda case: case["name"])
def test_a_good_vector_says_what_is_published(case: dict[str, Any]) -> None:
    said = judge(DOCUMENTS["valid"], case).claims
    assert case["says"] == {
        "iss": said.iss,
        "iat": said.iat,
        "exp": said.exp,
        "cti": said.cti.hex(),
        "kind": said.kind,
        "body": msgspec.to_builtins(said.body),
    }


def test_the_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    write(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    assert made == {path.name: path.read_bytes() for path in FOLDER.glob("*.json")}


def test_every_outcome_that_can_be_told_offline_has_vectors() -> None:
    online_only = {
        Outcome.REVOKED,
        Outcome.SUSPENDED,
        Outcome.NOT_ENTITLED,
        Outcome.CONSENT_PENDING,
        Outcome.CONSENT_REFUSED,
        Outcome.ALREADY_USED,
        Outcome.UNAVAILABLE,
    }
    assert set(DOCUMENTS) == set(Outcome) - online_only


def test_no_two_cases_of_a_file_have_one_name() -> None:
    for document in DOCUMENTS.values():
        names = [case["name"] for case in document["cases"]]
        assert len(names) == len(set(names))
