"""The browser's check of a draw and Python's share no line, and name the same step and place.

The files are altered in every byte, in whole values, and in ways that stay consistent up to some step.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.school_places.announced import Announced
from services.school_places.draw import draw_seed
from services.school_places.public_file import (
    PublicFile,
    Pupil,
    Roll,
    School,
    draw_and_match,
    hash_of,
    to_bytes,
)
from services.school_places.recompute import recompute
from tests.web.node import Asking, asking

Edit = tuple[int, int, bytes]
"""From, to, and what stands there instead."""


def a_draw(*, pupils: int = 9, schools: int = 3, seed: int = 5, twins: bool = True) -> bytes:
    """A drawn file with twins at a cut, a child that no school may take, and a school without seats."""
    chance = random.Random(seed)
    roll = Roll(
        schools=tuple(School(f"s{at:02}", 0 if at == 0 else chance.randint(1, 3)) for at in range(schools)),
        pupils=tuple(
            Pupil(
                f"p{at:03}",
                choices=tuple(picked := chance.sample(range(schools), chance.randint(1, schools))),
                priorities=tuple(-1 if at == 0 else chance.randint(0, 2) for _ in picked),
            )
            for at in range(pupils)
        ),
        twin_groups=(("p001", "p002"), ("p004", "p005", "p006")) if twins else (),
    )
    return to_bytes(draw_and_match(roll, secret="王 secret\n", beacon="01 02 03", campaign="XY-2026"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Asking]:
    with asking(Path(__file__).with_name("recheck.mjs")) as node:
        yield node


Compare = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def compare(browser: Asking, tmp_path: Path) -> Compare:
    """Checks a file with each tampering by both, and holds one against the other."""

    def both(
        document: bytes, tamperings: list[list[Edit]], announced: Announced | None = None
    ) -> list[dict[str, Any]]:
        path = tmp_path / "file.json"
        path.write_bytes(document)
        known = announced or Announced()
        about = {"rollHash": known.roll_hash, "commitment": known.commitment}
        about |= {"campaign": known.campaign, "beacon": known.beacon}
        question = {
            "path": str(path),
            "tamperings": [
                {
                    "edits": [[start, end, base64.b64encode(new).decode()] for start, end, new in edits],
                    "announced": {name: value for name, value in about.items() if value is not None},
                }
                for edits in tamperings
            ],
        }
        answers: list[dict[str, Any]] = browser.ask(question)["answers"]
        for edits, theirs in zip(tamperings, answers, strict=True):
            require_agreement(tampered(document, edits), theirs, announced, near=edits[0][0] if edits else 0)
        return answers

    return both


def tampered(document: bytes, edits: list[Edit]) -> bytes:
    for start, end, new in reversed(edits):
        document = document[:start] + new + document[end:]
    return document


NEAR = 70
"""Bytes between a tampering and the place where it is noticed: at most a text and the quotes round it."""


def require_agreement(
    document: bytes, theirs: dict[str, Any], announced: Announced | None, *, near: int
) -> None:
    ours = recompute(document, announced)
    found = theirs["difference"]
    about = f"{document!r}\n{ours.difference}\n{found}"
    assert theirs["passed"] == list(ours.passed), about
    if ours.difference is None:
        assert found is None, about
        return
    assert found["step"] == ours.difference.step, about
    if ours.passed or keeps_its_form(document):
        assert found["at"] == ours.difference.at, about
    elif keeps_its_shape(document):
        assert found["byte"] == ours.difference.byte, about
    else:
        assert abs(found["byte"] - near) <= NEAR, about


def keeps_its_shape(document: bytes) -> bool:
    """Whether it is still JSON of the file's members and types, though perhaps spelt otherwise."""
    try:
        msgspec.json.decode(document, type=PublicFile)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def keeps_its_form(document: bytes) -> bool:
    """Whether it is spelt as a public file is."""
    return keeps_its_shape(document) and to_bytes(msgspec.json.decode(document, type=PublicFile)) == document


def test_a_good_file_holds(compare: Compare) -> None:
    for seed in range(40):
        (answer,) = compare(a_draw(pupils=40, schools=5, seed=seed), [[]])
        assert answer["difference"] is None


@pytest.mark.parametrize("replacement", [b"", b"0", b'"', b"x", b"\xff", b"}", b"\\"])
def test_any_altered_byte_is_found_and_named_alike(compare: Compare, replacement: bytes) -> None:
    document = a_draw()
    edits: list[Edit] = [
        (at, at + 1, replacement) for at in range(len(document)) if document[at : at + 1] != replacement
    ]
    for answer in compare(document, [[edit] for edit in edits]):
        assert answer["difference"] is not None


MISSHAPEN = {
    "a letter for a number": (b'"lottery":[', b'"x",', "/lottery/0"),
    "a number for a text": (b'"beacon":', b"1", "/beacon"),
    "below the least": (b'"placements":[', b"-2,", "/placements/0"),
    "a negative lottery number": (b'"lottery":[', b"-1,", "/lottery/0"),
    "beyond 2^53": (b'"lottery":[', b"9007199254740992,", "/lottery/0"),
    "a fraction": (b'"lottery":[', b"1.5,", "/lottery/0"),
    "a member that is not of the file": (b'"cutoffs":[null,null,{', b'"note":1,', "/cutoffs/2/note"),
    "a digest in capitals": (b'"seed":"', b"A", "/seed"),
    "another schema": (b'"schema":"', b"x", "/schema"),
}


