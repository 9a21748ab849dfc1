"""Publishing a run: every case decided, every family told, every admitted child with its notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates, notices
from haiyiban.cases import publishing
from haiyiban.cases.models import Case
from haiyiban.cases.states import FINAL, State, Verb
from haiyiban.identity import persons
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from services.school_places.models import AllocationRun, Enrolment, HomeUse, RollEntry, School
from services.school_places.service import runs
from services.school_places.service.runs import CasesPending
from services.school_places.service.standings import Standing, class_table

NOTICE = "admission-notice"


@dataclass(frozen=True, slots=True)
class Published:
    """A run after a publication was asked for, and how many children have which outcome."""

    run: AllocationRun
    outcomes: Counter[str]


async def publish(
    session: AsyncSession, enrolment_id: UUID, run_id: UUID, *, caller: StaffCaller, now: datetime
) -> Published:
    """Publish the results in one transaction: all of them or none.

    With four eyes the first officer releases and another one publishes; until then the run stays drawn.
    Cases that were withdrawn or ended since the roll keep no seat. Raises EnrolmentMissing, RunMissing,
    NotAllowed, WrongRunState, CasesPending for cases that a clerk has since suspended or passed on.
    """
    enrolment, run = await runs.lock_run(session, enrolment_id, run_id, caller=caller)
    runs.require_state(run, "drawn")
    if enrolment.four_eyes and run.publication_asked_by in (None, caller.staff_id):
        run.publication_asked_by = caller.staff_id
        await _record(session, run, "release")
        return Published(run, Counter())
    entries = await runs.entries_of(session, run)
    cases = await _lock_cases(session, run)
    stuck = Counter(case.state for case in cases.values() if case.state not in (State.ACCEPTED, *FINAL))
    if stuck:
        raise CasesPending(members={"pending": dict(stuck)})
    run.state = "published"
    run.published_at = now
    run.published_by = caller.staff_id
    for entry in entries:
        case = cases[entry.case_id]
        if case.state != State.ACCEPTED:
            entry.outcome, entry.school_id, entry.choice = "withdrawn", None, None
            continue
        await publishing.decide(
            session, case, _verdict(entry), note=entry.explanation["zh"], by_id=caller.staff_id, now=now
        )
        await _use_home(session, entry, enrolment)
        await notices.tell_person(
            session, case.applicant_id, "school-places.published", about=case.id, enrolment=enrolment.name
        )
    await _record(session, run, "publish")
    return Published(run, Counter(entry.outcome for entry in entries if entry.outcome))


async def issue_notice(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """The admission notice of a child that the published run placed; nothing for the others."""
    row = (
        await session.execute(
            select(RollEntry, School, Enrolment)
            .join(AllocationRun, AllocationRun.id == RollEntry.run_id)
            .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
            .join(School, School.id == RollEntry.school_id)
            .where(RollEntry.case_id == case.id, AllocationRun.state == "published")
        )
    ).one_or_none()
    if row is None or case.outcome != "approved":
        return
    entry, school, enrolment = row
    child = await persons.get(session, entry.child_id)
    certificate = await certificates.issue(
        session,
        NOTICE,
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
        now=now,
        agency=case.agency,
        division=case.division,
    )
    entry.certificate_id = certificate.id


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


def _verdict(entry: RollEntry) -> Literal[Verb.APPROVE, Verb.DENY]:
    return Verb.DENY if entry.school_id is None else Verb.APPROVE


async def _lock_cases(session: AsyncSession, run: AllocationRun) -> dict[UUID, Case]:
    cases = await session.scalars(
        select(Case)
        .where(Case.id.in_(select(RollEntry.case_id).where(RollEntry.run_id == run.id)))
        .order_by(Case.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {case.id: case for case in cases}


async def _use_home(session: AsyncSession, entry: RollEntry, enrolment: Enrolment) -> None:
    """A place that a home gave uses the home up for other families (一户一生)."""
    standing = msgspec.convert(entry.standing, Standing)
    if entry.choice is None or standing.home is None:
        return
    if standing.choices[entry.choice].priority.rank not in class_table().home_rule.applies_to:
        return
    await session.execute(
        upsert(HomeUse)
        .values(
            id=new_id(),
            home=bytes.fromhex(standing.home),
            school_year=enrolment.school_year,
            child=bytes.fromhex(standing.child),
            guardians=standing.guardians,
        )
        .on_conflict_do_nothing()
    )


async def _record(session: AsyncSession, run: AllocationRun, verb: str) -> None:
    await audit.record(session, f"school-places.{verb}", object_kind="allocation-run", object_id=run.id)
