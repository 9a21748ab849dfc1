"""Who may apply: the cohort, the choices, the twin. Source: docs/domain.md §6.1, §6.2."""

from datetime import UTC, date, datetime

import pytest

from haiyiban.errors import FieldError
from services.school_places.facts import Known, Unknown
from services.school_places.rules import (
    Cohort,
    SchoolKind,
    check_age,
    check_choices,
    check_twin,
    cohort,
    school_year,
    twin_groups,
)

AT = datetime(2021, 7, 21, 4, tzinfo=UTC)
NO_DELAY = Known(False, "education", AT)
SCHOOLS: dict[str, SchoolKind] = {
    **dict.fromkeys(["a", "b", "c", "d", "e", "f"], "public"),
    "p": "private",
    "q": "private",
}


@pytest.mark.parametrize(
    ("today", "year"),
    [
        (date(2021, 1, 1), 2021),
        (date(2021, 8, 31), 2021),
        (date(2021, 9, 1), 2022),
        (date(2021, 12, 31), 2022),
    ],
)
def test_the_school_year_turns_after_31_august(today: date, year: int) -> None:
    assert school_year(today) == year


def test_a_cohort_is_six_on_31_august_and_not_yet_seven() -> None:
    assert cohort(2021) == Cohort(date(2014, 8, 31), date(2015, 8, 31))
    assert cohort(2020).born_until == date(2014, 8, 31)


@pytest.mark.parametrize(
    ("birth", "admitted"),
    [
        (date(2015, 8, 31), True),  # 469005201508310031, docs/domain.md §6.2
        (date(2015, 9, 1), False),  # 469005201509010049, docs/domain.md §6.2
        (date(2014, 9, 1), True),
        (date(2014, 8, 31), False),
        (date(2012, 2, 29), False),
    ],
)
def test_only_the_cohort_is_admitted_without_a_delay(birth: date, admitted: bool) -> None:
    errors = check_age(birth, 2021, delay_approved=NO_DELAY)
    assert [error.pointer for error in errors] == ([] if admitted else ["/child/idNumber"])


def test_an_older_child_is_admitted_with_an_approved_delay() -> None:
    assert check_age(date(2014, 8, 31), 2021, delay_approved=Known(True, "education", AT)) == []


def test_an_older_child_is_not_refused_while_the_delay_is_unknown() -> None:
    assert check_age(date(2014, 8, 31), 2021, delay_approved=Unknown("education", AT)) == []


def test_no_delay_makes_a_child_old_enough() -> None:
    errors = check_age(date(2015, 9, 1), 2021, delay_approved=Known(True, "education", AT))
    assert "2015-08-31" in errors[0].message.zh
    assert "2015-08-31" in errors[0].message.en


@pytest.mark.parametrize(
    ("choices", "category", "pointers"),
    [
        (["a"], "public", []),
        (["a", "b", "c", "d", "e"], "public", []),
        ([], "public", ["/choices"]),
        (["a", "b", "c", "d", "e", "f"], "public", ["/choices"]),
        (["a", "b", "a"], "public", ["/choices/2"]),
        (["a", "unknown"], "public", ["/choices/1"]),
        (["a", "p"], "public", ["/choices/1"]),
        (["p"], "private", []),
        (["p", "q"], "private", ["/choices"]),
        (["a", "unknown"], "private", ["/choices", "/choices/0", "/choices/1"]),
    ],
)
def test_choices_are_ranked_schools_of_one_kind(
    choices: list[str], category: SchoolKind, pointers: list[str]
) -> None:
    assert [error.pointer for error in check_choices(choices, category, schools=SCHOOLS)] == pointers


@pytest.mark.parametrize(
    ("twin_birth", "is_twin"),
    [
        (date(2015, 1, 1), True),
        (date(2014, 12, 31), True),
        (date(2015, 1, 3), False),
        (None, False),
    ],
)
def test_twins_are_born_the_same_day_or_across_midnight(twin_birth: date | None, is_twin: bool) -> None:
    errors: list[FieldError] = check_twin(date(2015, 1, 1), Known(twin_birth, "household", AT))
    assert (errors == []) is is_twin


def test_a_twin_is_not_refused_while_the_register_is_silent() -> None:
    assert check_twin(date(2015, 1, 1), Unknown("household", AT)) == []


def test_twins_who_name_each_other_and_triplets_in_a_chain_are_one_group_each() -> None:
    pairs = [("k1", "k2"), ("k2", "k1"), ("k5", "k4"), ("k3", "k4"), ("k9", "k9")]
    assert twin_groups(pairs) == [["k1", "k2"], ["k3", "k4", "k5"]]
