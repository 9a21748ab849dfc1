"""Working days. Vectors: docs/domain.md §14."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.workdays import Calendar, add_months, deadline_instant, national_rows, published_years

PROVINCE = "460000"
HAIKOU = "460100"
XIUYING = "460105"
SANYA = "460200"
LINGSHUI = "469028"

NOTICES = {
    date.fromisoformat(day): is_off
    for day, is_off in json.loads(
        (Path(__file__).parents[2] / "docs/domain_holidays.json").read_text(encoding="utf-8")
    ).items()
}
SEEDED = national_rows(2018, 2026)
CALENDAR = Calendar(
    national=SEEDED,
    local={
        LINGSHUI: {date(2023, 4, 20): True, date(2023, 4, 21): True},
        SANYA: {date(2014, 4, 2): True},
    },
    known_years=published_years(SEEDED),
)

days = st.dates(date(2018, 1, 1), date(2026, 6, 30))


def test_the_seeded_calendar_agrees_with_the_yearly_notices_on_every_day() -> None:
    notices = Calendar(national=NOTICES, local={}, known_years=range(2018, 2027))
    every_day = [date(2018, 1, 1) + timedelta(days=offset) for offset in range(9 * 365 + 2)]
    assert set(NOTICES) <= set(every_day)
    assert [
        day for day in every_day if CALENDAR.is_workday(day, PROVINCE) != notices.is_workday(day, PROVINCE)
    ] == []
    assert CALENDAR.known_years == set(range(2018, 2027))


@pytest.mark.parametrize(
    ("year", "count"),
    [
        (2018, 250),
        (2019, 250),
        (2020, 249),
        (2021, 250),
        (2022, 249),
        (2023, 249),
        (2024, 251),
        (2025, 248),
        (2026, 248),
    ],
)
def test_a_year_has_its_number_of_working_days(year: int, count: int) -> None:
    before, last = date(year - 1, 12, 31), date(year, 12, 31)
    assert CALENDAR.workdays_between(before, last, division=PROVINCE) == count


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2022-10-08", True),
        ("2022-10-09", True),
        ("2023-04-23", True),
        ("2023-05-06", True),
        ("2024-02-09", True),
        ("2024-02-18", True),
        ("2024-09-14", True),
        ("2025-01-26", True),
        ("2025-01-27", True),
        ("2026-01-04", True),
        ("2026-02-14", True),
        ("2021-02-07", True),
        ("2025-05-31", False),
        ("2025-06-02", False),
    ],
)
def test_single_days(day: str, works: bool) -> None:
    assert CALENDAR.is_workday(date.fromisoformat(day), PROVINCE) is works


@pytest.mark.parametrize(
    ("accepted", "limit", "due"),
    [
        ("2018-02-09", 5, "2018-02-22"),
        ("2021-12-20", 10, "2022-01-04"),
        ("2021-12-20", 20, "2022-01-18"),
        ("2022-01-24", 5, "2022-01-29"),
        ("2022-09-28", 5, "2022-10-10"),
        ("2022-09-30", 10, "2022-10-19"),
        ("2023-01-16", 5, "2023-01-28"),
        ("2023-04-17", 10, "2023-04-28"),
        ("2023-04-17", 5, "2023-04-23"),
        ("2023-04-28", 5, "2023-05-09"),
        ("2023-09-27", 5, "2023-10-10"),
        ("2024-02-08", 1, "2024-02-09"),
        ("2024-09-30", 20, "2024-11-01"),
        ("2025-01-24", 3, "2025-02-05"),
        ("2025-04-30", 1, "2025-05-06"),
        ("2025-09-28", 5, "2025-10-11"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2023-03-01", 10, "2023-03-15"),
    ],
)
def test_a_limit_ends_on_its_working_day(accepted: str, limit: int, due: str) -> None:
    result = CALENDAR.due(date.fromisoformat(accepted), limit, division=PROVINCE)
    assert (result.day.isoformat(), result.provisional) == (due, False)


@pytest.mark.parametrize(
    ("division", "due"),
    [
        (LINGSHUI, "2023-04-25"),
        ("469028100", "2023-04-25"),
        ("469028000000", "2023-04-25"),
        ("460034", "2023-04-25"),
        (PROVINCE, "2023-04-23"),
        (HAIKOU, "2023-04-23"),
        ("469029", "2023-04-23"),
        ("440000", "2023-04-23"),
    ],
)
def test_san_yue_san_holds_where_it_was_decided_and_below(division: str, due: str) -> None:
    assert CALENDAR.due(date(2023, 4, 17), 5, division=division).day == date.fromisoformat(due)


def test_a_county_may_work_where_its_city_is_off() -> None:
    festival = date(2024, 4, 11)
    calendar = Calendar(
        national={}, local={HAIKOU: {festival: True}, XIUYING: {festival: False}}, known_years={2024}
    )
    assert not calendar.is_workday(festival, HAIKOU)
    assert not calendar.is_workday(festival, "460106")
    assert calendar.is_workday(festival, XIUYING)
    assert calendar.is_workday(festival, PROVINCE)


@pytest.mark.parametrize(
    ("suspensions", "due"),
    [
        ([], "2023-03-15"),
        ([("2023-03-06", "2023-03-10")], "2023-03-22"),
        ([("2023-03-06", "2023-03-08"), ("2023-03-07", "2023-03-10")], "2023-03-22"),
        ([("2023-03-04", "2023-03-05")], "2023-03-15"),
        ([("2023-03-15", "2023-03-15")], "2023-03-16"),
        ([("2023-03-16", "2023-03-31")], "2023-03-15"),
    ],
)
def test_suspended_days_do_not_count(suspensions: list[tuple[str, str]], due: str) -> None:
    spans = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in suspensions]
    result = CALENDAR.due(date(2023, 3, 1), 10, division=PROVINCE, suspensions=spans)
    assert result.day == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("accepted", "due"),
    [("2023-03-01", "2023-03-01"), ("2023-03-04", "2023-03-06"), ("2023-04-23", "2023-04-23")],
)
def test_what_is_done_at_once_is_due_the_same_working_day(accepted: str, due: str) -> None:
    assert CALENDAR.due(date.fromisoformat(accepted), 0, division=PROVINCE).day == date.fromisoformat(due)


def test_acceptance_on_a_day_off_counts_from_the_next_day_just_the_same() -> None:
    friday, saturday, sunday = (date(2023, 3, day) for day in (3, 4, 5))
    dues = {CALENDAR.due(day, 5, division=PROVINCE).day for day in (friday, saturday, sunday)}
    assert dues == {date(2023, 3, 10)}


@pytest.mark.parametrize(
    ("accepted", "limit", "provisional"),
    [("2026-12-24", 5, False), ("2026-12-24", 6, True), ("2027-03-01", 1, True), ("2017-12-29", 1, True)],
)
def test_a_date_across_an_unpublished_year_is_provisional(
    accepted: str, limit: int, provisional: bool
) -> None:
    assert CALENDAR.due(date.fromisoformat(accepted), limit, division=PROVINCE).provisional is provisional


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2023-03-01", 30, "2023-03-31"),
        ("2023-03-03", 30, "2023-04-03"),
        ("2022-09-01", 30, "2022-10-08"),
        ("2024-01-10", 30, "2024-02-09"),
        ("2024-01-11", 30, "2024-02-18"),
    ],
)
def test_natural_days_ending_on_a_holiday_run_to_the_next_working_day(
    start: str, limit: int, due: str
) -> None:
    assert CALENDAR.natural_due(date.fromisoformat(start), limit, division=PROVINCE).day.isoformat() == due


def test_suspended_natural_days_do_not_count() -> None:
    stopped = [(date(2023, 3, 6), date(2023, 3, 10))]
    result = CALENDAR.natural_due(date(2023, 3, 1), 10, division=PROVINCE, suspensions=stopped)
    assert result.day == date(2023, 3, 16)


def test_a_limit_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.due(date(2023, 3, 1), -1, division=PROVINCE)
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.natural_due(date(2023, 3, 1), -1, division=PROVINCE)


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        ("2023-01-31", 3, "2023-04-30"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-11-15", 2, "2024-01-15"),
        ("2023-03-31", -1, "2023-02-28"),
        ("2023-12-31", 12, "2024-12-31"),
    ],
)
def test_months_keep_the_day_or_end_with_the_month(day: str, months: int, result: str) -> None:
    assert add_months(date.fromisoformat(day), months).isoformat() == result


def test_a_deadline_is_the_last_second_of_the_day_in_hainan() -> None:
    assert deadline_instant(date(2023, 3, 15)) == datetime(2023, 3, 15, 15, 59, 59, tzinfo=UTC)
    assert deadline_instant(date(2023, 3, 15)).tzinfo is UTC


def test_an_unpublished_year_cannot_be_seeded() -> None:
    with pytest.raises(ValueError, match="2099"):
        national_rows(2026, 2099)


def test_a_december_row_of_the_next_notice_does_not_publish_a_year() -> None:
    assert published_years([date(2027, 1, 1), date(2026, 12, 31)]) == {2027}


def test_remaining_days_count_down_to_the_last_and_beyond() -> None:
    due = date(2023, 3, 15)
    left = [CALENDAR.remaining(date(2023, 3, day), due, division=PROVINCE) for day in (10, 13, 15, 16, 20)]
    assert left == [3, 2, 0, -1, -3]


@given(days, st.integers(1, 60), st.sampled_from([PROVINCE, LINGSHUI, XIUYING]))
def test_due_is_a_working_day_and_so_many_working_days_on(accepted: date, limit: int, division: str) -> None:
    due = CALENDAR.due(accepted, limit, division=division).day
    assert CALENDAR.is_workday(due, division)
    assert CALENDAR.workdays_between(accepted, due, division=division) == limit
    assert CALENDAR.add_workdays(accepted, limit, division=division) == due


@given(days, st.integers(0, 60), st.sampled_from([PROVINCE, LINGSHUI]))
def test_going_back_undoes_going_on_from_a_working_day(start: date, count: int, division: str) -> None:
    day = CALENDAR.next_workday(start, division=division)
    there = CALENDAR.add_workdays(day, count, division=division)
    assert CALENDAR.add_workdays(there, -count, division=division) == day


@given(days, st.integers(1, 30), days, st.integers(0, 30))
def test_a_suspension_never_brings_a_limit_forward(
    accepted: date, limit: int, first: date, length: int
) -> None:
    spans = [(first, first + timedelta(days=length))]
    plain = CALENDAR.due(accepted, limit, division=PROVINCE).day
    stopped = CALENDAR.due(accepted, limit, division=PROVINCE, suspensions=spans).day
    assert stopped >= plain
    assert CALENDAR.workdays_between(accepted, stopped, division=PROVINCE, suspensions=spans) == limit
