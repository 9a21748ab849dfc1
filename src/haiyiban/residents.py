"""What a person is known by: identity documents, mobile numbers, age.

Everything here is checked by shape and check character only; whether the holder exists is the population
register's to say. A number that cannot be right is refused with an `Invalid...` error, whose `reason` is the
word on the wire and whose `words` tell the person what to do. Neither repeats the number.

Source: GB 11643-1999, GA/T 2000.156, ICAO Doc 9303; docs/domain.md §1.1, §1.2, §1.4, §8.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import mul
from typing import ClassVar, Literal

from haiyiban import divisions
from haiyiban.errors import Words

Sex = Literal["male", "female"]

ADULT_YEARS = 18
LONGEST_LIFE_YEARS = 150

_DIGITS = "0123456789"
LETTERS_AND_DIGITS = _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_PROVINCES = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71)
)
_PERMIT_PLACES = frozenset({"810000", "820000", "830000"})

_TYPED = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {"\u3000": " "}
    | {chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)}
    | {chr(code): chr(code - 0xFEE0 - 32) for code in range(0xFF41, 0xFF5B)}
)
"""Full-width as typed on a Chinese keyboard → ASCII; small letters → capitals. ASCII only, so that nothing
outside it turns into a digit or changes its length."""


class IdType(StrEnum):
    """Kinds of identity document (证件类型), by the codes of GA/T 2000.156.

    The list gives no number that we have seen for the birth certificate (出生医学证明), so it has a word.
    """

    RESIDENT_ID_CARD = "111"
    TEMPORARY_ID_CARD = "112"
    RESIDENCE_PERMIT = "154"
    PASSPORT = "414"
    TAIWAN_PASS = "511"  # noqa: S105
    HK_MACAO_PASS = "516"  # noqa: S105
    PERMANENT_RESIDENCE_CARD = "553"
    BIRTH_CERTIFICATE = "birth-certificate"


class InvalidNumber(ValueError):
    """A number that cannot be right, with the reason and words for the person who typed it."""

    explanations: ClassVar[dict[str, Words]]

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.words = self.explanations[reason]


class InvalidIdNumber(InvalidNumber):
    """An identity document number that cannot be right."""

    explanations: ClassVar = {
        "length": Words(
            "证件号码位数不对，居民身份证是 18 位，请对照证件重新填写",
            "The number has the wrong length; a resident identity card has 18 characters. Check your card",
        ),
        "character": Words(
            "证件号码里有不该出现的字符，身份证前 17 位是数字，最后一位是数字或 X",
            "The number holds a character it cannot have; 17 digits, then a digit or X",
        ),
        "birth-date": Words(
            "证件号码里的出生日期不存在，请检查第 7 到 14 位",
            "The birth date in the number does not exist; check characters 7 to 14",
        ),
        "future": Words(
            "证件号码里的出生日期还没有到，请检查第 7 到 14 位",
            "The birth date in the number lies in the future; check characters 7 to 14",
        ),
        "age": Words(
            "证件号码里的出生日期太早，请检查第 7 到 14 位",
            "The birth date in the number is too long ago; check characters 7 to 14",
        ),
        "check-digit": Words(
            "证件号码有一位填错了，请对照证件逐位检查",
            "One character of the number is wrong; compare it with your document",
        ),
        "type": Words(
            "这个号码不属于所选的证件类型，请重新选择证件类型",
            "This number belongs to another kind of document; choose the kind again",
        ),
        "format": Words(
            "证件号码格式不对，请对照证件重新填写",
            "The number does not look like one of this kind of document; check your document",
        ),
    }


class InvalidMobile(InvalidNumber):
    """A mobile number that cannot be right."""

    explanations: ClassVar = {
        "format": Words(
            "请填写 11 位手机号码", "Please give a mobile number of mainland China with 11 digits"
        ),
    }


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """An identity number (公民身份号码) taken apart.

    `warnings` never refuse anybody: `address-code` (the first six digits name no place that we know; codes
    are retired and people move) and `upgraded` (given with 15 digits, as on cards before 1999).
    """

    number: str
    address_code: str
    birth: date
    sex: Sex
    sequence: str
    warnings: tuple[str, ...] = ()


def normalise_id_number(raw: str) -> str:
    """The number as the card prints it: no blanks around, ASCII, capital letters."""
    return raw.translate(_TYPED).strip()


def parse_identity_number(raw: str, *, today: date) -> IdentityNumber:
    """Take apart an 18-digit identity number; one of 15 digits is upgraded first.

    Residence permits of people from Hong Kong, Macao and Taiwan and the permanent residence cards since
    2023-12 share the layout and the check. `InvalidIdNumber`: length, character, birth-date, future, age,
    check-digit, looked for in this order, so that the person hears of the digits to look at.
    """
    number = normalise_id_number(raw)
    warnings = []
    if len(number) == 15 and _is_digits(number):
        number = upgrade(number)
        warnings.append("upgraded")
    if len(number) != 18:
        raise InvalidIdNumber("character" if len(number) == 15 else "length")
    if not _is_digits(number[:17]) or number[17] not in "0123456789X":
        raise InvalidIdNumber("character")
    birth = _birth_date(number[6:14], today=today)
    if resident_check_digit(number[:17]) != number[17]:
        raise InvalidIdNumber("check-digit")
    if not _is_known_place(number[:6]):
        warnings.append("address-code")
    sequence = number[14:17]
    return IdentityNumber(
        number=number,
        address_code=number[:6],
        birth=birth,
        sex="male" if int(sequence) % 2 else "female",
        sequence=sequence,
        warnings=tuple(warnings),
    )


def upgrade(number: str) -> str:
    """The 18 digits of a number with 15 (issued before 1999): the century put in, the check added."""
    first17 = number[:6] + "19" + number[6:]
    return first17 + resident_check_digit(first17)


def resident_check_digit(first17: str) -> str:
    """The last character of an identity number (ISO 7064 MOD 11-2), X for ten."""
    return resident_check_character(resident_weighed(first17))


def resident_weighed(digits: str, begin: int = 0) -> int:
    """What digits of an identity number add to its weighted sum; `begin`: how many stand before them."""
    return sum(map(mul, _RESIDENT_WEIGHTS[begin:], map(int, digits)))


def resident_check_character(weighed: int) -> str:
    """The last character for a weighted sum of the 17 before it."""
    return "10X98765432"[weighed % 11]


def check_document(id_type: IdType, raw: str, *, today: date) -> str:
    """The number of a document of a given kind as it is kept; `InvalidIdNumber` where it cannot be one.

    Chinese and foreign passports are told apart by the issuing state, not by the number, so that any
    passport's shape is taken.
    """
    number = normalise_id_number(raw)
    shape = _SHAPES.get(id_type)
    if shape is not None and shape.fullmatch(number):
        return number
    if shape is not None and id_type is not IdType.PERMANENT_RESIDENCE_CARD:
        raise InvalidIdNumber("format")
    identity = parse_identity_number(number, today=today)
    if _kind_of(identity.number) is not _KINDS.get(id_type, id_type):
        raise InvalidIdNumber("type")
    return identity.number


def mrz_check_digit(field: str) -> str:
    """The check digit of a field in a passport's machine-readable zone; `<` fills and counts as 0."""
    weights = [(7, 3, 1)[position % 3] for position in range(len(field))]
    return str(weighted_sum(field.replace("<", "0"), weights, LETTERS_AND_DIGITS) % 10)


