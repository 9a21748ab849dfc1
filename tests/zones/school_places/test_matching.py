"""Deferred acceptance against the vectors, against brute force and against another library.

Source: docs/domain.md §6.2 (capacity 40, twins), §6.3 (vectors 1 and 2), §6.1 (a real lottery with twins).
"""

import hashlib
import hmac
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.games import HospitalResident

from services.school_places.classification import Priority
from services.school_places.matching import (
    NOT_BY_MATCHING,
    UNPLACED,
    Cutoff,
    Instance,
    MalformedInstance,
    Result,
    match,
)
from services.school_places.stability import Violation, stability_violations


def rank_order(instance: Instance, pupil: int, school: int) -> tuple[int, int] | None:
    """How the school ranks the pupil; None if it never asks there or may not."""
    if school not in instance.choices[pupil]:
        return None
    priority = instance.priorities[pupil][list(instance.choices[pupil]).index(school)]
    return None if priority == NOT_BY_MATCHING else (priority, instance.lottery[pupil])


def chosen(instance: Instance, school: int, pupils: Sequence[int]) -> set[int]:
    """The rule in one line: kept while fewer than `capacity` of the others stand strictly better."""
    standing = {pupil: rank_order(instance, pupil, school) for pupil in pupils}
    ranked = {pupil: order for pupil, order in standing.items() if order is not None}
    return {
        pupil
        for pupil, order in ranked.items()
        if sum(other < order for other in ranked.values()) < instance.capacities[school]
    }


def is_stable(instance: Instance, placements: Sequence[int]) -> bool:
    """By the definition: schools keep exactly whom they would choose, and welcome nobody else."""
    for school in range(len(instance.capacities)):
        held = [pupil for pupil, placed in enumerate(placements) if placed == school]
        if chosen(instance, school, held) != set(held):
            return False
        for pupil, choices in enumerate(instance.choices):
            if school not in choices or rank_order(instance, pupil, school) is None:
                continue
            rather = placements[pupil] == UNPLACED or (
                list(choices).index(school) < list(choices).index(placements[pupil])
            )
            if rather and pupil in chosen(instance, school, [*held, pupil]):
                return False
    return True


def every_placement(instance: Instance) -> Iterator[tuple[int, ...]]:
    return product(*([UNPLACED, *choices] for choices in instance.choices))


def wish(instance: Instance, pupil: int, placed: int) -> int:
    choices = list(instance.choices[pupil])
    return len(choices) if placed == UNPLACED else choices.index(placed)


@st.composite
def instances(draw: st.DrawFn, *, twins: bool = True, refusals: bool = True) -> Instance:
    schools = draw(st.integers(1, 3))
    pupils = draw(st.integers(1, 5))
    lists = st.permutations(range(schools)).flatmap(
        lambda order: st.integers(1, schools).map(lambda length: list(order[:length]))
    )
    choices = [draw(lists) for _ in range(pupils)]
    priority = st.sampled_from([0, 1, 2, NOT_BY_MATCHING] if refusals else [0, 1, 2])
    priorities = [[draw(priority) for _ in ranked] for ranked in choices]
    lottery = [number + 1 for number in draw(st.permutations(range(pupils)))]
    groups: list[list[int]] = []
    size = draw(st.integers(2, 3)) if twins and draw(st.booleans()) else 0
    if 0 < size <= pupils:
        group = list(range(size))
        groups.append(group)
        for twin in group:
            lottery[twin] = lottery[0]
        if draw(st.booleans()):
            for twin in group:
                choices[twin] = choices[0]
                priorities[twin] = priorities[0]
    capacities = [draw(st.integers(0, 2)) for _ in range(schools)]
    return Instance(choices, priorities, lottery, groups, capacities)


@settings(deadline=None, max_examples=150)
@given(instances())
def test_the_result_is_the_stable_placement_that_is_best_for_every_child(instance: Instance) -> None:
    placements = tuple(match(instance).placements)
    stable = [other for other in every_placement(instance) if is_stable(instance, other)]
    assert placements in stable
    for other in stable:
        for pupil in range(len(placements)):
            assert wish(instance, pupil, placements[pupil]) <= wish(instance, pupil, other[pupil])


