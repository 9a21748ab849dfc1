"""A clerk's queue by what matters about its cases (电子监察): what is due, what is mine, what still waits."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import access
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.states import FINAL, By, State
from haiyiban.identity.callers import StaffCaller
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


def in_focus(focus: Focus, caller: StaffCaller, calendar: Calendar, *, today: date) -> ColumnElement[bool]:
    """The cases of one focus. A clock that stands still is never late, so deadlines look at accepted ones.

    Soon is counted by the calendar of the clerk's own division, as the whole queue is asked for at once.
    """
    running = Case.state == State.ACCEPTED
    due = Case.promised_due_on
    match focus:
        case Focus.OVERDUE:
            return running & (due < today)
        case Focus.TODAY:
            return running & (due == today)
        case Focus.SOON:
            last = calendar.add_workdays(today, SOON_WORKDAYS, division=caller.division)
            return running & (due > today) & (due <= last)
        case Focus.MINE:
            handled = exists().where(
                CaseEvent.case_id == Case.id,
                CaseEvent.by_kind == By.CLERK,
                CaseEvent.by_id == caller.staff_id,
            )
            return Case.state.in_(OPEN) & handled
        case Focus.OPEN_FACTS:
            return Case.state.in_(OPEN) & Case.has_open_facts


async def counts(
    session: AsyncSession, caller: StaffCaller, calendar: Calendar, *, matter: str | None, today: date
) -> dict[str, int]:
    """How many open cases each state and each focus holds, in one look at the queue."""
    columns = {state.value: Case.state == state for state in OPEN} | {
        focus.value: in_focus(focus, caller, calendar, today=today) for focus in Focus
    }
    query = select(
        *(func.count().filter(condition).label(name) for name, condition in columns.items())
    ).where(access.of_staff(caller), Case.state.in_(OPEN))
    if matter is not None:
        query = query.where(Case.matter == matter)
    row = (await session.execute(query)).one()
    return {name: int(value) for name, value in row._mapping.items()}
