"""The counter's code in TypeScript: it comes to what is published, and agrees with the server's reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haiyiban.codes import base45, counter_code
from haiyiban.codes.counter_code import PREFIX
from haiyiban.codes.outcomes import Outcome
from haiyiban.resources import schemas
from tests.kernel.codes.test_counter_code import NOW, TRUST
from tests.web.node import Asking, asking

DOCUMENT = json.loads(
    (schemas() / "codes" / "vectors" / "counter" / "counter.json").read_text(encoding="utf-8")
)
ENTRIES = DOCUMENT["trustList"]["entries"]


@pytest.fixture(scope="module")
def reader() -> Iterator[Asking]:
    with asking(Path(__file__).with_name("read_counter.mjs")) as node:
        yield node


def read(reader: Asking, text: str, *, at: float, **more: Any) -> dict[str, Any]:
    (answer,) = reader.ask([{"entries": ENTRIES, "text": text, "at": at, **more}])
    return dict(answer)


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_a_vector_comes_out_as_published(reader: Asking, case: dict[str, Any]) -> None:
    answer = read(reader, case["text"], at=datetime.fromisoformat(case["at"]).timestamp())
    assert answer["outcome"] == case["outcome"]
    if case["outcome"] == "valid":
        assert answer["code"] == case["says"]


def test_no_name_counts_by_a_trust_list_past_its_end(reader: Asking) -> None:
    signed = next(case["text"] for case in DOCUMENT["cases"] if case["name"] == "signed")
    at = NOW.timestamp()
    assert read(reader, signed, at=at, ends=at)["outcome"] == "stale_lists"


def test_what_a_terminal_draws_in_typescript_a_phone_reads_in_python(reader: Asking) -> None:
    at = NOW.timestamp()
    one, other = reader.ask(
        [{"draw": True, "at": at, "ends": at + 65}, {"draw": True, "at": at, "ends": at + 66}]
    )
    outcome, code = counter_code.judge(one["text"], trust=TRUST, now=NOW)
    assert outcome is Outcome.VALID
    assert code is not None
    assert (code.drawn.challenge.hex(), code.drawn.exp) == (one["challenge"], int(at) + 60)
    assert code.verifier is None
    assert one["challenge"] != other["challenge"]
    assert (one["inTime"], other["inTime"]) == (True, False)


GOOD = [
    base45.decode(case["text"].strip("\r\n")[6:]) for case in DOCUMENT["cases"] if case["outcome"] == "valid"
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(GOOD), st.integers(0, 200), st.integers(1, 255), st.integers(-80, 80))
def test_both_readers_agree_on_altered_codes(
    reader: Asking, data: bytes, place: int, change: int, ahead: int
) -> None:
    altered = bytearray(data)
    altered[place % len(data)] ^= change
    text = PREFIX + base45.encode(bytes(altered))
    now = datetime.fromtimestamp(NOW.timestamp() + ahead, NOW.tzinfo)
    ours, _ = counter_code.judge(text, trust=TRUST, now=now)
    assert read(reader, text, at=now.timestamp())["outcome"] == ours
