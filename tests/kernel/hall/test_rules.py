"""What a public screen tells and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from haiyiban import ids
from haiyiban.hall import rules
from haiyiban.hall.rules import Kind, Told

HAIKOU, SANYA = "460100", "460200"


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, None), (4, None), (5, 5), (381, 381)])
def test_fewer_than_five_are_not_told(count: int, shown: int | None) -> None:
    assert rules.masked(count) == shown


def test_a_line_speaks_of_whole_groups_once_they_are_full() -> None:
    kind = Kind("cases.submitted", HAIKOU, "m")
    assert rules.told({}, {kind: 4}) == []
    assert rules.told({kind: 4}, {kind: 5}) == [Told(*kind, 5)]
    assert rules.told({kind: 5}, {kind: 9}) == []
    assert rules.told({kind: 9}, {kind: 31}) == [Told(*kind, 25)]
    assert rules.told({kind: 7}, {kind: 4}) == [], "taken back"


def test_matters_that_are_not_named_are_one_group_of_their_county() -> None:
    counts = {
        Kind("cases.submitted", "460105001", "health.birth-certificate-copy"): 3,
        Kind("cases.submitted", HAIKOU, "civil-affairs.senior-card"): 2,
        Kind("cases.submitted", HAIKOU, "education.exam-score-proof"): 1,
        Kind("codes.verified", "", ""): 8,
    }
    county = {"460105001": HAIKOU, HAIKOU: HAIKOU}
    found = rules.at_county(counts, county=county, named={"education.exam-score-proof"})
    assert found == {
        Kind("cases.submitted", HAIKOU, ""): 5,
        Kind("cases.submitted", HAIKOU, "education.exam-score-proof"): 1,
        Kind("codes.verified", "", ""): 8,
    }


@pytest.mark.parametrize(
    ("topics", "named"),
    [
        ((), True),  # enterprises alone
        (("教育科研",), True),
        (("医疗卫生",), False),
        (("教育科研", "社会救助"), False),
        (("一个新主题",), False),
    ],
)
def test_sensitive_matters_are_not_named(topics: tuple[str, ...], named: bool) -> None:
    assert rules.may_be_named(topics) is named


def test_a_rate_of_nothing_is_unknown() -> None:
    assert rules.share(0, 0) is None
    assert rules.share(0, 3) == 0.0
    assert rules.share(992, 1000) == 0.992


def test_a_day_begins_at_midnight_in_hainan() -> None:
    assert rules.day_of(datetime(2026, 9, 1, 15, 59, tzinfo=UTC)) == datetime(2026, 8, 31, 16, tzinfo=UTC)
    assert rules.day_of(datetime(2026, 9, 1, 16, 0, tzinfo=UTC)) == datetime(2026, 9, 1, 16, tzinfo=UTC)


def test_ids_made_in_a_span_lie_between_its_bounds() -> None:
    before = datetime.now(UTC)
    made = ids.new_id()
    assert rules.first_id(before) <= made < rules.first_id(datetime.now(UTC) + timedelta(milliseconds=1))
    assert rules.first_id(before).version == 7
