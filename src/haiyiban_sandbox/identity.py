"""Identity numbers and phones as the registers keep them, written here so that the sandbox borrows no rule
from the platform it is there to test."""

import re
from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT = "111"
WITH_CHECK_DIGIT = {RESIDENT: "", "154": "8", "553": "9"}
"""Kinds of document whose number has 18 characters as the identity card has, and what it begins with."""
OTHER_NUMBER = re.compile(r"[A-Z0-9]{5,18}")
PHONE = re.compile(r"1[3-9][0-9]{9}")
IDENTITY_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


def check_character(seventeen_digits: str) -> str:
    """Last character of an identity number. Source: GB 11643-1999, MOD 11-2; docs/domain.md §1.1."""
    total = sum(int(digit) * weight for digit, weight in zip(seventeen_digits, WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def parse_identity_number(text: str) -> str:
    """The number in its one written form. ValueError says what is wrong, without repeating the number."""
    number = text.strip().upper()
    if not IDENTITY_NUMBER.fullmatch(number):
        raise ValueError("idNumber must be 17 digits and a digit or X")
    try:
        birth_date(number)
    except ValueError as error:
        raise ValueError("idNumber holds a birth date that does not exist") from error
    if check_character(number[:17]) != number[17]:
        raise ValueError("idNumber has a wrong check digit")
    return number


def parse_number(id_type: str, text: str) -> str:
    """The number of a document of any kind in its one written form. ValueError says what is wrong."""
    number = text.strip().upper()
    begins = WITH_CHECK_DIGIT.get(id_type)
    if begins is not None and len(number) != 15:
        number = parse_identity_number(number)
        if not number.startswith(begins):
            raise ValueError("idNumber is of another kind of document")
        return number
    if id_type == RESIDENT or not OTHER_NUMBER.fullmatch(number):
        raise ValueError("idNumber cannot be of this kind of document")
    # Older passes of Hong Kong and Macao residents print two more digits, which count the cards issued.
    return number[:9] if id_type == "516" else number


def key_of(id_type: str, id_number: str) -> str:
    """What the registers keep a person under: for residents the number alone, as ever."""
    return id_number if id_type == RESIDENT else f"{id_type}:{id_number}"


def birth_date(id_number: str) -> date:
    """Digits 7 to 14."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def sex(id_number: str) -> str:
    """Digit 17: odd is male."""
    return "male" if int(id_number[16]) % 2 else "female"


def identity_number(area: str, born: date, *, sequence: int) -> str:
    """A well-formed number for a made-up person. `sequence`: 0 to 999, odd for male."""
    digits = f"{area}{born:%Y%m%d}{sequence:03d}"
    return digits + check_character(digits)


def parse_phone(text: str) -> str:
    """A mainland mobile number, freed of spaces, hyphens and +86. Source: docs/domain.md §1.4."""
    digits = re.sub(r"[\s-]", "", text)
    phone = re.sub(r"^(\+86|0086)", "", digits)
    if not PHONE.fullmatch(phone):
        raise ValueError("phone must be a mainland mobile number of 11 digits")
    return phone
