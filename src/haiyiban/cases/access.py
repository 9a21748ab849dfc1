"""Who may see and touch which cases: the one place where rows are filtered."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, bindparam, exists, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import context, divisions
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.moves import standing
from haiyiban.cases.notices import UNDO_WINDOW
from haiyiban.cases.states import State, Verb
from haiyiban.delegations.access import Actor, covers, in_force, state_on, taken_by
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.rules import require_handling
from haiyiban.errors import Conflict, NotFound, Stale, Words
from haiyiban.identity.callers import StaffCaller


class CaseMissing(NotFound):
    """No such case, or it is somebody else's."""

    type = "cases/not-found"
    title = Words("没有找到这个办件", "There is no such case")


class VersionConflict(Conflict):
    """Somebody changed the case meanwhile; the members say how it stands now."""

    type = "cases/version-conflict"
    title = Words("办件已被他人更新，请查看最新状态", "The case was changed meanwhile; see how it stands now")


class Seen(NamedTuple):
    """Which case the caller looked at before acting; None where they do not say."""

    version: int | None = None
    tag: str | None = None
    """If-Match: an entity tag, or `*`."""


def of_applicant(person_id: UUID | ColumnElement[UUID]) -> ColumnElement[bool]:
    """A person's own cases, whoever opened them."""
    return Case.applicant_id == person_id


def of_delegation(actor: Actor, today: date, *, only: UUID | None = None) -> ColumnElement[bool]:
    """The cases that somebody opened for others, and those of an enterprise whichever of its people opened
    them; for as long as the delegation, or the role, is in force. `only`: under this one."""
    which = Delegation.id == only if only is not None else true()
    return exists().where(which, _reaching(actor, today))


def _reaching(actor: Actor, today: date) -> ColumnElement[bool]:
    """The delegations under which somebody reaches the case of the query outside."""
    of_enterprise = Delegation.role.is_not(None) & (Delegation.giver_id == Case.applicant_id)
    return (
        ((Delegation.id == Case.delegation_id) | of_enterprise)
        & taken_by(actor)
        & in_force(today)
        & covers(Case.matter)
    )


def within_reach(actor: Actor, today: date) -> ColumnElement[bool]:
    """One's own cases, and those opened for others. An agent has none of their own."""
    if actor.is_agent:
        return of_delegation(actor, today)
    return of_applicant(actor.id) | of_delegation(actor, today)


def of_staff(caller: StaffCaller) -> ColumnElement[bool]:
    """The cases of a clerk's own agency, in the clerk's division and below; drafts are nobody's business."""
    values = desk_of(caller)
    return _of_desk(literal(values["agency"]), literal(values["codes"], ARRAY(Text)))


def desk_of(caller: StaffCaller) -> dict[str, Any]:
    """The values of OF_DESK."""
    return {"agency": caller.agency, "codes": _codes_below(caller.division)}


def _of_desk(agency: ColumnElement[str], codes: ColumnElement[Any]) -> ColumnElement[bool]:
    # One array, for a province has thousands of codes and each would be a parameter of its own.
    return (Case.agency == agency) & (Case.division == any_(codes)) & (Case.state != State.DRAFT)


OF_DESK = _of_desk(bindparam("agency", type_=Text()), bindparam("codes", type_=ARRAY(Text())))
"""`of_staff` for a query that is prepared."""


@lru_cache(maxsize=1024)
def _codes_below(division: str) -> list[str]:
    return sorted(divisions.subtree(division))


async def own(session: AsyncSession, case_id: UUID, actor: Actor, *, today: date) -> Case:
    """A case within somebody's reach, for reading. Raises CaseMissing, NotInForce's kinds."""
    found = await session.scalar(select(Case).where(Case.id == case_id, within_reach(actor, today)))
    if found is None:
        await _explain(session, case_id, actor, today)
    return await _for(session, actor, _found(found), today)


async def own_for_change(
    session: AsyncSession, case_id: UUID, actor: Actor, *, today: date, seen: Seen | None = None
) -> Case:
    """A case within somebody's reach, locked until the end of the transaction.

    Raises CaseMissing, NotInForce's kinds, Stale, VersionConflict.
    """
    try:
        case = await _locked(session, (Case.id == case_id) & within_reach(actor, today), seen or Seen())
    except CaseMissing:
        await _explain(session, case_id, actor, today)
        raise
    return await _for(session, actor, case, today)


async def _for(session: AsyncSession, actor: Actor, case: Case, today: date) -> Case:
    """Whatever is recorded from here on says on whose behalf it is done."""
    if actor.is_agent or case.applicant_id != actor.id:
        context.current().delegation_id = await session.scalar(
            select(Delegation.id)
            .join(Case, Case.id == case.id)
            .where(_reaching(actor, today))
            .order_by(Delegation.id != case.delegation_id)
            .limit(1)
        )
    return case


async def _explain(session: AsyncSession, case_id: UUID, actor: Actor, today: date) -> None:
    """Who opened a case for somebody knows of it, and is told why they may not go on."""
    delegation = await session.scalar(
        select(Delegation)
        .join(Case, Case.delegation_id == Delegation.id)
        .where(Case.id == case_id, taken_by(actor))
    )
    if delegation is not None:
        context.current().delegation_id = delegation.id
        require_handling(state_on(delegation, today))


async def of_desk(session: AsyncSession, case_id: UUID, caller: StaffCaller) -> Case:
    """A case that this clerk may see. Raises CaseMissing."""
    return _found(await session.scalar(select(Case).where(Case.id == case_id, of_staff(caller))))


async def of_desk_for_change(
    session: AsyncSession, case_id: UUID, caller: StaffCaller, *, seen: Seen
) -> Case:
    """A case that this clerk may decide, locked until the end of the transaction.

    Raises CaseMissing, Stale, VersionConflict.
    """
    return await _locked(session, (Case.id == case_id) & of_staff(caller), seen)


async def of_desk_for_undo(
    session: AsyncSession, case_id: UUID, caller: StaffCaller, *, seen: Seen, now: datetime
) -> Case:
    """As `of_desk_for_change`, and a case that this clerk has just passed to another agency."""
    passed_on = exists().where(
        CaseEvent.case_id == Case.id,
        CaseEvent.verb == Verb.TRANSFER,
        CaseEvent.by_id == caller.staff_id,
        CaseEvent.at >= now - UNDO_WINDOW,
    )
    return await _locked(session, (Case.id == case_id) & (of_staff(caller) | passed_on), seen)


async def _locked(session: AsyncSession, condition: ColumnElement[bool], seen: Seen) -> Case:
    case = _found(await session.scalar(select(Case).where(condition).with_for_update(of=Case)))
    if seen.tag is not None and seen.tag.strip() not in {"*", tag_of(case)}:
        raise Stale(members=standing(case))
    if seen.version is not None and seen.version != case.version:
        raise VersionConflict(members=standing(case))
    return case


def tag_of(case: Case) -> str:
    """The entity tag of a case as it stands."""
    return f'"{case.version}"'


def _found(case: Case | None) -> Case:
    if case is None:
        raise CaseMissing
    return case
