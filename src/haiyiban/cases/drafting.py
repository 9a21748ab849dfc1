"""Filling in a draft: merge patches, and saying that a register is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import access
from haiyiban.cases.models import Case
from haiyiban.cases.opening import handling_division
from haiyiban.cases.states import IllegalMove, State
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.forms import FormSchema, changed_pointers, merge_patch, overlapping
from haiyiban.matters import catalogue

_REASON_LENGTH_MOST = 500


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
    person_id: UUID,
    form: dict[str, Any],
    version: int | None,
    disputes: Mapping[str, str],
    now: datetime,
) -> Case:
    """Change the draft. Raises CaseMissing, IllegalMove, VersionConflict, FieldFromRegister, InvalidForm."""
    case = await access.own_for_change(session, case_id, person_id)
    if case.state not in {State.DRAFT, State.CORRECTION_REQUESTED}:
        raise IllegalMove(members={"state": case.state, "version": case.version})
    access.require_version(case, version)
    schema = schema_of(case)
    _take_disputes(case, schema, disputes)
    changed_form = merge_patch(case.form, form)
    touched = overlapping(changed_pointers(case.form, changed_form), case.locked)
    # A patch that repeats a masked value is a change like any other: the server never takes masks back.
    if touched:
        raise FieldFromRegister(errors=[FieldError(at, FieldFromRegister.title) for at in sorted(touched)])
    if errors := schema.validate_draft(changed_form):
        raise InvalidForm(errors=errors)
    case.form = changed_form
    case.division = handling_division(catalogue().version(case.matter, case.matter_version), case.form)
    case.version += 1
    case.updated_at = now
    await audit.record(
        session,
        "cases.patch",
        subject=case.subject_id,
        object_kind="case",
        object_id=case.id,
        fields=sorted(form),
    )
    return case


def schema_of(case: Case) -> FormSchema:
    """The form that the case was opened with."""
    return FormSchema.load(catalogue().version(case.matter, case.matter_version).form)


def _take_disputes(case: Case, schema: FormSchema, disputes: Mapping[str, str]) -> None:
    """A disputed field is unlocked; the clerk sees the register's source and the applicant's reason."""
    errors = []
    for at, reason in disputes.items():
        if not any(at == locked or at.startswith(f"{locked}/") for locked in case.locked):
            errors.append(
                FieldError(
                    at,
                    Words(
                        "这一项不是政府数据，可以直接修改", "This is not a register's value; just change it"
                    ),
                )
            )
        elif not 0 < len(reason.strip()) <= _REASON_LENGTH_MOST or not schema.knows(at):
            errors.append(
                FieldError(
                    at, Words("请用 500 字以内说明哪里不对", "Say in up to 500 characters what is wrong")
                )
            )
    if errors:
        raise InvalidForm(errors=errors)
    if disputes:
        case.disputes = {**(case.disputes or {}), **{at: reason.strip() for at, reason in disputes.items()}}
        case.locked = [
            locked
            for locked in case.locked
            if not any(at == locked or at.startswith(f"{locked}/") for at in disputes)
        ]
