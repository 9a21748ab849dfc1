"""Unified social credit codes (统一社会信用代码): what an organisation is known by.

Source: GB 32100-2015, GB 11714-1997; docs/domain.md §1.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from haiyiban.errors import Words
from haiyiban.residents import LETTERS_AND_DIGITS, InvalidNumber, normalise_id_number, weighted_sum

CREDIT_CODE = "uscc"
"""The kind of document that a legal person is known by; a natural person's has a code of GA/T 2000.156."""

_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


class InvalidCreditCode(InvalidNumber):
    """A unified social credit code that cannot be right."""

    explanations: ClassVar = {
        "length": Words("统一社会信用代码是 18 位，请对照执照填写", "The credit code has 18 characters"),
        "character": Words(
            "统一社会信用代码只有数字和大写字母，没有 I、O、S、V、Z",
            "The credit code has digits and capital letters only, and never I, O, S, V or Z",
        ),
        "check-digit": Words(
            "统一社会信用代码有一位填错了，请对照执照逐位检查",
            "One character of the credit code is wrong; compare it with the licence",
        ),
    }


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A unified social credit code (统一社会信用代码) taken apart.

    `department` registers it (1 机构编制, 5 民政, 9 市场监管 ...), `category` is its kind within that,
    `division` is where it was registered, `organisation` the nine characters of GB 11714.
    """

    code: str
    department: str
    category: str
    division: str
    organisation: str


def parse_credit_code(raw: str) -> CreditCode:
    """Take apart a unified social credit code; both its check characters must be right.

    `InvalidCreditCode`: length, character, check-digit.
    """
    code = normalise_id_number(raw)
    if len(code) != 18:
        raise InvalidCreditCode("length")
    if not set(code) <= set(_CHARACTERS) or not code[2:8].isdigit():
        raise InvalidCreditCode("character")
    if credit_check_character(code[:17]) != code[17] or organisation_check_character(code[8:16]) != code[16]:
        raise InvalidCreditCode("check-digit")
    return CreditCode(
        code=code, department=code[0], category=code[1], division=code[2:8], organisation=code[8:17]
    )


def credit_check_character(first17: str) -> str:
    """The last character of a unified social credit code (GB 32100-2015)."""
    return _CHARACTERS[-weighted_sum(first17, _WEIGHTS, _CHARACTERS) % 31]


def organisation_check_character(first8: str) -> str:
    """The ninth character of an organisation code (GB 11714-1997), X for ten."""
    return "0123456789X"[-weighted_sum(first8, _ORGANISATION_WEIGHTS, LETTERS_AND_DIGITS) % 11]
