"""What a counter and a desk say, and what they must know before an application is taken in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from haiyiban import clock, residents
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.wire import Input
from services.cross_province.controllers import Code


class InvalidIntake(Problem):
    """What a counter must know before it takes an application in."""

    type = "cross-province/invalid-intake"
    title = Words("请补全收件信息", "Please complete what the counter must know")


class PaperSeen(Input):
    """A paper that the clerk saw: what it is, and the hash of its scan where there is one."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None


class CounterCaseCreate(Input):
    """An application taken in at a counter for somebody who stands there (异地代收代办)."""

    division: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}0000$")]
    matter: Code
    version: int
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    id_number: Annotated[str, msgspec.Meta(min_length=1, max_length=18)]
    phone: str
    identity_checked: bool
    """The clerk has compared the person with the identity card: the receiving place answers for it."""
    form: dict[str, Any]
    papers: Annotated[list[PaperSeen], msgspec.Meta(max_length=50)] = []


class JointDecisionCreate(Input):
    """Our part of a joint decision; an objection says why."""

    agrees: bool
    opinion: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ExpressCreate(Input):
    """The number under which originals are on their way to the handling place."""

    express: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9]{5,40}$")]


def checked(data: CounterCaseCreate) -> str:
    """The identity number, once the counter has done its part. Raises InvalidIntake with every fault."""
    errors = []
    number = ""
    if not data.identity_checked:
        words = Words("请先核对本人与身份证一致", "Compare the person with the identity card first")
        errors.append(FieldError("/identityChecked", words))
    try:
        number = residents.parse_identity_number(data.id_number, today=clock.today()).number
    except residents.InvalidIdNumber as error:
        errors.append(FieldError("/idNumber", error.words))
    if not data.name.strip():
        errors.append(FieldError("/name", Words("请填写姓名", "The name is needed")))
    if errors:
        raise InvalidIntake(errors=errors)
    return number
