"""Who may act, until when and how often, by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.delegations import rules
from haiyiban.delegations.rules import State

TODAY = date(2026, 11, 26)


def state(**other: Any) -> State:
    told: dict[str, Any] = {
        "ended": False,
        "until": TODAY,
        "made_on": TODAY,
        "giver_agreed": True,
        "taker_agreed": True,
        "times": None,
        "used": 0,
        "today": TODAY,
    }
    return rules.state_of(**told | other)


@pytest.mark.parametrize(
    ("told", "is_in"),
    [
        ({}, State.ACTIVE),
        ({"until": TODAY - timedelta(days=1)}, State.EXPIRED),
        ({"ended": True}, State.ENDED),
        ({"ended": True, "until": TODAY - timedelta(days=1)}, State.ENDED),
        ({"taker_agreed": False}, State.AWAITS_TAKER),
        ({"giver_agreed": False}, State.AWAITS_GIVER),
        ({"taker_agreed": False, "made_on": TODAY - timedelta(days=7)}, State.AWAITS_TAKER),
        ({"taker_agreed": False, "made_on": TODAY - timedelta(days=8)}, State.EXPIRED),
        ({"made_on": TODAY - timedelta(days=200)}, State.ACTIVE),
        ({"times": 2, "used": 1}, State.ACTIVE),
        ({"times": 2, "used": 2}, State.USED_UP),
        ({"times": 2, "used": 2, "ended": True}, State.ENDED),
    ],
)
def test_where_a_delegation_stands(told: dict[str, Any], is_in: State) -> None:
    assert state(**told) is is_in


@pytest.mark.parametrize(
    ("is_in", "refused"),
    [
        (State.ACTIVE, None),
        (State.USED_UP, rules.DelegationUsedUp),
        (State.ENDED, rules.DelegationEnded),
        (State.EXPIRED, rules.DelegationExpired),
        (State.AWAITS_TAKER, rules.DelegationNotAgreed),
        (State.AWAITS_GIVER, rules.DelegationNotAgreed),
    ],
)
def test_only_an_active_one_opens_cases(is_in: State, refused: type[Exception] | None) -> None:
    if refused is None:
        rules.require_opening(is_in, "a.b", ["a.b"])
    else:
        with pytest.raises(refused):
            rules.require_opening(is_in, "a.b", ["a.b"])


def test_one_that_is_used_up_lets_its_cases_be_finished() -> None:
    rules.require_handling(State.USED_UP)
    with pytest.raises(rules.DelegationEnded):
        rules.require_handling(State.ENDED)


def test_it_is_for_its_matters_alone() -> None:
    with pytest.raises(rules.MatterNotDelegated):
        rules.require_opening(State.ACTIVE, "a.c", ["a.b"])


@given(
    ended=st.booleans(),
    left=st.integers(-3, 3),
    age=st.integers(0, 10),
    agreed=st.sampled_from(list(product((True, False), repeat=2))),
    times=st.none() | st.integers(1, 3),
    used=st.integers(0, 3),
)
def test_whatever_opens_a_case_is_agreed_by_both_not_over_and_not_used_up(
    ended: bool, left: int, age: int, agreed: tuple[bool, bool], times: int | None, used: int
) -> None:
    is_in = state(
        ended=ended,
        until=TODAY + timedelta(days=left),
        made_on=TODAY - timedelta(days=age),
        giver_agreed=agreed[0],
        taker_agreed=agreed[1],
        times=times,
        used=used,
    )
    may = not ended and left >= 0 and all(agreed) and (times is None or used < times)
    assert (is_in is State.ACTIVE) == may


@pytest.mark.parametrize(
    ("until", "is_wrong"),
    [
        (TODAY, False),
        (TODAY - timedelta(days=1), True),
        (TODAY + timedelta(days=366), False),
        (TODAY + timedelta(days=367), True),
    ],
)
def test_it_lasts_a_year_at_most(until: date, is_wrong: bool) -> None:
    found = rules.faults(matters=["a.b"], offered=["a.b"], until=until, today=TODAY)
    assert [error.pointer for error in found] == ["/until"] * is_wrong


def test_every_unknown_matter_is_named() -> None:
    found = rules.faults(matters=["a.b", "x", "y"], offered=["a.b"], until=TODAY, today=TODAY)
    assert [error.pointer for error in found] == ["/matters/1", "/matters/2"]


@pytest.mark.parametrize(
    ("birth", "is_adult"),
    [(date(2008, 11, 26), True), (date(2008, 11, 27), False), (date(2015, 8, 31), False)],
)
def test_adults_are_eighteen(birth: date, is_adult: bool) -> None:
    """民法典 art. 17."""
    assert rules.is_adult(birth, today=TODAY) == is_adult


@pytest.mark.parametrize(
    ("birth", "last"),
    [(date(2015, 8, 31), date(2033, 8, 30)), (date(2012, 2, 29), date(2030, 2, 28))],
)
def test_a_guardian_acts_until_the_day_before_the_eighteenth_birthday(birth: date, last: date) -> None:
    assert rules.last_day_as_minor(birth) == last
    assert not rules.is_adult(birth, today=last)
    assert rules.is_adult(birth, today=last + timedelta(days=1))


def test_five_wrong_faces_in_a_day_lock_the_device_for_a_day() -> None:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    failures = [now - timedelta(hours=hours) for hours in (20, 15, 10, 5, 1)]
    assert rules.face_locked(failures, now=now) == now + timedelta(hours=23)
    assert rules.face_locked(failures[:4], now=now) is None
    assert rules.face_locked(failures, now=now + timedelta(hours=23)) is None
    spread = [now - timedelta(hours=hours) for hours in (40, 30, 20, 10, 1)]
    assert rules.face_locked(spread, now=now) is None
