"""The published file proves its own result, and any change to it is found and named.

Source: docs/domain.md §11; schemas/zones/school_places/public-file.v1.json.
"""

import json
import random
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import rfc8785

from haiyiban.resources import schemas
from services.school_places.announced import Announced
from services.school_places.draw import commitment, roll_hash
from services.school_places.matching import NOT_BY_MATCHING, Instance, match
from services.school_places.public_file import (
    PublicFile,
    draw_and_match,
    hash_of,
    instance_of,
    make_roll,
    numbers_of,
    to_bytes,
)
from services.school_places.recompute import recompute

CAPACITIES = {"s3": 6, "s1": 5, "s2": 4}


def applications(count: int, chance: random.Random) -> dict[str, list[tuple[str, int]]]:
    """Children with random lists and packed priorities, some of class 6."""
    return {
        f"p{chance.getrandbits(64):016x}": [
            (school, chance.choice([0, 256, 257, 512, 2048 + 256, NOT_BY_MATCHING]))
            for school in chance.sample(sorted(CAPACITIES), chance.randint(1, 3))
        ]
        for _ in range(count)
    }


@pytest.fixture(scope="module")
def file() -> PublicFile:
    children = applications(24, random.Random(6))
    roll, _ = make_roll(capacities=CAPACITIES, applications=children, twins=[sorted(children)[3:5]])
    return draw_and_match(roll, secret="秘密-01", beacon="2026-08-01|7,12,19", campaign="XQ-2026")


def changed(file: PublicFile, *path: str | int, value: Any) -> bytes:
    """The canonical file with one value replaced."""
    document: Any = json.loads(to_bytes(file))
    inner = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return rfc8785.dumps(document)


def test_the_file_proves_its_own_result(file: PublicFile) -> None:
    found = recompute(to_bytes(file))
    assert found.holds
    assert found.passed == (
        "form",
        "roll_hash",
        "commitment",
        "seed",
        "lottery",
        "placements",
        "cutoffs",
        "stability",
    )
    assert (found.pupils, found.schools) == (24, 3)


