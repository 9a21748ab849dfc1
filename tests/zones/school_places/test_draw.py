"""The lottery: commitment, seed, numbers. Source: docs/domain.md §11 (vector), §6.2 (twins)."""

import hashlib
import hmac
import random

import pytest

from services.school_places.draw import (
    MalformedRoll,
    NotTheSecret,
    check_secret,
    commitment,
    draw_seed,
    lottery_key,
    lottery_numbers,
    numbers_by_key,
    roll_hash,
)

SECRET = "haiyiban-demo-secret-01"
BEACON = "2021-12-20T12:00:00+08:00|DEMO-BEACON-42"
ROLL = "23043aa372370cc1aa59a51cddbad8cdd0ee98901f1f054918e74bec0bdfb65e"
SEED = "f1a65ea50771183ff5b32a996f667ee77774bfa980cb4439bfd5100bc83c66b7"
IDS = [f"U{number:03d}" for number in range(1, 11)]
ORDER = ["U005", "U003", "U007", "U009", "U002", "U008", "U004", "U010", "U006", "U001"]


def test_the_commitment_of_the_vector() -> None:
    assert commitment(SECRET) == "ff532c3e94b3b03c2cd7b50c0e655e0cb60bb153078d985cb33eb2d33b953855"


def test_only_the_committed_secret_passes() -> None:
    check_secret(SECRET, commitment(SECRET))
    with pytest.raises(NotTheSecret):
        check_secret(SECRET + " ", commitment(SECRET))


def test_the_seed_and_the_order_of_the_vector() -> None:
    seed = draw_seed(SECRET, beacon=BEACON, roll=ROLL, campaign="ECNY-2021-12")
    assert seed.hex() == SEED
    assert [lottery_key(seed, entry)[:8] for entry in ORDER[:3]] == ["039b0657", "12bcbe50", "4aee2b54"]
    numbers = lottery_numbers(seed, IDS, twins=[])
    assert sorted(IDS, key=lambda entry: numbers[IDS.index(entry)]) == ORDER
    assert sorted(numbers) == list(range(1, 11))


@pytest.mark.parametrize(
    "changed",
    [
        {"beacon": BEACON + "0"},
        {"roll": "0" + ROLL[1:]},
        {"campaign": "ECNY-2021-13"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_part_of_the_seed_counts(changed: dict[str, str]) -> None:
    parts = {"beacon": BEACON, "roll": ROLL, "campaign": "ECNY-2021-12"} | changed
    assert draw_seed(SECRET, **parts).hex() != SEED
    assert draw_seed(SECRET + "x", beacon=BEACON, roll=ROLL, campaign="ECNY-2021-12").hex() != SEED


def test_twins_draw_once_under_the_smallest_pseudonym_and_share_the_number() -> None:
    seed = bytes.fromhex(SEED)
    numbers = dict(zip(IDS, lottery_numbers(seed, IDS, twins=[["U006", "U003"]]), strict=True))
    alone = [entry for entry in ORDER if entry != "U006"]
    assert numbers["U006"] == numbers["U003"] == alone.index("U003") + 1
    assert set(numbers.values()) == set(range(1, 10))


def test_a_number_does_not_depend_on_the_order_of_the_roll() -> None:
    shuffled = random.Random(1).sample(IDS, len(IDS))
    seed = bytes.fromhex(SEED)
    before = dict(zip(IDS, lottery_numbers(seed, IDS, twins=[]), strict=True))
    assert dict(zip(shuffled, lottery_numbers(seed, shuffled, twins=[]), strict=True)) == before


def test_the_numbers_of_many_are_those_of_a_plain_sort_by_key() -> None:
    seed = bytes.fromhex(SEED)
    many = [f"{number:05}" for number in random.Random(2).sample(range(100_000), 30_000)]
    twins = [many[at : at + 2 + at % 2] for at in range(0, len(many) - 3, 100)]
    entry_of = {twin: min(group) for group in twins for twin in group}
    entries = sorted(
        {entry_of.get(one, one) for one in many}, key=lambda one: hmac.digest(seed, one.encode(), "sha256")
    )
    number_of = {entry: number for number, entry in enumerate(entries, 1)}
    assert lottery_numbers(seed, many, twins=twins) == [number_of[entry_of.get(one, one)] for one in many]


def test_keys_that_begin_alike_are_told_apart_by_the_rest() -> None:
    keys = {"a": bytes(8) + b"\2" * 24, "b": bytes(31) + b"\1", "c": bytes(8) + b"\1" * 24, "d": b"\1" * 32}
    assert numbers_by_key(list(keys), keys.__getitem__) == [3, 1, 2, 4]


@pytest.mark.parametrize(
    ("pseudonyms", "twins"),
    [
        (["a", "b", "a"], []),
        (["a", "b"], [["a", "c"]]),
        (["a", "b", "b"], [["a", "b"]]),
        (["a", "a"], [["a", "b"]]),
        (["a", "b", "c"], [["a", "b"], ["b", "c"]]),
        (["a", "b", "c"], [["b", "c"], ["a", "b"]]),
    ],
)
def test_a_roll_that_contradicts_itself_is_refused(pseudonyms: list[str], twins: list[list[str]]) -> None:
    with pytest.raises(MalformedRoll):
        lottery_numbers(b"seed", pseudonyms, twins=twins)


def test_the_roll_hash_is_that_of_the_rolls_bytes() -> None:
    assert roll_hash(b'{"pupils":[]}') == hashlib.sha256(b'{"pupils":[]}').hexdigest()
