"""The identifier of a certificate (证照标识): who defined its type, who issued it, which one, which version.

`1.2.156.3005.2.<type 21>.<issuer 18>.<serial>.<version 3>.<check>`. A correction keeps the serial and counts
the version up, so two versions of one certificate are recognised as such by anybody.

Source: GB/T 36904-2018, ISO/IEC 7064 MOD 37,36; docs/domain.md §4.1.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Self

ROOT = "1.2.156.3005.2"
VERSION_MOST = 999
SERIAL_LENGTH = 20

_VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_CHARACTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0, 1, I, L and O: people read serials out on the telephone."""

_TEXT = re.compile(
    re.escape(ROOT) + r"\.([0-9A-Z]{18}[0-9]{3})\.([0-9A-Z]{18})\.([0-9A-Z]{1,40})\.([0-9]{3})\.([0-9A-Z])",
    re.ASCII,
)


class InvalidIdentifier(ValueError):
    """A text that is no certificate identifier, or whose check character is wrong."""


def check_character(body: str) -> str:
    """The last character of an identifier over its other parts, without the root and the dots.

    Raises InvalidIdentifier for anything but digits and capital letters.
    """
    if not set(body) <= set(_VALUES):
        raise InvalidIdentifier("only digits and capital letters")
    product = 36
    for character in body:
        product = (product + _VALUES.index(character)) % 36 or 36
        product = product * 2 % 37
    return _VALUES[(1 - product) % 36]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A certificate identifier (证照标识) by its parts; `str()` writes it with its check character."""

    type_code: str
    """证照类型代码: credit code of the body that defines the type, and a serial of three digits."""
    issuer_code: str
    """统一社会信用代码 of the issuer."""
    serial: str
    version: int

    def __post_init__(self) -> None:
        if not 1 <= self.version <= VERSION_MOST:
            raise InvalidIdentifier("a version is between 1 and 999")
        if not _TEXT.fullmatch(str(self)):
            raise InvalidIdentifier("a part has the wrong length or characters")

    def __str__(self) -> str:
        parts = (self.type_code, self.issuer_code, self.serial, f"{self.version:03}")
        return ".".join((ROOT, *parts, check_character("".join(parts))))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identifier. Raises InvalidIdentifier."""
        match = _TEXT.fullmatch(text)
        if match is None or match[5] != check_character("".join(match.group(1, 2, 3, 4))):
            raise InvalidIdentifier("not a certificate identifier")
        return cls(type_code=match[1], issuer_code=match[2], serial=match[3], version=int(match[4]))


def new_serial() -> str:
    """A serial for a new certificate: random, so that it tells neither the day nor how many there are."""
    return "".join(secrets.choice(_SERIAL_CHARACTERS) for _ in range(SERIAL_LENGTH))
