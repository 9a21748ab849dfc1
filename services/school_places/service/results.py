"""What a family gets of a publication: the admission notice, and its placement to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates
from haiyiban.cases.models import Case
from haiyiban.certificates import ToIssue
from haiyiban.identity import persons
from haiyiban.identity.models import Person
from services.school_places.models import AllocationRun, Enrolment, RollEntry, School

NOTICE = "admission-notice"


async def issue_notice(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """The admission notice of a child that the published run placed; nothing for the others."""
    row = (
        await session.execute(
            select(RollEntry, School, Enrolment)
            .join(AllocationRun, AllocationRun.id == RollEntry.run_id)
            .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
            .join(School, School.id == RollEntry.school_id)
            .where(RollEntry.case_id == case.id, AllocationRun.state.in_(("publishing", "published")))
        )
    ).one_or_none()
    if row is None or case.outcome != "approved":
        return
    entry, school, enrolment = row
    child = await persons.get(session, entry.child_id)
    [certificate] = await certificates.issue_all(
        session, NOTICE, [_notice(case, child, school, enrolment)], now=now
    )
    entry.certificate_id = certificate.id


async def issue_notices(
    session: AsyncSession,
    placed: Sequence[tuple[RollEntry, Case]],
    enrolment: Enrolment,
    *,
    now: datetime,
) -> None:
    """The admission notices of children that a publication has just placed, in a few statements."""
    schools = await session.scalars(
        select(School).where(School.id.in_({entry.school_id for entry, _ in placed}))
    )
    school_of = {school.id: school for school in schools}
    child_of = await persons.of_ids(session, [entry.child_id for entry, _ in placed])
    issued = await certificates.issue_all(
        session,
        NOTICE,
        [
            _notice(case, child_of[entry.child_id], school_of[entry.school_id], enrolment)
            for entry, case in placed
            if entry.school_id is not None
        ],
        now=now,
    )
    for (entry, _), certificate in zip(placed, issued, strict=True):
        entry.certificate_id = certificate.id


def _notice(case: Case, child: Person, school: School, enrolment: Enrolment) -> ToIssue:
    return ToIssue(
        holder_id=child.id,
        keeper_id=case.applicant_id,
        claims={
            "name": case.form["child"]["name"],
            "idNumber": child.id_number,
            "school": school.name,
            "schoolYear": enrolment.school_year,
            "enrolment": enrolment.name,
        },
        case_id=case.id,
        agency=case.agency,
        division=case.division,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A child's entry with all that its family may read of it."""

    entry: RollEntry
    run: AllocationRun
    enrolment: Enrolment
    case: Case
    school: School | None


async def places_of(
    session: AsyncSession, person_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Place]:
    """What became of a person's applications, newest first; of annulled runs nothing."""
    query = (
        select(RollEntry, AllocationRun, Enrolment, Case, School)
        .join(AllocationRun, AllocationRun.id == RollEntry.run_id)
        .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
        .join(Case, Case.id == RollEntry.case_id)
        .outerjoin(School, School.id == RollEntry.school_id)
        .where(Case.applicant_id == person_id, AllocationRun.state != "annulled")
        .order_by(RollEntry.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(RollEntry.id < after)
    return [Place(*row) for row in (await session.execute(query))]


async def record_look(session: AsyncSession, place: Place) -> None:
    """A guardian reads what became of a child: a look at another person's data."""
    await audit.record(
        session,
        "school-places.read",
        subject=place.entry.child_id,
        object_kind="case",
        object_id=place.entry.case_id,
        fields=["placement"],
        reason=place.case.matter,
    )
