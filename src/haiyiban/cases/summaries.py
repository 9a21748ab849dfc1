"""A case in a list: what every view of it begins with, read as rows and without what is sealed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import context
from haiyiban.cases import access
from haiyiban.cases.models import Case
from haiyiban.cases.states import State, clock_in
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Matter
from haiyiban.prepared import Prepared
from haiyiban.wire import LAST, Output
from haiyiban.workdays import Calendar


class CaseSummary(Output, kw_only=True, omit_defaults=False):
    """A case in a list."""

    id: UUID
    number: str | None
    matter: str
    matter_name: str
    state: str
    version: int
    due_on: date | None
    clock: str
    outcome: str | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    on_behalf_of: UUID | None
    """The delegation under which somebody opened it for the applicant."""


LISTED = (
    Case.id,
    Case.number,
    Case.matter,
    Case.matter_version,
    Case.state,
    Case.version,
    Case.promised_due_on,
    Case.outcome,
    Case.created_at,
    Case.updated_at,
    Case.submitted_at,
    Case.delegation_id,
    Case.division,
    Case.has_open_facts,
)
"""What lists read: neither the form nor anything else that is sealed, and rows, which cost less than objects
(benchmarks/reads.py)."""
Listed = Any
"""A case, or a row of LISTED."""


def _newest(within: ColumnElement[bool], before: Any, limit: Any) -> Select[*tuple[Any, ...]]:
    return select(*LISTED).where(within, Case.id < before).order_by(Case.id.desc()).limit(limit)


_of_applicant = Prepared(
    _newest(
        access.of_applicant(bindparam("applicant", type_=Uuid())),
        bindparam("before", type_=Uuid()),
        bindparam("limit", type_=BigInteger()),
    )
)


async def of_applicant(person_id: UUID, *, before: UUID | None, limit: int) -> list[Listed]:
    """A person's own cases, the newest first; `before`: older than this one."""
    return await _of_applicant.rows(applicant=person_id, before=before or LAST, limit=limit)


async def newest(
    session: AsyncSession, within: ColumnElement[bool], *, before: UUID | None, limit: int
) -> list[Listed]:
    """The cases that fulfil a condition of `access`, the newest first."""
    return list(await session.execute(_newest(within, before or LAST, limit)))


def summary(case: Listed) -> CaseSummary:
    """A row of a list."""
    return CaseSummary(**summary_members(case))


def remaining_days(case: Listed, calendar: Calendar, *, today: date) -> int | None:
    """Working days left of the promise, by the calendar of whoever handles it; None while no clock runs."""
    due = case.promised_due_on
    if due is None or case.state != State.ACCEPTED:
        return None
    return calendar.remaining(today, due, division=case.division)


def matter_of(case: Listed) -> Matter:
    """The matter as it was when the case was opened."""
    return catalogue().version(case.matter, case.matter_version)


def summary_members(case: Listed) -> dict[str, Any]:
    """What every view of a case begins with."""
    return {
        "id": case.id,
        "number": case.number,
        "matter": case.matter,
        "matter_name": matter_of(case).name.words.in_language(context.current().language),
        "state": case.state,
        "version": case.version,
        "due_on": case.promised_due_on,
        "clock": clock_in(State(case.state)).value,
        "outcome": case.outcome,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
        "submitted_at": case.submitted_at,
        "on_behalf_of": case.delegation_id,
    }