def normalise_mobile(raw: str) -> str:
    """Eleven digits of a mainland mobile (手机号), without +86, blanks and dashes; `InvalidMobile` otherwise.

    Number segments say nothing for certain and are never a ground to refuse.
    """
    number = re.sub(r"[\s-]", "", raw.translate(_TYPED))
    number = re.sub(r"^(?:\+86|0086)", "", number)
    if not re.fullmatch(r"1[3-9]\d{9}", number, re.ASCII):
        raise InvalidMobile("format")
    return number


def weighted_sum(text: str, weights: Iterable[int], alphabet: str) -> int:
    """What check characters are made of: each character's place in the alphabet times its weight, summed.

    `ValueError` for a character outside the alphabet or another length than the weights.
    """
    return sum(alphabet.index(character) * weight for character, weight in zip(text, weights, strict=True))


def age_on(birth: date, day: date) -> int:
    """Full years (周岁) on a day. Born on 29 February, one is a year older on 1 March of a common year."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def birthday(birth: date, years: int) -> date:
    """The first day on which a person is so many full years old."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


_SHAPES = {
    IdType.PASSPORT: re.compile(r"(?=.*\d)[A-Z0-9]{5,15}", re.ASCII),
    IdType.TAIWAN_PASS: re.compile(r"\d{8}", re.ASCII),
    IdType.HK_MACAO_PASS: re.compile(r"[HM]\d{8}(?:\d{2})?", re.ASCII),
    IdType.PERMANENT_RESIDENCE_CARD: re.compile(r"[A-Z]{3}\d{12}", re.ASCII),
    IdType.BIRTH_CERTIFICATE: re.compile(r"[A-Z]\d{9}", re.ASCII),
}
"""Documents without the 18-digit number; the permanent residence card had three letters until 2023-11 and
stays valid to its expiry. Layouts beyond these are uncertain and not checked. Source: docs/domain.md §1.2."""

_KINDS = {IdType.TEMPORARY_ID_CARD: IdType.RESIDENT_ID_CARD}


def _kind_of(number: str) -> IdType:
    if number[0] == "9":
        return IdType.PERMANENT_RESIDENCE_CARD
    return IdType.RESIDENCE_PERMIT if number[:6] in _PERMIT_PLACES else IdType.RESIDENT_ID_CARD


def _is_known_place(code: str) -> bool:
    if code[0] == "9":
        return int(code[1:3]) in _PROVINCES
    if code.startswith("46"):
        return divisions.find(code) is not None
    return int(code[:2]) in _PROVINCES or code in _PERMIT_PLACES


def _birth_date(digits: str, *, today: date) -> date:
    try:
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise InvalidIdNumber("birth-date") from None
    if birth > today:
        raise InvalidIdNumber("future")
    if age_on(birth, today) > LONGEST_LIFE_YEARS:
        raise InvalidIdNumber("age")
    return birth


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