@settings(deadline=None, max_examples=60)
@given(instances())
def test_the_checker_finds_a_violation_in_exactly_the_unstable_placements(instance: Instance) -> None:
    for placements in every_placement(instance):
        assert (stability_violations(instance, placements) == []) is is_stable(instance, placements)


@settings(deadline=None, max_examples=150)
@given(instances())
def test_nobody_stands_better_than_a_child_that_got_in_and_a_school_goes_over_only_by_twins(
    instance: Instance,
) -> None:
    result = match(instance)
    for school, capacity in enumerate(instance.capacities):
        held = [pupil for pupil, placed in enumerate(result.placements) if placed == school]
        if len(held) > capacity:
            standing = {pupil: rank_order(instance, pupil, school) or (0, 0) for pupil in held}
            last = [pupil for pupil in held if standing[pupil] == max(standing.values())]
            assert len(held) - len(last) < capacity
            assert any(set(last) <= set(group) for group in instance.twins)
        for pupil in range(len(instance.choices)):
            order = rank_order(instance, pupil, school)
            wants = wish(instance, pupil, result.placements[pupil])
            if order is None or list(instance.choices[pupil]).index(school) >= wants:
                continue
            assert len(held) >= capacity
            assert all((rank_order(instance, other, school) or ()) < order for other in held)


@settings(deadline=None, max_examples=100)
@given(instances(), st.randoms(use_true_random=False))
def test_the_order_in_which_children_are_listed_does_not_matter(
    instance: Instance, chance: random.Random
) -> None:
    order = list(range(len(instance.choices)))
    chance.shuffle(order)
    moved = {pupil: place for place, pupil in enumerate(order)}
    shuffled = Instance(
        choices=[instance.choices[pupil] for pupil in order],
        priorities=[instance.priorities[pupil] for pupil in order],
        lottery=[instance.lottery[pupil] for pupil in order],
        twins=[[moved[pupil] for pupil in group] for group in instance.twins],
        capacities=instance.capacities,
    )
    before, after = match(instance), match(shuffled)
    assert after.cutoffs == before.cutoffs
    assert after.placements == [before.placements[pupil] for pupil in order]


@settings(deadline=None, max_examples=25)
@given(instances(twins=False))
def test_without_twins_no_family_gains_by_a_list_that_is_not_its_wish(instance: Instance) -> None:
    honest = match(instance).placements
    for pupil, (choices, priorities) in enumerate(zip(instance.choices, instance.priorities, strict=True)):
        of_school = dict(zip(choices, priorities, strict=True))
        for length in range(len(choices) + 1):
            for lie in permutations(choices, length):
                lies = list(instance.choices)
                ranks = list(instance.priorities)
                lies[pupil], ranks[pupil] = lie, [of_school[school] for school in lie]
                got = match(replace(instance, choices=lies, priorities=ranks)).placements[pupil]
                assert wish(instance, pupil, honest[pupil]) <= wish(instance, pupil, got)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("number", range(40))
def test_another_library_finds_the_same_placement(number: int) -> None:
    chance = random.Random(number)
    schools, pupils = chance.randint(1, 6), chance.randint(1, 40)
    choices = [chance.sample(range(schools), chance.randint(1, schools)) for _ in range(pupils)]
    instance = Instance(
        choices,
        priorities=[[chance.randrange(3) for _ in ranked] for ranked in choices],
        lottery=chance.sample(range(1, pupils + 1), pupils),
        twins=[],
        capacities=[chance.randint(1, 6) for _ in range(schools)],
    )
    askers = {
        school: sorted(
            (pupil for pupil in range(pupils) if school in choices[pupil]),
            key=lambda pupil, school=school: rank_order(instance, pupil, school) or (),
        )
        for school in range(schools)
    }
    asked = {school for school, ranked in askers.items() if ranked}
    game = HospitalResident.create_from_dictionaries(
        {pupil: list(ranked) for pupil, ranked in enumerate(choices)},
        {school: askers[school] for school in asked},
        {school: instance.capacities[school] for school in asked},
    )
    expected = [UNPLACED] * pupils
    for school, residents in game.solve(optimal="resident").items():
        for resident in residents:
            expected[resident.name] = school.name
    assert match(instance).placements == expected


