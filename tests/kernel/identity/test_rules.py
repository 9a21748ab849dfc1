"""Rules of sign-in and levels, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from haiyiban.identity import rules
from haiyiban.identity.callers import Level

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


@pytest.mark.parametrize(
    ("unused", "seconds"),
    [
        ([], None),
        ([ago(seconds=61)], None),
        ([ago(seconds=60)], None),
        ([ago(seconds=59)], 1),
        ([ago(hours=hour) for hour in range(23, 14, -1)], None),
        ([ago(hours=hour) for hour in range(23, 13, -1)], 3600),
    ],
    ids=["first", "after a minute", "at the minute", "within a minute", "ninth today", "eleventh today"],
)
def test_a_phone_gets_one_code_a_minute_and_ten_a_day(unused: list[datetime], seconds: int | None) -> None:
    wait = rules.code_wait(unused, now=NOW)
    assert (wait and int(wait.total_seconds())) == seconds


@pytest.mark.parametrize("reached", list(Level))
def test_an_unknown_device_signs_in_at_l1_and_a_known_one_as_before(reached: Level) -> None:
    assert rules.level_at_sign_in(reached, device_is_trusted=False) is Level.L1
    assert rules.level_at_sign_in(reached, device_is_trusted=True) is reached


@pytest.mark.parametrize(
    ("used_at", "fate"),
    [
        (None, rules.Refresh.ROTATE),
        (ago(seconds=0), rules.Refresh.REPEAT),
        (ago(seconds=10), rules.Refresh.REPEAT),
        (ago(seconds=10.01), rules.Refresh.END),
    ],
)
def test_a_refresh_token_repeats_for_ten_seconds(used_at: datetime | None, fate: rules.Refresh) -> None:
    assert rules.refresh_of(used_at, now=NOW) is fate


def test_five_face_failures_within_a_day_lock_for_a_day_from_the_last() -> None:
    """Source: docs/domain.md §1.6."""
    within = [ago(hours=24), ago(hours=20), ago(hours=3), ago(hours=2), ago(hours=0)]
    assert rules.face_locked_until(within) == NOW + timedelta(hours=24)
    assert rules.face_locked_until(within[1:]) is None
    spread = [ago(hours=24, seconds=1), *within[1:]]
    assert rules.face_locked_until(spread) is None


def test_an_address_waits_after_five_failures_for_one_name() -> None:
    failures = [ago(minutes=minutes) for minutes in (5, 4, 3, 2, 1)]
    assert rules.staff_wait(failures, now=NOW) == timedelta(minutes=14)
    assert rules.staff_wait(failures[1:], now=NOW) is None
    assert rules.staff_wait(failures, now=NOW + timedelta(minutes=11)) is None


def test_names_and_numbers_can_be_wrong_five_times_a_day() -> None:
    tries = [ago(hours=hours) for hours in (20, 4, 3, 2, 1)]
    assert rules.real_name_wait(tries, now=NOW) == timedelta(hours=4)
    assert rules.real_name_wait(tries[1:], now=NOW) is None


@pytest.mark.parametrize(
    ("birth", "needs"), [(date(2012, 3, 1), False), (date(2012, 3, 2), True), (date(2012, 2, 29), False)]
)
def test_children_under_fourteen_need_a_guardian(birth: date, needs: bool) -> None:
    """Source: 个人信息保护法 art. 31; docs/domain.md §1.6."""
    assert rules.needs_guardian(birth, today=date(2026, 3, 1)) is needs


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0.40", "微信 · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/120.0 Safari/537.36 Edg/120.0", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit Chrome/120.0 Mobile Safari", "Chrome · Android"),
        ("curl/8", "其他设备"),
        ("", "其他设备"),
    ],
)
def test_a_session_is_named_so_that_its_owner_knows_it(user_agent: str, label: str) -> None:
    assert rules.device_label(user_agent) == label
