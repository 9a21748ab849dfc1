"""Whom a case is about: the applicant, or a child that the registers know as theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from haiyiban import residents
from haiyiban.cases.handlers import Applicant, Child, Finding, handler_of
from haiyiban.cases.models import Case
from haiyiban.delegations.family import relatives_of
from haiyiban.errors import FieldError, NotAllowed, Problem, Words
from haiyiban.matters.matter import Matter

NUMBER: Final = "/child/idNumber"
"""Where a form says which child it is about."""
_REFUTED: Final = "not-your-child"


class NotYourChild(NotAllowed):
    """The registers do not know this child as the applicant's."""

    type = "cases/not-your-child"
    title = Words("登记信息中没有找到您与这名儿童的监护关系", "The registers do not show this child as yours")


class NobodyPossible(Problem):
    """None of the applicant's children can have this case."""

    type = "cases/nobody-possible"
    title = Words("没有符合本事项条件的子女", "None of your children qualifies for this matter")


class SubjectNeeded(Problem):
    """A register does not answer, so the applicant must say whom the case is about."""

    type = "cases/subject-needed"
    title = Words(
        "暂时查不到您的子女信息，请填写儿童身份证号后继续",
        "The register cannot be asked now; please give the child's number to go on",
    )


class InvalidNumber(Problem):
    """The identity number cannot exist."""

    type = "cases/invalid-id-number"
    title = Words("证件号码不正确", "This is not a valid identity number")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom a case about a child is about."""

    child: Child | None
    """None where the applicant must choose among `choices`."""
    choices: Sequence[Child] = ()
    is_confirmed: bool = True
    """False where no register could say whose child it is: nothing about the child is asked or shown then."""


@dataclass(frozen=True, slots=True)
class Family:
    """The children whom the registers know as an applicant's."""

    children: Sequence[Child]
    is_complete: bool
    """False where a register could not be asked: who is not among them may still be theirs."""

    def find(self, number: str) -> Chosen | None:
        """The child of a number; None for somebody who certainly is no child of theirs."""
        for child in self.children:
            if child.id_number == number:
                return Chosen(child)
        return None if self.is_complete else Chosen(Child("", number), is_confirmed=False)


async def family_of(applicant: Applicant) -> Family:
    """The applicant's children, as the registers of births and households know them; a grandparent applies as
    guardian for the grandchild in the same booklet."""
    relatives = await relatives_of(applicant.id_number, id_type=applicant.id_type)
    children = [Child(one.name, one.id_number) for one in relatives.of_kin("child", "grandchild")]
    return Family(children, relatives.is_complete)


async def choose(matter: Matter, applicant: Applicant, wanted: str | None, *, at: str, today: date) -> Chosen:
    """The child of a case: the one that is wanted, else the only one possible, else a choice of several.

    `at`: the pointer of the request that says who is wanted. Raises InvalidNumber, NotYourChild,
    NobodyPossible, SubjectNeeded.
    """
    number = None if wanted is None else _parse(wanted, at, today=today)
    family = await family_of(applicant)
    handler = handler_of(matter.code)
    possible = handler.possible(family.children, today=today) if handler else family.children
    if number is not None:
        chosen = family.find(number)
        if chosen is None:
            raise NotYourChild
        if handler is not None and chosen.is_confirmed and chosen.child not in possible:
            assert chosen.child is not None, "it was found by its number"
            raise NobodyPossible(errors=[FieldError(at, handler.why_not(chosen.child, today=today))])
        return chosen
    if not possible:
        if not family.is_complete:
            raise SubjectNeeded
        only = family.children[0] if len(family.children) == 1 else None
        raise NobodyPossible(handler.why_not(only, today=today) if handler and only else None)
    return Chosen(possible[0]) if len(possible) == 1 else Chosen(None, possible)


def refute(case: Case) -> None:
    """The registers say, late, that the child is not the applicant's: the clerk sees it, and the child's
    place is free for those whose child it is."""
    finding = Finding(code=_REFUTED, words=NotYourChild.title, pointer=NUMBER, level="warns")
    case.claim = None
    case.findings = [*case.findings, finding.document()]


def is_refuted(case: Case) -> bool:
    """Whether the registers have denied that the child is the applicant's."""
    return any(finding["code"] == _REFUTED for finding in case.findings)


def _parse(raw: str, at: str, *, today: date) -> str:
    try:
        return residents.parse_identity_number(raw, today=today).number
    except residents.InvalidIdNumber as error:
        raise InvalidNumber(errors=[FieldError(at, error.words)]) from None