def test_vector_1_is_deferred_acceptance_and_not_immediate_acceptance() -> None:
    a, b, c = 0, 1, 2
    choices = [[a, b, c], [a, b, c], [b, c, a]]
    rank = {a: [0, 1, 2], b: [2, 0, 1], c: [0, 1, 2]}
    instance = Instance(
        choices,
        priorities=[[rank[school][pupil] for school in choices[pupil]] for pupil in range(3)],
        lottery=[1, 2, 3],
        twins=[],
        capacities=[1, 1, 1],
    )
    assert match(instance).placements == [a, b, c]


def vector_2() -> Instance:
    wishes = ["AB", "AB", "AC", "BAC", "ABC", "BC", "CA", "A"]
    classes = {
        "A": {1: 1, 2: 2, 3: 2, 5: 2, 4: 3, 7: 3, 8: 4},
        "B": {4: 1, 6: 2, 1: 3, 2: 3, 5: 3},
        "C": {7: 1, 3: 3, 4: 3, 5: 3, 6: 3},
    }
    ties = [hmac.digest(b"HK-2024-XQ01", f"K{kid}".encode(), hashlib.sha256).hex() for kid in range(1, 9)]
    order = sorted(range(8), key=ties.__getitem__)
    assert [f"K{pupil + 1}" for pupil in order] == ["K5", "K2", "K8", "K1", "K4", "K6", "K3", "K7"]
    return Instance(
        choices=[["ABC".index(school) for school in wish] for wish in wishes],
        priorities=[
            [Priority(0, classes[school][pupil + 1], 0).packed() for school in wish]
            for pupil, wish in enumerate(wishes)
        ],
        lottery=[order.index(pupil) + 1 for pupil in range(8)],
        twins=[],
        capacities=[2, 2, 2],
    )


def test_vector_2_places_by_class_and_then_by_lottery() -> None:
    result = match(vector_2())
    a, b, c = 0, 1, 2
    assert result.placements == [a, UNPLACED, c, b, a, b, c, UNPLACED]
    assert result.cutoffs == [
        Cutoff(Priority(0, 2, 0).packed(), 1),
        Cutoff(Priority(0, 2, 0).packed(), 6),
        None,
    ]


def one_school(capacity: int, standings: Sequence[tuple[int, int]], twins: Sequence[Sequence[int]]) -> Result:
    """A school asked by children of these (priority, lottery); checked for stability on the way."""
    instance = Instance(
        choices=[[0]] * len(standings),
        priorities=[[priority] for priority, _ in standings],
        lottery=[lottery for _, lottery in standings],
        twins=twins,
        capacities=[capacity],
    )
    result = match(instance)
    assert stability_violations(instance, result.placements) == []
    return result


def test_capacity_40_admits_whole_classes_and_draws_8_of_12() -> None:
    classes = [0] * 2 + [1] * 30 + [2] * 12
    numbers = random.Random(40).sample(range(1, 45), 44)
    result = one_school(40, [(rank << 8, number) for rank, number in zip(classes, numbers, strict=True)], [])
    assert result.placements[:32] == [0] * 32
    drawn = [numbers[pupil] for pupil in range(32, 44) if result.placements[pupil] == 0]
    assert sorted(drawn) == sorted(numbers[32:])[:8]
    assert result.placements.count(UNPLACED) == 4
    assert result.cutoffs == [Cutoff(2 << 8, max(drawn))]


def test_children_of_the_catchment_come_before_everybody_from_outside() -> None:
    inside_last, outside_first = Priority(0, 5, 1).packed(), Priority(1, 0, 0).packed()
    assert one_school(1, [(outside_first, 1), (inside_last, 2)], []).placements == [UNPLACED, 0]
    assert one_school(2, [(outside_first, 1), (inside_last, 2)], []).placements == [0, 0]


def test_class_6_is_never_placed_even_where_seats_are_free() -> None:
    assert one_school(5, [(Priority(0, 6, 0).packed(), 1), (0, 2)], []).placements == [UNPLACED, 0]


