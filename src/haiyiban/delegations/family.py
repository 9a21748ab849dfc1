"""Who is whose parent and child, as the registers of births and households know it: the one proof of family
that everything uses.

Source: docs/domain.md §1.6 (亲属绑定: 户口簿, 出生医学证明), §6.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from haiyiban import registers
from haiyiban.registers import RegisterAnswer
from haiyiban.residents import IdType

Kin = Literal["child", "grandchild", "parent"]


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody whom the registers know as a person's."""

    name: str
    id_number: str
    kin: Kin


@dataclass(frozen=True, slots=True)
class Relatives:
    """The parents, children and grandchildren of one person."""

    known: Sequence[Relative]
    is_complete: bool
    """False where a register could not be asked: who is not among them may still be theirs."""

    def of_kin(self, *kin: Kin) -> list[Relative]:
        """Those who are this to the person."""
        return [one for one in self.known if one.kin in kin]

    def find(self, id_number: str, *kin: Kin) -> Relative | None:
        """The one of a number, if they are this to the person."""
        return next((one for one in self.of_kin(*kin) if one.id_number == id_number), None)


async def relatives_of(id_number: str, *, id_type: str = IdType.RESIDENT_ID_CARD) -> Relatives:
    """Ask the registers of births and households, before any transaction."""
    client = registers.current()
    birth, household = await asyncio.gather(
        client.ask("birth", id_number, id_type), client.ask("household", id_number, id_type)
    )
    return Relatives(_read(birth, household), "unknown" not in (birth.state, household.state))


def _read(birth: RegisterAnswer, household: RegisterAnswer) -> list[Relative]:
    found: dict[str, Relative] = {}
    born: dict[str, Kin] = {"children": "child", "parents": "parent"}
    for member, kin in born.items():
        for row in birth.data.get(member, ()):
            found[row["idNumber"]] = Relative(row["name"], row["idNumber"], kin)
    for row in household.data.get("members", ()):
        if row["relation"] in {"child", "grandchild", "parent"}:
            found.setdefault(row["idNumber"], Relative(row["name"], row["idNumber"], row["relation"]))
    return list(found.values())
