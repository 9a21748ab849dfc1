"""异地就医: what the insurance pays of a bill from another province, by what the registers say of both.

Source: docs/domain.md §9; the formula is in medical_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.db import database
from haiyiban.identity import persons
from haiyiban.registers import Question, RegisterAnswer, RegisterName
from services.cross_province.medical_rules import Shares, is_filed, settle

ASKED: tuple[RegisterName, ...] = ("medical_bills", "medical_policy")
State = Literal["settled", "not_filed", "unknown"]
"""settled: reckoned by the policy; not_filed: no filing covers place and days, so the insured place settles
by hand; unknown: the policy could not be asked, or the register knows of none."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A bill with what follows from it; `shares` None where nothing can be reckoned."""

    bill: dict[str, Any]
    state: State
    shares: Shares | None


def reckon(bills: RegisterAnswer, policy: RegisterAnswer) -> list[Reckoned]:
    """Every bill of the register, newest first, with what the insurance pays."""
    if bills.state != "known":
        return []
    found = sorted(bills.data["bills"], key=lambda bill: (bill["until"], bill["number"]), reverse=True)
    return [_reckoned(bill, policy) for bill in found]


def _reckoned(bill: dict[str, Any], policy: RegisterAnswer) -> Reckoned:
    if policy.state != "known" or bill["outsideFen"] > bill["totalFen"]:
        return Reckoned(bill, "unknown", None)
    said = policy.data
    if not is_filed(said["filings"], division=bill["division"], begun_on=date.fromisoformat(bill["from"])):
        return Reckoned(bill, "not_filed", None)
    shares = settle(
        total_fen=bill["totalFen"],
        outside_fen=bill["outsideFen"],
        deductible_fen=said["deductibleFen"],
        ratio_percent=said["ratioPercent"],
        cap_fen=said["capFen"],
    )
    return Reckoned(bill, "settled", shares)


async def ask(session: AsyncSession, person_id: UUID) -> dict[RegisterName, RegisterAnswer]:
    """What both registers say of a person; what was read is audited."""
    async with database().reading() as look:
        person = await persons.get(look, person_id)
        number, kind = person.id_number, person.id_type
    answers = await registers.current().ask_many({name: Question(name, number, kind) for name in ASKED})
    for name, answer in answers.items():
        if answer.state == "known":
            await audit.record(
                session,
                "registers.read",
                subject=person_id,
                object_kind="person",
                object_id=person_id,
                fields=answer.fields,
                reason=f"cross-province.medical-settlements: {name}",
            )
    return answers
