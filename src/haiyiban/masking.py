"""How personal data is shown to people who need to recognise it but not to know it (脱敏).

Everything counts code points: rare characters lie beyond the BMP, and one `*` stands for one character.
What has no known shape is hidden altogether.

Source: docs/domain.md §1.5.
"""

from __future__ import annotations

import re
import unicodedata

_STREET = re.compile(r"(?:[路街道号巷村栋](?=街道|镇|乡)|[^路街道号巷村栋\d])+?(?:街道|镇|乡)")
"""The shortest beginning that ends in 街道, 镇 or 乡, unless a road, a village or a number comes first;
人民路街道 and 三道镇 are townships whose own names hold such a character."""

_DISTRICT = re.compile(
    r"(?:[^省市县区]{2,8}(?:省|自治区))?"
    r"(?:[^市县区路街号\d]{2,8}[市州])?"
    r"(?:[^市县区路街号\d]{1,8}(?<![小社园校厂片景])[县区])?"
)
"""Province, city and district as far as they are written; 小区 and 园区 are homes, not districts."""

_HIDDEN_ADDRESS = "*" * 8
"""Constant, so that its length tells nothing about what is hidden."""


def mask_name(name: str) -> str:
    """A person's name: 张*, 王*浩, 欧**娜, 阿******提; Latin letters J*** S****."""
    name = name.strip()
    if len(name) <= 1:
        return "*" * len(name)
    if _is_latin(name):
        return " ".join(_keep(word, first=1, last=0) for word in name.split())
    return _keep(name, first=1, last=0 if len(name) == 2 else 1)


def mask_id_number(number: str) -> str:
    """An identity number for everyday display: 460***********0017.

    Shorter documents (passports) show one character in front and two behind, because three and four would
    give most of them away.
    """
    if len(number) in (15, 18):
        return _keep(number, first=3, last=4)
    return _keep(number, first=1, last=2)


def mask_id_number_strictly(number: str) -> str:
    """An identity number where others may read along, such as a public notice: 4****************7."""
    return _keep(number, first=1, last=1)


def mask_mobile(number: str) -> str:
    """A mobile number of 11 digits: 138****8000; anything else is hidden altogether."""
    return _keep(number, first=3, last=4) if len(number) == 11 else "*" * len(number)


def mask_bank_card(number: str) -> str:
    """A bank card: only the last four digits."""
    return _keep(number, first=0, last=4)


def mask_address(address: str) -> str:
    """An address down to its 街道 or 镇, or to the district where it names none; the rest is hidden."""
    match = _STREET.match(address) or _DISTRICT.match(address)
    return (match.group() if match else "") + _HIDDEN_ADDRESS


def _keep(text: str, *, first: int, last: int) -> str:
    """Hide all but the ends; all of it where the ends would leave less than one character hidden."""
    hidden = len(text) - first - last
    if hidden < 1:
        return "*" * len(text)
    return text[:first] + "*" * hidden + text[len(text) - last :]


def _is_latin(name: str) -> bool:
    letters = [character for character in name if character.isalpha()]
    return bool(letters) and all(unicodedata.name(character, "").startswith("LATIN") for character in letters)
