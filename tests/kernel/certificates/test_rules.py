"""What holds of a certificate on a day."""

from datetime import date

import pytest

from haiyiban.certificates.rules import (
    STATUS_CODES,
    NotInForce,
    Status,
    Verb,
    end_after_days,
    end_at_month_day,
    next_status,
    status_on,
)

END = date(2027, 9, 30)


@pytest.mark.parametrize(
    ("stored", "until", "today", "status"),
    [
        ("valid", END, date(2027, 9, 30), Status.VALID),
        ("valid", END, date(2027, 10, 1), Status.EXPIRED),
        ("valid", None, date(2099, 1, 1), Status.VALID),
        ("revoked", END, date(2027, 10, 1), Status.REVOKED),
        ("suspended", END, date(2027, 10, 1), Status.SUSPENDED),
        ("superseded", None, date(2027, 1, 1), Status.SUPERSEDED),
    ],
)
def test_the_last_valid_day_is_still_valid(
    stored: str, until: date | None, today: date, status: Status
) -> None:
    assert status_on(stored, until, today=today) is status


def test_only_a_valid_certificate_has_code_01() -> None:
    # Source: docs/domain.md §4.2
    assert [status for status, code in STATUS_CODES.items() if code == "01"] == [Status.VALID]
    assert set(STATUS_CODES) == set(Status)


@pytest.mark.parametrize(
    ("issued", "month_day", "end"),
    [
        (date(2027, 7, 20), "09-30", date(2027, 9, 30)),
        (date(2027, 9, 30), "09-30", date(2027, 9, 30)),
        (date(2027, 10, 1), "09-30", date(2028, 9, 30)),
        (date(2028, 2, 29), "02-28", date(2029, 2, 28)),
    ],
)
def test_a_month_and_day_means_the_next_one(issued: date, month_day: str, end: date) -> None:
    assert end_at_month_day(issued, month_day) == end


def test_days_count_from_the_day_after_the_issue() -> None:
    assert end_after_days(date(2028, 2, 28), 2) == date(2028, 3, 1)


@pytest.mark.parametrize(
    ("stored", "verb", "after"),
    [
        ("valid", Verb.CORRECT, Status.SUPERSEDED),
        ("valid", Verb.REVOKE, Status.REVOKED),
        ("suspended", Verb.REVOKE, Status.REVOKED),
        ("valid", Verb.SUSPEND, Status.SUSPENDED),
        ("suspended", Verb.REINSTATE, Status.VALID),
    ],
)
def test_what_can_be_done_to_a_certificate(stored: str, verb: Verb, after: Status) -> None:
    assert next_status(stored, verb) is after


@pytest.mark.parametrize(
    ("stored", "verb"),
    [
        ("suspended", Verb.CORRECT),
        ("valid", Verb.REINSTATE),
        ("suspended", Verb.SUSPEND),
        *((stored, verb) for stored in ("revoked", "superseded") for verb in Verb),
    ],
)
def test_what_cannot_be_done_names_the_state(stored: str, verb: Verb) -> None:
    with pytest.raises(NotInForce) as refused:
        next_status(stored, verb)
    assert refused.value.members == {"state": stored}
