"""The made-up people: right by every rule that real ones are checked by, and nobody's."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from haiyiban import divisions, residents
from haiyiban.clock import local_date
from haiyiban.population import SIZES, World
from services.school_places.rules import cohort, school_year

AT = datetime(2026, 11, 28, 4, tzinfo=UTC)
WORLD = World(1, SIZES["hamlet"], at=AT)
PROVINCE = World(1, SIZES["province"], at=AT)


def test_numbers_births_and_sexes_agree() -> None:
    for person in WORLD.people(range(WORLD.sizes.holders)):
        known = residents.parse_identity_number(person.id_number, today=local_date(AT))
        assert (known.birth, known.sex) == (person.birth, person.sex)


def test_no_number_is_a_real_persons() -> None:
    for person in WORLD.people(range(WORLD.sizes.holders)):
        assert person.id_number[2:4] == "99", "no place has such a code"
        assert divisions.find(person.id_number[:6]) is None


@pytest.mark.parametrize(
    ("first", "apart"),
    # Where the digits before and after the birth date are the same again: residents, then visitors.
    [(17, 50_000), (PROVINCE.sizes.residents + 17, 1_500_000)],
)
def test_no_number_is_given_twice(first: int, apart: int) -> None:
    last = PROVINCE.sizes.residents if first < apart else PROVINCE.sizes.holders
    same = [PROVINCE.person(number) for number in range(first, last, apart)]
    assert len(same) > 10
    assert len({one.birth.strftime("%m%d") for one in same}) == len(same)


def test_numbers_phones_and_ids_are_each_one_persons() -> None:
    people = list(PROVINCE.people(range(60_000)))
    assert len({person.id_number for person in people}) == len(people)
    phones = [person.phone for person in people if person.phone]
    assert len(set(phones)) == len(phones)
    ids = [PROVINCE.person_id(person.number) for person in people[:2000]]
    assert all(one < other for one, other in pairwise(ids))
    assert {id_.version for id_ in ids} == {7}


def test_a_person_is_the_same_alone_and_in_a_row() -> None:
    numbers = range(7, 1_100)
    assert list(WORLD.people(numbers)) == [WORLD.person(number) for number in numbers]


def test_another_number_makes_other_people() -> None:
    other = World(2, SIZES["hamlet"], at=AT)
    same = [number for number in range(100) if WORLD.person(number).name == other.person(number).name]
    assert len(same) < 10
    assert WORLD.person_id(1) != other.person_id(1)


def test_phones_are_no_operators() -> None:
    for person in WORLD.people(range(WORLD.sizes.residents)):
        is_old_enough = AT.year - person.birth.year >= 14
        assert (person.phone is not None) == is_old_enough
        if person.phone:
            assert residents.normalise_mobile(person.phone).startswith("154")


def test_households_live_together_and_parents_are_older() -> None:
    sizes = set()
    for number in range(WORLD.sizes.households):
        man, woman, *others = WORLD.household(number)
        sizes.add(2 + len(others))
        assert (man.sex, woman.sex) == ("male", "female")
        assert {one.home for one in others} <= {man.home}
        assert man.home is not None
        assert divisions.get(man.home.division).level == "village"
        for child in others[:2]:
            for parent in (man, woman):
                assert 19 <= child.birth.year - parent.birth.year <= 45
        for grandmother in others[2:]:
            assert man.birth.year - grandmother.birth.year >= 20
    assert sizes == {2, 3, 4, 5}


@pytest.mark.parametrize("at", [AT, datetime(2027, 3, 1, tzinfo=UTC), datetime(2028, 8, 31, tzinfo=UTC)])
def test_a_child_of_each_block_starts_school(at: datetime) -> None:
    world = World(1, SIZES["province"], at=at)
    assert world.school_year == school_year(local_date(at))
    ages = cohort(world.school_year)
    for place in (*range(1_000), world.sizes.applications - 1):
        child = world.person(world.pupil(place))
        assert ages.born_after < child.birth <= ages.born_until
        assert child.number < world.sizes.residents
