"""Certificate identifiers: the check character, the parts, the serial."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from haiyiban.certificates.identifiers import (
    SERIAL_LENGTH,
    Identifier,
    InvalidIdentifier,
    check_character,
    new_serial,
)

LETTERS_AND_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

parts = st.builds(
    Identifier,
    type_code=st.from_regex(r"[0-9A-Z]{18}[0-9]{3}", fullmatch=True),
    issuer_code=st.from_regex(r"[0-9A-Z]{18}", fullmatch=True),
    serial=st.from_regex(r"[0-9A-Z]{1,40}", fullmatch=True),
    version=st.integers(1, 999),
)


@pytest.mark.parametrize(
    ("body", "check"),
    [
        # Three public samples. Source: docs/domain.md §4.1
        ("11100000000013338W01111430000006122244L20230000403001", "U"),
        ("11100000MB03271699022340100000000016001", "9"),
        ("11100000000013338W00911330105002500287C2025052201002", "0"),
        # Our own vectors. Source: docs/domain.md §4.1
        ("11100000000013338W00111460000MB1A2B3CXT20220411000001001", "N"),
        ("11100000000013338W00111460000MB1A2B3CXT20220411000001002", "L"),
    ],
)
def test_the_check_character_of_a_known_identifier(body: str, check: str) -> None:
    assert check_character(body) == check


def test_an_identifier_is_written_with_three_digits_of_version() -> None:
    identifier = Identifier(
        type_code="11100000000013338W001",
        issuer_code="11460000MB1A2B3CXT",
        serial="20220411000001",
        version=1,
    )
    assert str(identifier) == "1.2.156.3005.2.11100000000013338W001.11460000MB1A2B3CXT.20220411000001.001.N"
    assert str(replace(identifier, version=2)).endswith(".20220411000001.002.L")


@given(st.text(LETTERS_AND_DIGITS, min_size=1, max_size=60))
def test_the_check_character_is_that_of_iso_7064(body: str) -> None:
    assert check_character(body) == mod_37_36.calc_check_digit(body)


@given(parts)
def test_an_identifier_is_read_as_it_was_written(identifier: Identifier) -> None:
    assert Identifier.parse(str(identifier)) == identifier


@given(parts, st.data())
def test_one_wrong_character_is_noticed(identifier: Identifier, data: st.DataObject) -> None:
    text = str(identifier)
    places = [at for at in range(len("1.2.156.3005.2."), len(text)) if text[at] != "."]
    at = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([letter for letter in LETTERS_AND_DIGITS if letter != text[at]]))
    with pytest.raises(InvalidIdentifier):
        Identifier.parse(text[:at] + other + text[at + 1 :])


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        Identifier.parse(text)


@pytest.mark.parametrize(
    "wrong",
    [{"version": 0}, {"version": 1000}, {"serial": ""}, {"serial": "a1"}, {"type_code": "1" * 20}],
)
def test_parts_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    good = {"type_code": "1" * 21, "issuer_code": "1" * 18, "serial": "A1", "version": 1}
    with pytest.raises(InvalidIdentifier):
        Identifier(**good | wrong)  # type: ignore[arg-type]


def test_a_serial_is_new_each_time_and_has_no_look_alikes() -> None:
    serials = {new_serial() for _ in range(500)}
    assert len(serials) == 500
    assert {len(serial) for serial in serials} == {SERIAL_LENGTH}
    assert not set("".join(serials)) & set("01ILOo")