@pytest.mark.parametrize(("after", "new", "at"), MISSHAPEN.values(), ids=MISSHAPEN)
def test_a_value_of_another_shape_is_named_by_its_place(
    compare: Compare, after: bytes, new: bytes, at: str
) -> None:
    document = a_draw()
    place = document.index(after) + len(after)
    (answer,) = compare(document, [[(place, place, new)]])
    assert recompute(tampered(document, [(place, place, new)])).difference.at == at  # type: ignore[union-attr]
    assert answer["difference"]["at"] == at


SPELT_OTHERWISE = {
    "a space": (b",", b", "),
    "a line end at the end": (None, b"\n"),
    "minus nothing": (b'"priorities":[0', b'"priorities":[-0'),
    "an escaped letter": (b'"XY', b'"\\u0058Y'),
    "a long escape": (b"\\n", b"\\u000a"),
    "an escaped slash": (b'"XY', b'"\\/Y'),
    "an escaped character": ("王".encode(), b"\\u738b"),
    "a character of two units, escaped": ("王".encode(), b"\\ud83d\\ude00"),
    "members in another order": (b'"capacity":3,"id":"s01"', b'"id":"s01","capacity":3'),
    "a member twice": (b'"beacon":"01 02 03"', b'"beacon":"01 02 03","beacon":"01 02 03"'),
}


@pytest.mark.parametrize(("old", "new"), SPELT_OTHERWISE.values(), ids=SPELT_OTHERWISE)
def test_another_spelling_is_named_by_its_byte(compare: Compare, old: bytes | None, new: bytes) -> None:
    document = a_draw()
    place = len(document) if old is None else document.index(old)
    edit = (place, place + len(old or b""), new)
    assert keeps_its_shape(tampered(document, [edit]))
    compare(document, [[edit]])


@st.composite
def altered_content(draw: st.DrawFn) -> bytes:
    """A file in its one form with something changed that some later step must find."""
    document = a_draw(seed=draw(st.integers(0, 30)))
    file = json.loads(document)
    roll = file["roll"]
    kind = draw(st.sampled_from(["list", "digest", "text", "roll", "twins", "own roll"]))
    if kind == "list":
        name = draw(st.sampled_from(["lottery", "placements", "cutoffs"]))
        at = draw(st.integers(0, len(file[name]) - 1))
        if draw(st.booleans()):
            file[name][at] = draw(st.sampled_from([each for each in file[name] if each is not None] or [1]))
        else:
            del file[name][at]
    elif kind == "digest":
        name = draw(st.sampled_from(["rollHash", "seed", "commitment"]))
        file[name] = file[draw(st.sampled_from(["rollHash", "seed", "commitment"]))]
    elif kind == "text":
        file[draw(st.sampled_from(["secret", "beacon", "campaign"]))] = draw(st.text(max_size=4))
    elif kind == "twins":
        roll["twinGroups"] = draw(
            st.lists(st.lists(st.sampled_from(["p001", "p002", "p003", "p099"]), max_size=3), max_size=3)
        )
    else:
        pupil = roll["pupils"][draw(st.integers(0, len(roll["pupils"]) - 1))]
        pupil[draw(st.sampled_from(["choices", "priorities"]))] = draw(
            st.lists(st.one_of(st.integers(0, 4), st.just(65536)), max_size=3)
        )
        if draw(st.booleans()):
            pupil["pseudonym"] = draw(st.sampled_from(["p004", "\uffff", "😀", "a"]))
    made = msgspec.convert(file, PublicFile)
    if kind == "own roll":
        made = hash_again(made)
    return to_bytes(made)


def hash_again(file: PublicFile) -> PublicFile:
    """Hash and seed of the roll that is in it, as somebody who forges everything would write them."""
    hashed = hash_of(file.roll)
    seed = draw_seed(file.secret, beacon=file.beacon, roll=hashed, campaign=file.campaign).hex()
    return msgspec.structs.replace(file, roll_hash=hashed, seed=seed)


def test_a_change_of_content_is_found_at_the_same_step_and_place(compare: Compare) -> None:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(altered_content(), min_size=1, max_size=8))
    def agree(documents: list[bytes]) -> None:
        whole = b"".join(documents)
        starts = [sum(map(len, documents[:at])) for at in range(len(documents))]
        compare(
            whole,
            [
                [(0, start, b""), (start + len(document), len(whole), b"")]
                for start, document in zip(starts, documents, strict=True)
            ],
        )

    agree()


def test_what_was_announced_is_compared(compare: Compare) -> None:
    document = a_draw()
    file = json.loads(document)
    for announced, step in (
        (Announced(roll_hash="0" * 64), "roll_hash"),
        (Announced(commitment="0" * 64), "commitment"),
        (Announced(campaign="other"), "seed"),
        (Announced(beacon="other"), "seed"),
    ):
        (answer,) = compare(document, [[]], announced)
        assert (answer["difference"]["step"], answer["difference"]["at"]) == (step, "")
    right = Announced(roll_hash=file["rollHash"], commitment=file["commitment"], beacon=file["beacon"])
    (answer,) = compare(document, [[]], right)
    assert answer["difference"] is None
