"""The kinds of text that our forms know beside JSON Schema's own: `"format": "id-number"` and its like.

Source: docs/domain.md §1.1 (identity numbers), §1.3 (credit codes), §1.4 (mobiles), §2 (divisions).
"""

import re
from collections.abc import Callable
from datetime import date
from uuid import UUID

from haiyiban import divisions
from haiyiban.credit_codes import InvalidCreditCode, parse_credit_code
from haiyiban.residents import (
    InvalidIdNumber,
    InvalidMobile,
    normalise_mobile,
    parse_identity_number,
)

Checker = Callable[[str], bool]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def formats(today: Callable[[], date]) -> dict[str, Checker]:
    """A checker for each format. `today` is asked at each check: nobody was born tomorrow."""

    def is_id_number(text: str) -> bool:
        try:
            # A number of 15 digits ended with the cards before 1999 and would be upgraded, not kept as typed.
            return len(text.strip()) == 18 and bool(parse_identity_number(text, today=today()))
        except InvalidIdNumber:
            return False

    return {
        # Whose certificate it is and whether it holds is known where certificates are: handing in says so.
        "certificate": is_uuid,
        "date": is_date,
        "division": is_division,
        "id-number": is_id_number,
        "mobile": is_mobile,
        "uscc": is_uscc,
        "uuid": is_uuid,
    }


def is_date(text: str) -> bool:
    """A real day, written 2024-06-01."""
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def is_division(text: str) -> bool:
    """A division of Hainan, retired codes included."""
    return divisions.find(text) is not None


def is_mobile(text: str) -> bool:
    """A mainland mobile number, with or without +86 and blanks."""
    try:
        return bool(normalise_mobile(text))
    except InvalidMobile:
        return False


def is_uscc(text: str) -> bool:
    """A unified social credit code (统一社会信用代码) with right check characters."""
    try:
        return bool(parse_credit_code(text))
    except InvalidCreditCode:
        return False


def is_uuid(text: str) -> bool:
    """An id of ours, in its usual writing."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
