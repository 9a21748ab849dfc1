"""No byte of a public file can be touched without being found, and what was done to it is named.

Source: docs/domain.md §11.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from services.school_places.public_file import (
    PublicFile,
    canonical,
    draw_and_match,
    hash_of,
    make_roll,
    to_bytes,
)
from services.school_places.recompute import Difference, recompute


def drawn(pupils: int, *, secret: str = "密-1", twins: int = 2) -> PublicFile:
    """A small draw with a twin pair, over-asked schools and one without a seat."""
    chance = random.Random(11)
    names = [f"p{number:02d}" for number in range(pupils)]
    schools = ["a", "b", "c"]
    applications = {
        name: [
            (school, chance.choice([0, 256, 512])) for school in chance.sample(schools, chance.randint(1, 3))
        ]
        for name in names
    }
    roll, _ = make_roll(
        capacities={"a": 2, "b": 1, "c": 0}, applications=applications, twins=[names[:twins]] if twins else []
    )
    return draw_and_match(roll, secret=secret, beacon="7,12,19", campaign="XQ")


SMALL = to_bytes(drawn(3))
MIDDLE = to_bytes(drawn(40))


def tampered_at(document: bytes, at: int) -> Iterator[bytes]:
    """Every single-bit flip of a byte, some bytes that JSON likes in its place and before it, and none."""
    before, byte, after = document[:at], document[at], document[at + 1 :]
    values = {byte ^ 1 << bit for bit in range(8)} | set(b'0915 "\\,:-.e[]{}n\n\x00\xff')
    for value in values - {byte}:
        yield before + bytes([value]) + after
    for value in values | {byte}:
        yield before + bytes([value, byte]) + after
    yield before + after


def test_every_change_of_every_byte_of_a_small_file_is_found() -> None:
    assert recompute(SMALL).holds
    tried = 0
    for at in range(len(SMALL)):
        for tampered in tampered_at(SMALL, at):
            difference = recompute(tampered).difference
            assert difference is not None, (at, tampered)
            assert difference.at or difference.byte is not None, "where it is must be named"
            assert difference.words.zh
            assert difference.words.en
            tried += 1
    for end in range(len(SMALL)):
        assert not recompute(SMALL[:end]).holds
    assert tried > 40 * len(SMALL)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_changes_anywhere_in_a_larger_file_are_found(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(MIDDLE)))
    gone = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    tampered = MIDDLE[:at] + put + MIDDLE[at + gone :]
    assert tampered == MIDDLE or not recompute(tampered).holds


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_other_value_at_any_place_is_found_and_named(data: st.DataObject) -> None:
    document: Any = json.loads(MIDDLE)
    inner, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(inner[key], dict | list) and inner[key]:
        inner = inner[key]
        key = data.draw(
            st.sampled_from(sorted(inner)) if isinstance(inner, dict) else st.integers(0, len(inner) - 1)
        )
    old = inner[key]
    inner[key] = data.draw(
        st.one_of(st.integers(-2, 99), st.text(max_size=5), st.none(), st.just([]), st.just({})).filter(
            lambda value: value != old
        )
    )
    difference = recompute(rfc8785.dumps(document)).difference
    assert difference is not None
    assert difference.at


def spaced(document: bytes) -> bytes:
    return document.replace(b',"', b', "', 1)


def turned(document: bytes) -> bytes:
    content = json.loads(document)
    return json.dumps(dict(reversed(content.items())), separators=(",", ":"), ensure_ascii=False).encode()


def escaped(document: bytes) -> bytes:
    return document.replace("密".encode(), b"\\u5bc6")


def as_float(document: bytes) -> bytes:
    return document.replace(b'"capacity":2', b'"capacity":2.0')


def as_power(document: bytes) -> bytes:
    return document.replace(b'"capacity":2', b'"capacity":2e0')


def twice(document: bytes) -> bytes:
    return document.replace(b'"capacity":2', b'"capacity":1,"capacity":2')


def ended(document: bytes) -> bytes:
    return document + b"\n"


def marked(document: bytes) -> bytes:
    return b"\xef\xbb\xbf" + document


@pytest.mark.parametrize("rewrite", [spaced, turned, escaped, as_float, as_power, twice, ended, marked])
def test_the_same_content_in_other_bytes_is_not_the_file(rewrite: Callable[[bytes], bytes]) -> None:
    rewritten = rewrite(SMALL)
    assert rewritten != SMALL
    difference = recompute(rewritten).difference
    assert difference is not None
    assert difference.step == "form"
    assert difference.byte is not None
    pairs = enumerate(zip(SMALL, rewritten, strict=False))
    assert difference.byte == next((at for at, pair in pairs if pair[0] != pair[1]), len(SMALL))
    if rewrite is not marked:  # a mark of byte order is no JSON at all
        assert "RFC 8785" in difference.words.zh
        assert "not the canonical file" in difference.words.en


def found_in(change: Callable[[dict[str, Any]], object]) -> Difference:
    document = json.loads(MIDDLE)
    change(document)
    difference = recompute(rfc8785.dumps(document)).difference
    assert difference is not None
    return difference


def test_two_pupils_exchanged_are_found() -> None:
    def swap(document: dict[str, Any]) -> None:
        pupils = document["roll"]["pupils"]
        pupils[4], pupils[5] = pupils[5], pupils[4]

    difference = found_in(swap)
    assert (difference.step, difference.at) == ("form", "/roll/pupils/5/pseudonym")


def test_two_pupils_who_exchanged_their_names_are_found() -> None:
    def swap(document: dict[str, Any]) -> None:
        pupils = document["roll"]["pupils"]
        for member in ("choices", "priorities"):
            pupils[4][member], pupils[5][member] = pupils[5][member], pupils[4][member]

    difference = found_in(swap)
    assert (difference.step, difference.at) == ("roll_hash", "/roll")


def test_two_results_exchanged_are_found() -> None:
    def swap(document: dict[str, Any]) -> None:
        placements = document["placements"]
        other = next(at for at, place in enumerate(placements) if place != placements[0])
        placements[0], placements[other] = placements[other], placements[0]

    difference = found_in(swap)
    assert (difference.step, difference.at) == ("placements", "/placements/0")


@pytest.mark.parametrize(
    ("change", "step", "at"),
    [
        (lambda document: document["roll"]["pupils"].pop(9), "roll_hash", "/roll"),
        (lambda document: document["roll"]["pupils"].pop(0), "form", "/roll/twinGroups/0/0"),
        (lambda document: document["roll"]["twinGroups"][0].pop(), "form", "/roll/twinGroups/0"),
        (lambda document: document["roll"]["twinGroups"].pop(), "roll_hash", "/roll"),
        (lambda document: document["roll"]["schools"][1].update(capacity=2), "roll_hash", "/roll"),
        (lambda document: document["roll"]["schools"].pop(), "form", "/roll/pupils/"),
        (lambda document: document["lottery"].pop(), "lottery", "/lottery"),
        (lambda document: document["cutoffs"].pop(), "cutoffs", "/cutoffs"),
    ],
    ids=[
        "a pupil removed",
        "a twin removed, the other left",
        "a twin without the other",
        "twins made strangers",
        "one more seat",
        "a school removed",
        "a number removed",
        "a cut-off removed",
    ],
)
def test_what_was_done_is_named(change: Callable[[dict[str, Any]], object], step: str, at: str) -> None:
    difference = found_in(change)
    assert difference.step == step
    assert difference.at.startswith(at)


def test_a_placement_that_was_forged_with_everything_else_made_to_fit_is_still_found() -> None:
    """Hash, seed and numbers right, the result another one: only drawing and matching again shows it."""
    file = msgspec.json.decode(MIDDLE, type=PublicFile)
    placements = [-1 if place == 0 else place for place in file.placements]
    forged = msgspec.structs.replace(file, placements=tuple(placements))
    difference = recompute(to_bytes(forged)).difference
    assert difference is not None
    assert difference.step == "placements"


def test_a_roll_in_another_order_is_not_the_one_form_even_when_hashed_anew() -> None:
    file = msgspec.json.decode(MIDDLE, type=PublicFile)
    roll = msgspec.structs.replace(file.roll, pupils=file.roll.pupils[::-1])
    forged = msgspec.structs.replace(file, roll=roll, roll_hash=hash_of(roll))
    difference = recompute(to_bytes(forged)).difference
    assert difference is not None
    assert difference.at == "/roll/pupils/1/pseudonym"


texts = st.text(max_size=20) | st.text(
    alphabet='\x00\x07\x08\t\n\f\r\x1f"\\/\x7f\u2028\uffff\U0001f600', max_size=9
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(texts, st.integers(0, 2**53 - 1)), max_size=4), texts)
def test_the_fast_canonical_form_is_that_of_the_reference_implementation(
    schools: list[tuple[str, int]], secret: str
) -> None:
    roll, _ = make_roll(
        capacities=dict(schools),
        applications={f"p{name}": [(name, 256)] for name, _ in dict(schools).items()},
        twins=[],
    )
    assert canonical(roll) == rfc8785.dumps(msgspec.to_builtins(roll))
    file = draw_and_match(roll, secret=secret, beacon=secret, campaign="c")
    assert to_bytes(file) == rfc8785.dumps(msgspec.to_builtins(file))
    assert recompute(to_bytes(file)).holds
