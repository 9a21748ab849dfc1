"""Identity documents. Vectors: docs/domain.md §1.1-1.4, §8.2."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from haiyiban.credit_codes import (
    InvalidCreditCode,
    credit_check_character,
    organisation_check_character,
    parse_credit_code,
)
from haiyiban.residents import (
    IdType,
    InvalidIdNumber,
    InvalidMobile,
    age_on,
    birthday,
    check_document,
    mrz_check_digit,
    normalise_id_number,
    normalise_mobile,
    parse_identity_number,
    resident_check_digit,
)

TODAY = date(2026, 11, 21)

RESIDENTS = [
    ("460105199003070017", date(1990, 3, 7), "male"),
    ("460106198802291029", date(1988, 2, 29), "female"),
    ("460204197512312512", date(1975, 12, 31), "male"),
    ("469005201508310031", date(2015, 8, 31), "male"),
    ("469005201509010049", date(2015, 9, 1), "female"),
    ("460107200002290083", date(2000, 2, 29), "female"),
    ("46010819950612002X", date(1995, 6, 12), "female"),
    ("46040020010910019X", date(2001, 9, 10), "male"),
]
PERMITS = ["810000199203150044", "820000198511201154", "830000197807042233"]
PERMANENT_RESIDENTS = ["946840198801010011", "946392199212310124"]

birth_dates = st.dates(date(1900, 1, 1), TODAY)


@st.composite
def identity_numbers(draw: st.DrawFn) -> str:
    place = draw(st.sampled_from(["460105", "469028", "460003", "110101", "830000"]))
    first17 = f"{place}{draw(birth_dates):%Y%m%d}{draw(st.integers(0, 999)):03}"
    return first17 + resident_check_digit(first17)


@pytest.mark.parametrize(("number", "birth", "sex"), RESIDENTS)
def test_a_resident_number_tells_birth_and_sex(number: str, birth: date, sex: str) -> None:
    identity = parse_identity_number(number, today=TODAY)
    assert (identity.number, identity.birth, identity.sex) == (number, birth, sex)
    assert identity.address_code == number[:6]
    assert identity.warnings == ()


@pytest.mark.parametrize("number", PERMITS + PERMANENT_RESIDENTS)
def test_permits_and_permanent_residence_cards_share_the_layout(number: str) -> None:
    identity = parse_identity_number(number, today=TODAY)
    assert f"{identity.birth:%Y%m%d}" == number[6:14]
    assert identity.warnings == ()


def test_a_number_of_15_digits_is_upgraded_and_says_so() -> None:
    identity = parse_identity_number("460105900307001", today=TODAY)
    assert identity.number == "460105199003070017"
    assert identity.warnings == ("upgraded",)


@pytest.mark.parametrize(
    "raw",
    [
        " 46010819950612002x\n",
        "４６０１０８１９９５０６１２００２Ｘ",
        "４６０１０８１９９５０６１２００２ｘ",
        "\u300046010819950612002X",
    ],
)
def test_typing_habits_do_not_matter(raw: str) -> None:
    assert parse_identity_number(raw, today=TODAY).number == "46010819950612002X"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("460105199003070016", "check-digit"),
        ("460105199002300011", "birth-date"),
        ("4601051990030700", "length"),
        ("4601051990030700177", "length"),
        ("", "length"),
        ("46010519900307001A", "character"),
        ("4601051990O3070017", "character"),
        ("46010590030700A", "character"),
        ("46010519900307001٧", "character"),
        ("46010519900307001²", "character"),
        ("460105202611220016", "future"),
        ("460105187511210013", "age"),
        ("460105000003070017", "birth-date"),
        ("460105201902290017", "birth-date"),
    ],
)
def test_a_wrong_number_is_refused_with_its_reason(raw: str, reason: str) -> None:
    with pytest.raises(InvalidIdNumber) as refusal:
        parse_identity_number(raw, today=TODAY)
    assert refusal.value.reason == reason
    assert refusal.value.words.zh
    assert refusal.value.words.en


def test_a_child_born_today_is_not_in_the_future() -> None:
    first17 = "46010520261121001"
    assert parse_identity_number(first17 + resident_check_digit(first17), today=TODAY).birth == TODAY


@pytest.mark.parametrize(
    ("place", "warnings"),
    [
        ("460003", ()),
        ("460004", ()),
        ("460028", ()),
        ("460033", ()),
        ("460034", ()),
        ("469003", ()),
        ("440106", ()),
        ("460999", ("address-code",)),
        ("990000", ("address-code",)),
        ("000000", ("address-code",)),
    ],
)
def test_an_unknown_place_warns_and_a_retired_one_does_not(place: str, warnings: tuple[str, ...]) -> None:
    first17 = place + "19900307001"
    assert parse_identity_number(first17 + resident_check_digit(first17), today=TODAY).warnings == warnings


@given(st.one_of(st.text(max_size=20), st.text("0123456789X", min_size=14, max_size=19)))
def test_any_text_parses_or_is_refused(raw: str) -> None:
    try:
        identity = parse_identity_number(raw, today=TODAY)
    except InvalidIdNumber:
        return
    assert resident_check_digit(identity.number[:17]) == identity.number[17]


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(InvalidIdNumber) as refusal:
        parse_identity_number("460105199003070016", today=TODAY)
    assert "4601" not in repr(refusal.value) + "".join(refusal.value.words)


@given(identity_numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_found(number: str, position: int, character: str) -> None:
    changed = number[:position] + character + number[position + 1 :]
    if changed != number:
        with pytest.raises(InvalidIdNumber):
            parse_identity_number(changed, today=TODAY)


@given(identity_numbers(), st.integers(0, 15))
def test_swapped_neighbours_are_found(number: str, position: int) -> None:
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    if swapped != number:
        with pytest.raises(InvalidIdNumber):
            parse_identity_number(swapped, today=TODAY)


@given(identity_numbers())
def test_python_stdnum_agrees(number: str) -> None:
    assert ric.calc_check_digit(number) == number[17]
    assert ric.get_birth_date(number) == parse_identity_number(number, today=TODAY).birth


@given(st.text())
def test_normalising_twice_changes_nothing(raw: str) -> None:
    assert normalise_id_number(normalise_id_number(raw)) == normalise_id_number(raw)


@pytest.mark.parametrize(
    ("id_type", "raw", "kept"),
    [
        (IdType.RESIDENT_ID_CARD, "46010819950612002x", "46010819950612002X"),
        (IdType.TEMPORARY_ID_CARD, "460105199003070017", "460105199003070017"),
        (IdType.RESIDENCE_PERMIT, PERMITS[0], PERMITS[0]),
        (IdType.PERMANENT_RESIDENCE_CARD, PERMANENT_RESIDENTS[0], PERMANENT_RESIDENTS[0]),
        (IdType.PERMANENT_RESIDENCE_CARD, "usa110088010112", "USA110088010112"),
        (IdType.PASSPORT, "E12345678", "E12345678"),
        (IdType.PASSPORT, "EA1234567", "EA1234567"),
        (IdType.PASSPORT, "G12345678", "G12345678"),
        (IdType.PASSPORT, "L898902C3", "L898902C3"),
        (IdType.TAIWAN_PASS, "12345678", "12345678"),
        (IdType.HK_MACAO_PASS, "h12345678", "H12345678"),
        (IdType.HK_MACAO_PASS, "M1234567801", "M1234567801"),
        (IdType.BIRTH_CERTIFICATE, "Q460012345", "Q460012345"),
    ],
)
def test_each_kind_of_document_has_its_shape(id_type: IdType, raw: str, kept: str) -> None:
    assert check_document(id_type, raw, today=TODAY) == kept


@pytest.mark.parametrize(
    ("id_type", "raw", "reason"),
    [
        (IdType.RESIDENT_ID_CARD, PERMITS[0], "type"),
        (IdType.RESIDENT_ID_CARD, PERMANENT_RESIDENTS[0], "type"),
        (IdType.RESIDENCE_PERMIT, "460105199003070017", "type"),
        (IdType.PERMANENT_RESIDENCE_CARD, "460105199003070017", "type"),
        (IdType.PERMANENT_RESIDENCE_CARD, "946840198801010012", "check-digit"),
        (IdType.PERMANENT_RESIDENCE_CARD, "US1100880101123", "character"),
        (IdType.PASSPORT, "E123", "format"),
        (IdType.PASSPORT, "ABCDEFGH", "format"),
        (IdType.PASSPORT, "E1234567８９０１２３４５６", "format"),
        (IdType.TAIWAN_PASS, "1234567", "format"),
        (IdType.HK_MACAO_PASS, "A12345678", "format"),
        (IdType.HK_MACAO_PASS, "H123456789", "format"),
        (IdType.BIRTH_CERTIFICATE, "4600123456", "format"),
    ],
)
def test_a_document_of_another_shape_is_refused(id_type: IdType, raw: str, reason: str) -> None:
    with pytest.raises(InvalidIdNumber) as refusal:
        check_document(id_type, raw, today=TODAY)
    assert refusal.value.reason == reason


@given(st.sampled_from(IdType), st.text(max_size=20))
def test_any_text_is_a_document_or_refused(id_type: IdType, raw: str) -> None:
    try:
        number = check_document(id_type, raw, today=TODAY)
    except InvalidIdNumber:
        return
    assert check_document(id_type, number, today=TODAY) == number


@pytest.mark.parametrize(
    ("field", "digit"),
    [("L898902C3", "6"), ("740812", "2"), ("E12345678", "2"), ("900307", "1"), ("<<<", "0")],
)
def test_the_machine_readable_zone_has_its_check_digit(field: str, digit: str) -> None:
    assert mrz_check_digit(field) == digit


CREDIT_CODES = [
    "91460100MA5T0ABC8D",
    "91460000MA5TK7Q22J",
    "92460100MA5RH3K92G",
    "52460000MJ0A1B2C54",
    "11460000MB1A2B3CXT",
    "12460200MB9X8Y7WXK",
    "11420503087246977F",
    "11110000000021135M",
    "11430000006122244L",
    "12441500196720244T",
    "11370800MB28559184",
    "11330105002500287C",
    "11100000000013338W",
    "11100000000013661B",
]


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_a_credit_code_passes_both_checks(code: str) -> None:
    parsed = parse_credit_code(f" {code.lower()} ")
    assert parsed.code == code
    assert (parsed.department, parsed.category, parsed.division) == (code[0], code[1], code[2:8])
    assert credit_check_character(code[:17]) == code[17]
    assert organisation_check_character(parsed.organisation[:8]) == parsed.organisation[8]


@given(
    st.sampled_from(CREDIT_CODES), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXYIOSVZ")
)
def test_any_wrong_character_of_a_credit_code_is_found(code: str, position: int, character: str) -> None:
    if character != code[position]:
        with pytest.raises(InvalidCreditCode):
            parse_credit_code(code[:position] + character + code[position + 1 :])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("91460100MA5T0ABC8", "length"),
        ("91460100MA5T0ABC8Z", "character"),
        ("9146O100MA5T0ABC8D", "character"),
        ("91460A00MA5T0ABC8D", "character"),
        ("91460100MA5T0ABC8E", "check-digit"),
    ],
)
def test_a_wrong_credit_code_is_refused_with_its_reason(raw: str, reason: str) -> None:
    with pytest.raises(InvalidCreditCode) as refusal:
        parse_credit_code(raw)
    assert refusal.value.reason == reason


def test_a_credit_code_with_a_wrong_organisation_check_is_refused() -> None:
    first17 = "91460100MA5T0ABC9"
    with pytest.raises(InvalidCreditCode):
        parse_credit_code(first17 + credit_check_character(first17))


@pytest.mark.parametrize(
    "raw",
    [
        "13800138000",
        " 138 0013 8000",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "008613800138000",
        "１３８００１３８０００",
    ],
)
def test_a_mobile_number_is_kept_as_eleven_digits(raw: str) -> None:
    assert normalise_mobile(raw) == "13800138000"


@pytest.mark.parametrize(
    "raw", ["12800138000", "1380013800", "138001380000", "", "+1 202 555 0100", "1380013800٧"]
)
def test_what_is_no_mobile_number_is_refused(raw: str) -> None:
    with pytest.raises(InvalidMobile):
        normalise_mobile(raw)


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        (date(2007, 11, 2), date(2025, 11, 1), 17),
        (date(2007, 11, 1), date(2025, 11, 1), 18),
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
        (date(2004, 2, 29), date(2024, 2, 29), 20),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_age_in_full_years(birth: date, day: date, years: int) -> None:
    assert age_on(birth, day) == years


@given(birth_dates, st.integers(0, 120))
def test_the_birthday_is_the_first_day_of_the_age(birth: date, years: int) -> None:
    day = birthday(birth, years)
    assert age_on(birth, day) == years
    assert years == 0 or age_on(birth, date.fromordinal(day.toordinal() - 1)) == years - 1
