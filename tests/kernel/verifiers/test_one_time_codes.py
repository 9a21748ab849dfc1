"""The code that is read out: every slip of the hand is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from haiyiban.verifiers.one_time_codes import ALPHABET, LENGTH, new_code, read_code

CODES = st.builds(lambda _: new_code(), st.integers())


@given(CODES)
def test_a_code_is_read_as_it_was_written_and_as_people_type_it(code: str) -> None:
    plain = code.replace("-", "")
    assert len(plain) == LENGTH
    assert read_code(code) == read_code(plain) == read_code(f" {code.lower()} ") == plain
    assert read_code(code.replace("1", "l")) == plain


@given(CODES, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_every_wrong_character_is_found(code: str, place: int, wrong: str) -> None:
    plain = code.replace("-", "")
    slipped = plain[:place] + wrong + plain[place + 1 :]
    assert read_code(slipped) == (plain if slipped == plain else None)


@given(CODES, st.integers(0, LENGTH - 2))
def test_neighbours_that_changed_places_are_found(code: str, place: int) -> None:
    plain = code.replace("-", "")
    slipped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
    assert read_code(slipped) == (plain if slipped == plain else None)


@given(st.text(max_size=20))
def test_anything_else_is_no_code(typed: str) -> None:
    read = read_code(typed)
    assert read is None or set(read) <= set(ALPHABET)
