"""Filling a form from registers by the rules of a matter file, so that an ordinary matter needs no Python.

A rule reads: `path` of what `register` answers about the applicant or the subject goes to `pointer`.
Nothing is asked here: the caller asks the registers first, in parallel and before any transaction, and
hands over what they answered.

Source: architecture.md "The plug-in contract" (what could not be asked is unknown, never no);
api.md (`prefill`, `locked`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from haiyiban.forms import MISSING, Json, get, merge_patch, put
from haiyiban.matters.matter import About, PrefillRule
from haiyiban.registers import Fact, RegisterAnswer, RegisterName

ACCOUNT: Final = "登录账号"
"""What a value that the person signed in with is said to come from."""


class Ask(NamedTuple):
    """One question: which register, about whom."""

    register: RegisterName
    about: About


class Origin(NamedTuple):
    """Where a prefilled value comes from, and when it was so."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """A form as the registers fill it.

    `unknown` are the fields whose register could not be asked (待核实): the person fills them in, the clerk
    sees them open, and a repair task asks again.
    """

    form: dict[str, Json] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    locked: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def asks(rules: Iterable[PrefillRule]) -> list[Ask]:
    """The questions that the rules need, each once; the account is not a register and is not asked."""
    return list(dict.fromkeys(Ask(rule.register, rule.about) for rule in rules if rule.register != "account"))


def fill(
    rules: Iterable[PrefillRule],
    *,
    answers: Mapping[Ask, RegisterAnswer],
    account: dict[str, Json],
    at: datetime,
) -> Prefilled:
    """The form as far as the answers go. `account` is what the applicant signed in with: `{"phone": …}`.

    A question without an answer leaves its fields unknown; a fact that a register does not hold leaves its
    field empty and open. Of two rules for one field the first that finds something wins.
    """
    form: dict[str, Json] = {}
    origins: dict[str, Origin] = {}
    locked: list[str] = []
    unknown: dict[str, None] = {}
    for rule in rules:
        fact = _fact(rule, answers, account, at)
        if rule.pointer in origins:
            continue
        if fact is None or fact.state == "unknown":
            unknown[rule.pointer] = None
        elif fact.state == "known":
            # A form has no null: a member that the register leaves empty is left out.
            form = put(form, rule.pointer, merge_patch(None, fact.value))
            origins[rule.pointer] = Origin(fact.source, fact.at)
            if rule.locked:
                locked.append(rule.pointer)
    still = tuple(pointer for pointer in unknown if pointer not in origins)
    return Prefilled(form=form, origins=origins, locked=tuple(locked), unknown=still)


def _fact(
    rule: PrefillRule, answers: Mapping[Ask, RegisterAnswer], account: dict[str, Json], at: datetime
) -> Fact | None:
    if rule.register == "account":
        value = get(account, rule.path)
        known = value is not MISSING and value is not None
        return Fact(value if known else None, "known" if known else "absent", ACCOUNT, at)
    answer = answers.get(Ask(rule.register, rule.about))
    return None if answer is None else answer.fact(rule.path)
