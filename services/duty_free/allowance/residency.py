"""Whether somebody lives on the island, for picking goods up on return (返岛提取).

Residents hold an identity card of Hainan, a residence permit or social insurance there, or are foreigners
with a residence card of Hainan. Source: docs/domain.md §8.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from haiyiban import registers
from haiyiban.identity.models import Person
from haiyiban.registers import Question, RegisterAnswer, RegisterName, is_hainan
from haiyiban.residents import IdType
from services.duty_free.allowance.rules import Answer

ASKED: tuple[RegisterName, ...] = ("population", "residence_permit", "social_insurance")


class Residency(NamedTuple):
    """The answer, and the names of what was read for it."""

    answer: Answer
    read: tuple[str, ...] = ()


async def lives_on_the_island(person: Person, *, today: date) -> Residency:
    """Ask the registers about a person; unknown where one that could say yes cannot be asked.

    The person is read before, and no transaction is open. The facts themselves are not kept.
    """
    if person.id_type == IdType.PERMANENT_RESIDENCE_CARD and len(person.id_number) == 18:
        # 9, then the province that the holder applied in. Source: docs/domain.md §1.2.
        return Residency("yes" if is_hainan(person.id_number[1:3]) else "no")
    answers = await registers.current().ask_many(
        {name: Question(name, person.id_number, person.id_type) for name in ASKED}
    )
    fields = tuple(field for answer in answers.values() for field in answer.fields)
    return Residency(resident_by(answers, today=today), fields)


def resident_by(answers: Mapping[RegisterName, RegisterAnswer], *, today: date) -> Answer:
    """What the answers come to."""
    known = {name: answer.data for name, answer in answers.items() if answer.state == "known"}
    if any(_says_so(name, data, today) for name, data in known.items()):
        return "yes"
    return "unknown" if any(answer.state == "unknown" for answer in answers.values()) else "no"


def _says_so(name: RegisterName, data: Mapping[str, Any], today: date) -> bool:
    if name == "population":
        return is_hainan(data["hukou"]["division"])
    if name == "residence_permit":
        lasts = data["since"] <= today.isoformat() <= data["until"]
        # A permit without a division was asked of this province's own register.
        return lasts and is_hainan(data["division"] or "46")
    return is_hainan(data["division"]) and data["stoppedOn"] is None
