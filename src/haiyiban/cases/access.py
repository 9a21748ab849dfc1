"""Who may see and touch which cases: the one place where rows are filtered."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import divisions
from haiyiban.cases.models import Case
from haiyiban.errors import Conflict, NotFound, Words
from haiyiban.identity.callers import StaffCaller


class CaseMissing(NotFound):
    """No such case, or it is somebody else's."""

    type = "cases/not-found"
    title = Words("没有找到这个办件", "There is no such case")


class VersionConflict(Conflict):
    """Somebody changed the case meanwhile; the members say how it stands now."""

    type = "cases/version-conflict"
    title = Words("办件已被他人更新，请查看最新状态", "The case was changed meanwhile; see how it stands now")


def of_applicant(person_id: UUID) -> ColumnElement[bool]:
    """A person's own cases."""
    return Case.applicant_id == person_id


def of_staff(caller: StaffCaller) -> ColumnElement[bool]:
    """The cases of a clerk's own agency, in the clerk's division and below; drafts are nobody's business."""
    return (
        (Case.agency == caller.agency)
        & Case.division.in_(divisions.subtree(caller.division))
        & (Case.state != "draft")
    )


async def own(session: AsyncSession, case_id: UUID, person_id: UUID) -> Case:
    """A case of this person, for reading. Raises CaseMissing."""
    return await _one(session, select(Case).where(Case.id == case_id, of_applicant(person_id)))


async def own_for_change(session: AsyncSession, case_id: UUID, person_id: UUID) -> Case:
    """A case of this person, locked until the end of the transaction. Raises CaseMissing."""
    query = select(Case).where(Case.id == case_id, of_applicant(person_id))
    return await _one(session, query.with_for_update())


async def of_desk(session: AsyncSession, case_id: UUID, caller: StaffCaller) -> Case:
    """A case that this clerk may see. Raises CaseMissing."""
    return await _one(session, select(Case).where(Case.id == case_id, of_staff(caller)))


async def of_desk_for_change(session: AsyncSession, case_id: UUID, caller: StaffCaller) -> Case:
    """A case that this clerk may decide, locked until the end of the transaction. Raises CaseMissing."""
    query = select(Case).where(Case.id == case_id, of_staff(caller))
    return await _one(session, query.with_for_update())


def require_version(case: Case, version: int | None) -> None:
    """Raises VersionConflict where the caller has seen an older case."""
    if version is not None and version != case.version:
        raise VersionConflict(members={"state": case.state, "version": case.version})


async def _one(session: AsyncSession, query: Select[Case]) -> Case:
    case: Case | None = await session.scalar(query)
    if case is None:
        raise CaseMissing
    return case
