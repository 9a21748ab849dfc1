"""What operators see of the registers: each is asked a real question about nobody."""

from __future__ import annotations

from datetime import datetime

import msgspec

from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.errors import Words
from haiyiban.registers.answers import Question
from haiyiban.registers.client import current
from haiyiban.registers.sources import REGISTERS, RegisterName

NOBODY = "460000190001010004"
"""Well-formed and given to no one: what a register says to it is about its health alone."""
NO_ENTERPRISE = "914600000000000007"
"""The same for a register of enterprises."""


class RegisterHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one register is."""

    register: RegisterName
    title: Words
    is_answering: bool
    """It took our key and gave a sensible answer just now."""
    failures: int
    """Failures in a row before and including this question."""
    is_resting: bool
    """It failed so often that it is left alone for some seconds; its facts are unknown meanwhile."""
    at: datetime


async def health() -> list[RegisterHealth]:
    """How every register is now, asked in parallel. Takes 3 s at most."""
    client = current()
    answers = await client.ask_many({name: _about_nobody(name) for name in REGISTERS})
    return [
        RegisterHealth(
            register=name,
            title=REGISTERS[name].title,
            is_answering=answer.state != "unknown",
            failures=client.lines[name].circuit.failures,
            is_resting=not client.lines[name].circuit.is_closed,
            at=answer.at,
        )
        for name, answer in answers.items()
    ]


def _about_nobody(register: RegisterName) -> Question:
    """A question that the register really is asked: one about a person never reaches one of enterprises."""
    if REGISTERS[register].is_of_enterprises:
        return Question(register, NO_ENTERPRISE, CREDIT_CODE)
    return Question(register, NOBODY)