def test_the_file_is_what_its_schema_says_and_the_schema_refuses_more(file: PublicFile) -> None:
    schema = json.loads((schemas() / "zones/school_places/public-file.v1.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid(json.loads(to_bytes(file)))
    assert not validator.is_valid(json.loads(changed(file, "home", value="海秀路3号")))
    assert not validator.is_valid(json.loads(changed(file, "roll", "pupils", 0, "idNumber", value="x")))


def test_the_roll_hash_and_the_result_follow_from_the_published_description(file: PublicFile) -> None:
    document = json.loads(to_bytes(file))
    assert document["rollHash"] == roll_hash(rfc8785.dumps(document["roll"]))
    assert document["commitment"] == commitment(document["secret"])
    twins = document["roll"]["twinGroups"][0]
    numbers = {
        pupil["pseudonym"]: number
        for pupil, number in zip(document["roll"]["pupils"], document["lottery"], strict=True)
    }
    assert numbers[twins[0]] == numbers[twins[1]]
    assert len(set(numbers.values())) == 23


@pytest.mark.parametrize(
    ("path", "value", "step", "at"),
    [
        (("campaign",), "XQ-2027", "seed", "/seed"),
        (("beacon",), "2026-08-01|7,12,20", "seed", "/seed"),
        (("secret",), "秘密-02", "commitment", "/secret"),
        (("commitment",), "0" * 64, "commitment", "/commitment"),
        (("seed",), "0" * 64, "seed", "/seed"),
        (("rollHash",), "0" * 64, "roll_hash", "/rollHash"),
        (("roll", "schools", 0, "capacity"), 6, "roll_hash", "/roll"),
        (("roll", "pupils", 0, "priorities", 0), 3, "roll_hash", "/roll"),
        (("roll", "twinGroups"), [], "roll_hash", "/roll"),
        (("lottery", 5), 99, "lottery", "/lottery/5"),
        (("lottery",), [1], "lottery", "/lottery"),
        (("placements", 0), 999, "placements", "/placements/0"),
        (("cutoffs", 0), {"priority": 0, "lottery": 1}, "cutoffs", "/cutoffs/0"),
        (("roll", "schools", 0, "capacity"), -1, "form", "/roll/schools/0/capacity"),
        (("roll", "pupils", 7, "choices", 0), 3, "form", "/roll/pupils/7/choices"),
        (("roll", "pupils", 7, "choices"), "A", "form", "/roll/pupils/7/choices"),
        (("roll", "pupils", 7, "priorities"), [], "form", "/roll/pupils/7/priorities"),
        (("roll", "pupils", 7, "name"), "x", "form", "/roll/pupils/7/name"),
        (("roll", "pupils", 7, "pseudonym"), "p", "form", "/roll/pupils/7/pseudonym"),
        (("roll", "twinGroups", 0), ["p"], "form", "/roll/twinGroups/0"),
        (("roll", "twinGroups", 0, 1), "q", "form", "/roll/twinGroups/0/1"),
        (("lottery", 5), "6", "form", "/lottery/5"),
        (("placements", 3), -2, "form", "/placements/3"),
        (("cutoffs", 1), 7, "form", "/cutoffs/1"),
        (("schema",), "other", "form", "/schema"),
        (("extra",), 1, "form", "/extra"),
    ],
)
def test_a_change_is_found_and_named(
    file: PublicFile, path: tuple[str | int, ...], value: Any, step: str, at: str
) -> None:
    difference = recompute(changed(file, *path, value=value)).difference
    assert difference is not None
    assert (difference.step, difference.at) == (step, at)
    assert difference.words.zh
    assert difference.words.en


def test_a_child_moved_to_another_school_is_found(file: PublicFile) -> None:
    placed = next(at for at, school in enumerate(file.placements) if school >= 0)
    difference = recompute(changed(file, "placements", placed, value=-1)).difference
    assert difference is not None
    assert (difference.step, difference.at) == ("placements", f"/placements/{placed}")
    assert (difference.found, difference.expected) == ("-1", str(file.placements[placed]))


def test_another_draw_that_is_right_in_itself_is_not_the_one_that_was_announced(file: PublicFile) -> None:
    other = draw_and_match(file.roll, secret="another", beacon=file.beacon, campaign=file.campaign)
    assert recompute(to_bytes(other)).holds
    announced = recompute(to_bytes(other), Announced(commitment=file.commitment))
    assert announced.difference is not None
    assert announced.difference.step == "commitment"
    swapped = recompute(to_bytes(file), Announced(roll_hash="0" * 64))
    assert swapped.difference is not None
    assert swapped.difference.step == "roll_hash"


@pytest.mark.parametrize(
    "document", [b"", b"{}", b"[]", b"\xff\xfe", b"null", b'{"schema":1}', b"[" * 100_000]
)
def test_what_is_no_file_at_all_is_refused_in_words(document: bytes) -> None:
    difference = recompute(document).difference
    assert difference is not None
    assert difference.step == "form"
    assert difference.words.zh


def test_numbers_beyond_what_json_can_carry_are_refused(file: PublicFile) -> None:
    document = to_bytes(file).replace(b'"capacity":5', b'"capacity":9007199254740993')
    assert not recompute(document).holds


def test_a_twin_that_is_not_on_the_roll_is_refused(file: PublicFile) -> None:
    roll = msgspec.structs.replace(file.roll, twin_groups=(("nobody", "noone"),))
    forged = msgspec.structs.replace(file, roll=roll, roll_hash=hash_of(roll))
    assert not recompute(to_bytes(forged)).holds


@pytest.mark.parametrize("number", range(30))
def test_ranks_hide_the_classes_and_leave_the_result_as_it_is(number: int) -> None:
    children = applications(30, random.Random(number))
    roll, bands = make_roll(capacities=CAPACITIES, applications=children, twins=[sorted(children)[:2]])
    lottery = numbers_of(roll, b"seed")
    blind = instance_of(roll, lottery)
    named = Instance(
        choices=blind.choices,
        priorities=[[packed for _, packed in children[pupil.pseudonym]] for pupil in roll.pupils],
        lottery=lottery,
        twins=blind.twins,
        capacities=blind.capacities,
    )
    assert match(blind).placements == match(named).placements
    assert max(max(pupil.priorities) for pupil in roll.pupils) < 5
    for pupil in roll.pupils:
        for school, rank, (_, packed) in zip(
            pupil.choices, pupil.priorities, children[pupil.pseudonym], strict=True
        ):
            assert packed == (NOT_BY_MATCHING if rank == NOT_BY_MATCHING else bands[school][rank])
