"""Filling in a draft: merge patches, and saying that a register is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import access, choosing
from haiyiban.cases.access import Seen
from haiyiban.cases.choosing import Choice
from haiyiban.cases.models import Case
from haiyiban.cases.moves import standing
from haiyiban.cases.opening import handling_division
from haiyiban.cases.states import IllegalMove, State
from haiyiban.cases.subjects import NUMBER
from haiyiban.clock import local_date
from haiyiban.delegations import Actor
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.forms import FormSchema, changed_pointers, merge_patch, overlapping
from haiyiban.matters import catalogue

_REASON_LENGTH_MOST: Final = 500


class FieldFromRegister(Problem):
    """The field holds a register's value; to change it, dispute it with a reason."""

    type = "cases/field-from-register"
    title = Words(
        "该内容来自政府数据，不能直接修改；如有误，请说明「不对」的原因",
        "This value comes from a register; to change it, say what is wrong with it",
    )


class InvalidForm(Problem):
    """Fields that cannot be kept or submitted; every one is listed."""

    type = "cases/invalid-form"
    title = Words("有内容需要修改", "Some fields need your attention")


async def patch(
    session: AsyncSession,
    case_id: UUID,
    *,
    actor: Actor,
    form: dict[str, Any],
    disputes: Mapping[str, str],
    choice: Choice | None,
    seen: Seen,
    now: datetime,
) -> Case:
    """Change the draft. `choice`: the child that the patch has chosen, if any.

    Raises CaseMissing, Stale, VersionConflict, IllegalMove, FieldFromRegister, InvalidForm.
    """
    case = await access.own_for_change(session, case_id, actor, today=local_date(now), seen=seen)
    if case.state not in {State.DRAFT, State.CORRECTION_REQUESTED}:
        raise IllegalMove(members=standing(case))
    if choice is not None:
        await choosing.settle(session, case, choice)
        form = choice.patch(form)
    schema = schema_of(case)
    _take_disputes(case, schema, disputes)
    changed_form: Any = merge_patch(case.form, form)
    changed = changed_pointers(case.form, changed_form)
    # A patch that repeats a masked value is a change like any other: the server never takes masks back.
    if touched := overlapping(changed, case.locked):
        raise FieldFromRegister(errors=[FieldError(at, FieldFromRegister.title) for at in sorted(touched)])
    if errors := _another_child(case, changed) + schema.validate_draft(changed_form):
        raise InvalidForm(errors=errors)
    case.form = changed_form
    case.prefill = _no_longer_from(case.prefill, changed)
    case.division = handling_division(catalogue().version(case.matter, case.matter_version), case.form)
    case.version += 1
    case.updated_at = now
    await audit.record(
        session,
        "cases.patch",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        fields=sorted(changed | set(disputes)),
    )
    return case


def schema_of(case: Case) -> FormSchema:
    """The form that the case was opened with."""
    return FormSchema.load(catalogue().version(case.matter, case.matter_version).form)


def _another_child(case: Case, changed: Collection[str]) -> list[FieldError]:
    """The case would name one child and be another's. `choosing` has handled what may be chosen."""
    if NUMBER not in changed or catalogue().version(case.matter, case.matter_version).subject != "child":
        return []
    words = Words("不能换成另一名儿童，请为另一名儿童单独申请", "For another child, please open another case")
    return [FieldError(NUMBER, words)]


def _no_longer_from(prefill: dict[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """The applicant has written something else than the source says; the clerk sees both facts."""
    written = overlapping(changed, prefill)
    return {
        at: origin | {"state": "differs"} if at in written and origin["state"] == "known" else origin
        for at, origin in prefill.items()
    }


def _take_disputes(case: Case, schema: FormSchema, disputes: Mapping[str, str]) -> None:
    """A disputed field is unlocked; the clerk sees the register's source and the applicant's reason."""
    earlier: dict[str, str] = case.disputes or {}
    errors = []
    for at, reason in disputes.items():
        if not _covered(at, case.locked) and at not in earlier:
            words = Words(
                "这一项不是政府数据，可以直接修改", "This is not a register's value; just change it"
            )
            errors.append(FieldError(at, words))
        elif not 0 < len(reason.strip()) <= _REASON_LENGTH_MOST or not schema.knows(at):
            words = Words("请用 500 字以内说明哪里不对", "Say in up to 500 characters what is wrong")
            errors.append(FieldError(at, words))
    if errors:
        raise InvalidForm(errors=errors)
    if disputes:
        case.disputes = earlier | {at: reason.strip() for at, reason in disputes.items()}
        case.locked = [locked for locked in case.locked if not any(_covered(at, [locked]) for at in disputes)]


def _covered(at: str, locked: Collection[str]) -> bool:
    return any(at == outer or at.startswith(f"{outer}/") for outer in locked)
