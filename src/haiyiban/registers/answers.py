"""What a register answered, with who said so and when: known, absent (asked: nothing there) or unknown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from haiyiban.forms import MISSING, get
from haiyiban.registers.sources import RegisterName
from haiyiban.residents import IdType

State = Literal["known", "absent", "unknown"]


class Question(NamedTuple):
    """Ask one register about one person."""

    register: RegisterName
    id_number: str
    id_type: str = IdType.RESIDENT_ID_CARD


class Fact(msgspec.Struct, frozen=True):
    """One fact about a person and where it comes from."""

    value: Any
    """None unless known."""
    state: State
    """unknown: the register could not be asked (待核实); it never means no."""
    source: str
    """Who said so, in Chinese, as the register calls itself."""
    at: datetime
    """As of when the register says so; of an unknown fact, when it was last asked."""


class RegisterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that one register says about one person."""

    register: RegisterName
    state: State
    source: str
    at: datetime
    data: dict[str, Any] = {}
    """camelCase, dates as ISO text, shaped as in `records`; empty unless known."""

    @property
    def fields(self) -> list[str]:
        """Names of what was read, such as `property.homes`, for the audit record of the reading."""
        return [f"{self.register}.{name}" for name in sorted(self.data)]

    def fact(self, pointer: str) -> Fact:
        """The fact at a JSON pointer, such as `/hukou/division`; absent where the register holds none."""
        if self.state == "unknown":
            return Fact(None, "unknown", self.source, self.at)
        value = get(self.data, pointer)
        if value is MISSING or value is None:
            return Fact(None, "absent", self.source, self.at)
        return Fact(value, "known", self.source, self.at)