@pytest.mark.parametrize(
    ("capacity", "standings", "twins", "admitted"),
    [
        (2, [(1, 3), (1, 3), (1, 1), (1, 9)], [[0, 1]], [0, 1, 2]),
        (1, [(1, 3), (1, 3), (1, 1), (1, 9)], [[0, 1]], [2]),
        (3, [(1, 3), (1, 3), (1, 1), (1, 9)], [[0, 1]], [0, 1, 2]),
        (1, [(1, 3), (1, 3)], [[0, 1]], [0, 1]),
        (0, [(1, 3), (1, 3)], [[0, 1]], []),
        (2, [(1, 3), (2, 3), (1, 4)], [[0, 1]], [0, 2]),
        (1, [(1, 3), (1, 3), (1, 3), (1, 4)], [[0, 1, 2]], [0, 1, 2]),
        (2, [(1, 3), (1, 3), (0, 8), (0, 9)], [[0, 1]], [2, 3]),
    ],
    ids=[
        "the cut falls between twins: one over capacity",
        "no seat is left for either",
        "both fit",
        "one seat, twins alone",
        "no seats at all",
        "twins of unequal priority are cut apart",
        "triplets stay together too",
        "two better children push out both",
    ],
)
def test_twins_at_the_cut(
    capacity: int, standings: list[tuple[int, int]], twins: list[list[int]], admitted: list[int]
) -> None:
    placements = one_school(capacity, standings, twins).placements
    assert [pupil for pupil, placed in enumerate(placements) if placed == 0] == admitted


def test_the_real_lottery_of_2022_fills_360_seats_by_222_numbers() -> None:
    numbers = random.Random(2022).sample(range(1, 465), 464)
    inside = next(pupil for pupil in range(464) if numbers[pupil] == 100)
    beyond = next(pupil for pupil in range(464) if numbers[pupil] == 400)
    pool = [(1, number) for number in [*numbers, 100, 400]]
    admitted_directly = [(0, 1000 + pupil) for pupil in range(137)]
    result = one_school(360, pool + admitted_directly, [[inside, 464], [beyond, 465]])
    drawn = {pool[pupil][1] for pupil in range(466) if result.placements[pupil] == 0}
    assert (result.placements.count(0), len(drawn), max(drawn)) == (360, 222, 222)


def test_a_placement_made_wrong_is_found_and_named() -> None:
    instance = vector_2()
    placements = match(instance).placements
    placements[0], placements[1] = placements[1], placements[0]
    assert Violation("blocking", 0, 0) in stability_violations(instance, placements)
    assert Violation("not_chosen", 7, 2) in stability_violations(instance, [*placements[:7], 2])
    everybody = [0, 0, 0, 0, 0, UNPLACED, 0, 0]
    assert Violation("over_capacity", 7, 0) in stability_violations(instance, everybody)


@pytest.mark.parametrize(
    "change",
    [
        {"choices": [[0], [0, 0]]},
        {"choices": [[0], [0, 2]]},
        {"choices": [[0], [0, -1]]},
        {"choices": [[0]]},
        {"priorities": [[0], [0]]},
        {"priorities": [[0], [0, -2]]},
        {"priorities": [[0], [0, 1 << 16]]},
        {"lottery": [1, 1]},
        {"lottery": [1]},
        {"lottery": [1, -1]},
        {"lottery": [1, 1 << 22]},
        {"capacities": [1, -1]},
        {"twins": [[0, 1]]},
        {"twins": [[0]]},
        {"twins": [[0, 5]]},
        {"twins": [[0, 1], [1, 0]], "lottery": [1, 1]},
    ],
    ids=str,
)
def test_an_input_without_a_defined_outcome_is_refused(change: dict[str, list[int]]) -> None:
    sound = Instance([[0], [0, 1]], [[0], [0, 1]], [1, 2], [], [1, 1])
    assert match(sound).placements == [0, 1]
    with pytest.raises(MalformedInstance):
        match(replace(sound, **change))  # type: ignore[arg-type]


def test_children_who_are_all_equal_but_for_the_lottery_are_drawn_by_it_alone() -> None:
    """20,000 children of one class who all want the same five schools: the numbers in order, seat by seat."""
    count, seats = 20_000, [3000, 0, 2500, 1, 4000]
    numbers = random.Random(5).sample(range(1, count + 1), count)
    instance = Instance(
        choices=[[0, 1, 2, 3, 4]] * count,
        priorities=[[0] * 5] * count,
        lottery=numbers,
        twins=[],
        capacities=seats,
    )
    result = match(instance)
    assert stability_violations(instance, result.placements) == []
    in_order = sorted(range(count), key=numbers.__getitem__)
    expected = [school for school, free in enumerate(seats) for _ in range(free)]
    assert [result.placements[pupil] for pupil in in_order] == expected + [UNPLACED] * (count - sum(seats))
