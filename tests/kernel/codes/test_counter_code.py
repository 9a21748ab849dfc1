"""The counter's challenge as a code of its own: published vectors, who signed it, how long it counts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.codes import base45, counter_code
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.counter_code import PREFIX, draw, is_in_time, judge, parse, signed_text, unsigned_text
from haiyiban.codes.drawing import qr_svg
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustList
from haiyiban.codes.vectors import counter
from haiyiban.codes.vectors.cast import AT as NOW
from haiyiban.errors import Words
from haiyiban.resources import schemas

FILE = schemas() / "codes" / "vectors" / "counter" / "counter.json"
DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
TRUST = TrustList(counter.counter_entries(), issued_at=NOW)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_a_vector_comes_out_as_published(case: dict[str, Any]) -> None:
    outcome, code = judge(case["text"], trust=TRUST, now=datetime.fromisoformat(case["at"]))
    assert outcome == case["outcome"]
    if outcome is Outcome.VALID:
        assert code is not None
        named = {"verifier": list(code.verifier)} if code.verifier else {}
        assert case["says"] == {"challenge": code.drawn.challenge.hex(), "exp": code.drawn.exp} | named


def test_the_file_is_what_the_generator_makes() -> None:
    assert json.dumps(counter.document(), ensure_ascii=False, indent=1) + "\n" == FILE.read_text("utf-8")


def test_a_terminal_draws_its_own_for_a_minute_and_another_each_time() -> None:
    drawn = draw(NOW)
    assert len(drawn.challenge) == 8
    assert draw(NOW).challenge != drawn.challenge
    outcome, code = judge(unsigned_text(drawn), trust=TRUST, now=NOW)
    assert (outcome, code and code.drawn, code and code.verifier) == (Outcome.VALID, drawn, None)
    assert is_in_time(drawn, now=NOW + 65 * SECOND)
    assert not is_in_time(drawn, now=NOW + 66 * SECOND)


def test_a_name_counts_by_our_signature_alone() -> None:
    name = Words("滨海小学", "Binhai")
    text = signed_text(draw(NOW), verifier=name, key=counter.LISTS)
    assert judge(text, trust=TRUST, now=NOW)[1].verifier == name
    stale = TrustList(TRUST.entries, issued_at=NOW - 9 * SECOND, expires_at=NOW)
    assert judge(text, trust=stale, now=NOW) == (Outcome.STALE_LISTS, None)
    # What names nobody needs no list.
    assert judge(unsigned_text(draw(NOW)), trust=stale, now=NOW)[0] is Outcome.VALID


def test_a_counters_code_is_no_code_of_a_holder_and_the_other_way_round() -> None:
    text = unsigned_text(draw(NOW))
    assert verify_offline(text, trust=TRUST, now=NOW).outcome is Outcome.MALFORMED
    as_code = "HYB1:" + text.removeprefix(PREFIX)
    assert verify_offline(as_code, trust=TRUST, now=NOW).outcome is Outcome.MALFORMED


def test_it_is_drawn_small_enough_for_any_scanner() -> None:
    name = Words(
        "海南省人民政府政务服务中心综合受理窗口", "Government Service Centre of Hainan, General Counter"
    )
    text = signed_text(draw(NOW), verifier=name, key=counter.LISTS)
    assert len(text) < 400
    assert qr_svg(text).startswith("<")


@given(st.one_of(st.text(), st.binary().map(lambda data: PREFIX + base45.encode(data))))
def test_any_text_is_a_counters_code_or_malformed(text: str) -> None:
    try:
        code = parse(text)
    except MalformedCode:
        return
    assert len(code.drawn.challenge) == 8


@given(st.data())
def test_no_changed_byte_keeps_a_name(data: Any) -> None:
    good = signed_text(counter_code.Drawn(bytes(8), 10**9), verifier=Words("甲", "A"), key=counter.LISTS)
    raw = bytearray(base45.decode(good.removeprefix(PREFIX)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    text = PREFIX + base45.encode(bytes(raw))
    outcome, code = judge(text, trust=TRUST, now=datetime.fromtimestamp(10**9 - 30, NOW.tzinfo))
    assert outcome is not Outcome.VALID or (code is not None and code.verifier is None)
