"""Late applications that a clerk has accepted: a seat that nobody waits for, and the lists behind the others
of their class."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import residents
from haiyiban.cases import publishing
from haiyiban.cases.models import Case
from haiyiban.cases.states import State, Verb
from haiyiban.clock import local_date
from haiyiban.errors import Words
from haiyiban.ids import new_id
from services.school_places import afterwards_words
from services.school_places.afterwards_models import LateApplication
from services.school_places.coordination import Distance, Waiting, placement_by_distance
from services.school_places.matching import NOT_BY_MATCHING, UNPLACED
from services.school_places.models import AllocationRun, RollEntry
from services.school_places.service import allocation, enrolments, home_uses, standings
from services.school_places.service.advice import choices_of
from services.school_places.service.afterwards import late_twins, lists, offers, places, seats
from services.school_places.service.afterwards.telling import tell
from services.school_places.service.enrolments import Ground
from services.school_places.service.standings import Standing


async def accepted(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """Case and enrolment of every late application that waits to be given what is left."""
    on_a_roll = select(RollEntry.case_id).join(AllocationRun, AllocationRun.id == RollEntry.run_id)
    rows = await session.execute(
        select(LateApplication.case_id, LateApplication.enrolment_id)
        .join(Case, Case.id == LateApplication.case_id)
        .join(AllocationRun, AllocationRun.enrolment_id == LateApplication.enrolment_id)
        .where(
            Case.state == State.ACCEPTED.value,
            AllocationRun.state == "published",
            LateApplication.case_id.not_in(on_a_roll.where(AllocationRun.state != "annulled")),
        )
        .order_by(LateApplication.permitted_at, LateApplication.case_id)
    )
    return [(case, enrolment) for case, enrolment in rows]


async def join(session: AsyncSession, enrolment_id: UUID, case_id: UUID, *, now: datetime) -> bool:
    """Give a late child what nobody else waits for, and decide its case; False while it is not time yet.

    Those on the lists come first: free seats are offered to them before. Nothing happens before the appeal
    window has ended, as with every other seat.
    """
    enrolment = await enrolments.lock(session, enrolment_id)
    run = await enrolments.live_run(session, enrolment_id)
    late = await session.get(LateApplication, case_id)
    case = await session.scalar(select(Case).where(Case.id == case_id).with_for_update())
    if run is None or run.published_at is None or late is None or case is None:
        return False
    limits = await places.limits(session, enrolment, published_at=run.published_at)
    if case.state != State.ACCEPTED or not limits.appeal.is_over(now) or await _has_entry(session, run, case):
        return False
    await offers.offer_free_seats(session, enrolment, run, now=now)
    ground = await enrolments.ground_of(session, enrolment)
    application = standings.application_of(case, confirmed_at=case.updated_at, at=case.submitted_at or now)
    standing = await standings.standing_of(
        session,
        application,
        ground,
        choices=choices_of(case.form),
        child=residents.normalise_id_number(case.form["child"]["idNumber"]),
    )
    entry = RollEntry(id=new_id(), run_id=run.id, case_id=case.id, child_id=case.subject_id)
    entry.pseudonym = secrets.token_hex(10)
    entry.standing = standing
    free = {
        str(school): counted.free
        for school, counted in (await seats.count(session, enrolment, run, now=now)).items()
    }
    for school in await late_twins.schools_of(session, run, case.id):
        # As in the draw, the other twin comes in as well, one over capacity where it must.
        free[str(school)] = max(1, free.get(str(school), 0))
    words = _place(entry, standing, ground, free, on=now)
    session.add(entry)
    await session.flush()
    verb: Literal[Verb.APPROVE, Verb.DENY] = Verb.APPROVE if entry.school_id else Verb.DENY
    await publishing.decide(session, case, verb, note=words.zh, by_id=late.permitted_by, now=now)
    await home_uses.keep(session, entry, enrolment)
    await lists.join(session, run, entry, standing.choices, got=entry.choice)
    await places.record(session, "place-late", entry)
    await tell(session, "late-decided", case_id=case.id, enrolment=enrolment)
    return True


def _place(
    entry: RollEntry, standing: Standing, ground: Ground, free: dict[str, int], *, on: datetime
) -> Words:
    """A free seat at the first choice that has one, else the nearest public school with one (统筹)."""
    by_choice = next(
        (
            position
            for position, choice in enumerate(standing.choices)
            if free[choice.school] and choice.priority.packed() != NOT_BY_MATCHING
        ),
        None,
    )
    school = None if by_choice is None else standing.choices[by_choice].school
    if school is None:
        school = _nearest(standing, ground, free)
    entry.choice = by_choice
    entry.school_id = UUID(school) if school else None
    entry.outcome = "no_seat" if school is None else "coordination" if by_choice is None else "choice"
    words = afterwards_words.late(
        places.name_of(ground.offers[school].school) if school else None,
        coordinated=by_choice is None,
        on=local_date(on),
    )
    entry.explanation = afterwards_words.told(None, words, school=school or "", outcome="late")
    return words


def _nearest(standing: Standing, ground: Ground, free: dict[str, int]) -> str | None:
    schools = [offer.school for offer in ground.offers.values()]
    reach = [
        Distance(
            0
            if standing.place is None
            else allocation.metres(standing.place, (school.latitude, school.longitude)),
            at,
        )
        for at, school in enumerate(schools)
        if school.kind == "public"
    ]
    spare = [free[str(school.id)] for school in schools]
    found = placement_by_distance({0: Waiting(standing.rank, 0, reach)}, spare, twins=[])[0]
    return None if found == UNPLACED else str(schools[found].id)


async def _has_entry(session: AsyncSession, run: AllocationRun, case: Case) -> bool:
    entry = select(RollEntry.id).where(RollEntry.run_id == run.id, RollEntry.case_id == case.id)
    return await session.scalar(entry) is not None
