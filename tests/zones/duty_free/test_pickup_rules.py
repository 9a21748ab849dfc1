"""Handing over on return, as a pure rule. Source: docs/domain.md §8.1, §8.2 no. 10, §8.3."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from haiyiban.registers import RegisterAnswer, RegisterName, State, Trip
from services.duty_free.allowance.residency import resident_by
from services.duty_free.allowance.rules import Answer
from services.duty_free.pickup.rules import Met, conditions

BOUGHT = datetime(2026, 1, 31, 4, tzinfo=UTC)
LAST = date(2026, 4, 30)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def trip(origin: str, to: str, days: float, *, lasts: timedelta | None = timedelta(hours=3)) -> Trip:
    """A journey so many days after the purchase."""
    departed = BOUGHT + days * DAY
    arrived = None if lasts is None else departed + lasts
    return Trip(from_=origin, to=to, departed_at=departed, arrived_at=arrived)


def out(days: float) -> Trip:
    return trip("460100", "110000", days)


def back(days: float, *, lasts: timedelta | None = timedelta(hours=3)) -> Trip:
    return trip("110000", "460200", days, lasts=lasts)


@pytest.mark.parametrize(
    ("trips", "departed", "returned", "result"),
    [
        ([out(2), back(9)], "yes", "yes", "yes"),
        ([back(9), out(2)], "yes", "yes", "yes"),
        ([], "no", "no", "no"),
        ([out(2)], "yes", "no", "no"),
        ([back(9)], "no", "no", "no"),
        ([out(-2), back(-1)], "no", "no", "no"),
        ([out(0), back(9)], "no", "no", "no"),  # at the instant of the purchase is not after it
        ([out(-2), back(9)], "no", "no", "no"),
        ([back(1), out(2)], "yes", "no", "no"),
        ([out(2), back(9, lasts=None)], "yes", "no", "no"),
        ([out(2), back(59.95)], "yes", "no", "no"),  # still on the way
        ([out(100), back(101)], "no", "no", "no"),  # only booked
        ([trip("460100", "460200", 2), trip("460200", "460100", 3)], "no", "no", "no"),
        ([trip("460100", "JPN", 2), trip("810000", "460100", 3)], "yes", "yes", "yes"),
        (None, "unknown", "unknown", "unknown"),
    ],
)
def test_the_buyer_left_after_the_purchase_and_came_back(
    trips: list[Trip] | None, departed: Met, returned: Met, result: Met
) -> None:
    found = conditions(trips, purchased_at=BOUGHT, last_day=LAST, now=NOW, today=NOW.date())
    assert (found.departed, found.returned, found.result) == (departed, returned, result)


@pytest.mark.parametrize(("today", "in_time"), [(LAST, "yes"), (LAST + DAY, "no")])
def test_the_last_day_still_counts(today: date, in_time: Met) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    found = conditions([out(2), back(9)], purchased_at=BOUGHT, last_day=LAST, now=now, today=today)
    assert (found.in_time, found.result) == (in_time, in_time)


def test_a_register_that_is_away_is_never_a_yes_and_too_late_is_a_no_all_the_same() -> None:
    found = conditions(None, purchased_at=BOUGHT, last_day=LAST, now=NOW, today=LAST + DAY)
    assert found.result == "no"


def said(state: State, **data: object) -> RegisterAnswer:
    return RegisterAnswer(register="population", state=state, source="库", at=NOW, data=data)


ELSEWHERE = said("known", hukou={"division": "110105"})
HERE = said("known", hukou={"division": "460105"})
NOTHING = said("absent")
AWAY = said("unknown")


def permit(since: str, until: str, division: str | None = None) -> RegisterAnswer:
    return said("known", since=since, until=until, division=division)


def insured(division: str, stopped: str | None = None) -> RegisterAnswer:
    return said("known", division=division, stoppedOn=stopped)


@pytest.mark.parametrize(
    ("population", "residence", "insurance", "answer"),
    [
        (HERE, AWAY, AWAY, "yes"),
        (ELSEWHERE, NOTHING, NOTHING, "no"),
        (NOTHING, NOTHING, NOTHING, "no"),
        (ELSEWHERE, AWAY, NOTHING, "unknown"),
        (ELSEWHERE, permit("2025-01-01", "2026-04-01"), NOTHING, "yes"),
        (ELSEWHERE, permit("2025-01-01", "2026-03-31"), NOTHING, "no"),
        (ELSEWHERE, permit("2025-01-01", "2027-01-01", "440100"), NOTHING, "no"),
        (ELSEWHERE, NOTHING, insured("460100"), "yes"),
        (ELSEWHERE, NOTHING, insured("460100", "2026-01-01"), "no"),
        (ELSEWHERE, NOTHING, insured("110100"), "no"),
    ],
)
def test_who_lives_on_the_island(
    population: RegisterAnswer, residence: RegisterAnswer, insurance: RegisterAnswer, answer: Answer
) -> None:
    """§8.1: an identity card of Hainan, a residence permit or social insurance there."""
    answers: dict[RegisterName, RegisterAnswer] = {
        "population": population,
        "residence_permit": residence,
        "social_insurance": insurance,
    }
    assert resident_by(answers, today=date(2026, 4, 1)) == answer
