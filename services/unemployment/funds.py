"""The funds of the other provinces: where the money goes that moves with somebody.

Source: schemas/zones/unemployment/funds.v1.json.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from haiyiban import resources
from haiyiban.bilingual import Text


class Fund(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One province's fund. `payee` is the account's holder, which the bank compares."""

    division: Annotated[str, Meta(pattern=r"^[0-9]{6}\Z")]
    name: Text
    payee: str
    account: Annotated[str, Meta(pattern=r"^[0-9]{12,32}\Z")]


class _File(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    id: str
    source: str
    funds: tuple[Fund, ...]


@cache
def funds() -> dict[str, Fund]:
    """Every other province's fund by its division."""
    path = resources.schemas() / "zones" / "unemployment" / "funds.v1.json"
    return {fund.division: fund for fund in msgspec.json.decode(path.read_bytes(), type=_File).funds}
