"""A clerk's queue by what matters about its cases (电子监察): what is due, what is mine, what still waits."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Text,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    literal,
    select,
)

from haiyiban.cases import access
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.states import FINAL, By, State
from haiyiban.cases.summaries import LISTED, Listed
from haiyiban.identity.callers import StaffCaller
from haiyiban.prepared import Prepared
from haiyiban.wire import FIRST
from haiyiban.workdays import Calendar

SOON_WORKDAYS = 2
"""A case is due soon while so many working days are left, or fewer."""
OPEN = tuple(state for state in State if state not in FINAL and state is not State.DRAFT)


class Focus(StrEnum):
    """Why a clerk looks: by the deadline, by who handles it, by what is missing."""

    OVERDUE = "overdue"
    TODAY = "today"
    SOON = "soon"
    MINE = "mine"
    OPEN_FACTS = "open-facts"


async def page(
    caller: StaffCaller,
    calendar: Calendar,
    *,
    state: State | None,
    matter: str | None,
    focus: Focus | None,
    after: UUID | None,
    limit: int,
    today: date,
) -> list[Listed]:
    """Cases of the queue, oldest first, so that nobody waits behind later ones."""
    prepared = _page(of_state=state is not None, of_matter=matter is not None, focus=focus)
    return await prepared.rows(
        **access.desk_of(caller),
        **_moment(caller, calendar, today),
        state=state,
        matter=matter,
        after=after or FIRST,
        limit=limit,
    )


async def counts(
    caller: StaffCaller, calendar: Calendar, *, matter: str | None, today: date
) -> dict[str, int]:
    """How many open cases each state and each focus holds, in one look at the queue."""
    (row,) = await _counts(of_matter=matter is not None).rows(
        **access.desk_of(caller), **_moment(caller, calendar, today), matter=matter
    )
    return dict(zip([*OPEN, *Focus], row, strict=True))


@cache
def _page(*, of_state: bool, of_matter: bool, focus: Focus | None) -> Prepared:
    query = select(*LISTED).where(access.OF_DESK, Case.id > bindparam("after", type_=Uuid()))
    if of_state:
        query = query.where(Case.state == bindparam("state", type_=Text()))
    if of_matter:
        query = query.where(_OF_MATTER)
    if focus is not None:
        query = query.where(_in_focus(focus))
    return Prepared(query.order_by(Case.id).limit(bindparam("limit", type_=BigInteger())))


@cache
def _counts(*, of_matter: bool) -> Prepared:
    conditions = [*(Case.state == state for state in OPEN), *map(_in_focus, Focus)]
    query = select(
        *(func.count().filter(condition).label(f"count_{at}") for at, condition in enumerate(conditions))
    ).where(access.OF_DESK, _IS_OPEN)
    return Prepared(query.where(_OF_MATTER) if of_matter else query)


_OF_MATTER = Case.matter == bindparam("matter", type_=Text())
_IS_OPEN = Case.state == any_(literal([state.value for state in OPEN], ARRAY(Text())))


def _in_focus(focus: Focus) -> ColumnElement[bool]:
    """The cases of one focus, by the values of `_moment`. A clock that stands still is never late, so
    deadlines look at accepted ones."""
    running = Case.state == State.ACCEPTED
    due, today = Case.promised_due_on, bindparam("today", type_=Date())
    match focus:
        case Focus.OVERDUE:
            return running & (due < today)
        case Focus.TODAY:
            return running & (due == today)
        case Focus.SOON:
            return running & (due > today) & (due <= bindparam("soon", type_=Date()))
        case Focus.MINE:
            handled = exists().where(
                CaseEvent.case_id == Case.id,
                CaseEvent.by_kind == By.CLERK,
                CaseEvent.by_id == bindparam("staff_id", type_=Uuid()),
            )
            return _IS_OPEN & handled
        case Focus.OPEN_FACTS:
            return _IS_OPEN & Case.has_open_facts


def _moment(caller: StaffCaller, calendar: Calendar, today: date) -> dict[str, Any]:
    """Soon is counted by the calendar of the clerk's own division, as the queue is asked for at once."""
    return {
        "today": today,
        "soon": calendar.add_workdays(today, SOON_WORKDAYS, division=caller.division),
        "staff_id": caller.staff_id,
    }
