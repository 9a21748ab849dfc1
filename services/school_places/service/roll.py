"""The roll of a run: every accepted case with its choices and how each school ranks the child."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import residents
from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.clock import local_date
from haiyiban.ids import new_id
from services.school_places import draw, public_file, rules
from services.school_places.facts import Unknown
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.models import Application as ApplicationRow
from services.school_places.service import enrolments, standings
from services.school_places.service.advice import choices_of
from services.school_places.service.own_records import records_of
from services.school_places.verified import Application, twin_birth

_AT_ONCE = 500
"""Cases read and judged together."""


async def fill(session: AsyncSession, enrolment: Enrolment, run: AllocationRun) -> Sequence[RollEntry]:
    """Write the roll and its hash into a run. Returns the entries, to be added after the run itself.

    A clerk has accepted each case, and by that what its family states on its own; what is open even then
    counts as it helps least.
    """
    ground = await enrolments.ground_of(session, enrolment)
    entries: dict[str, RollEntry] = {}
    twins: list[tuple[str, str]] = []
    ranked: dict[str, list[tuple[str, int]]] = {}
    async for cases in _accepted(session, enrolment):
        applications = [
            standings.application_of(
                case, confirmed_at=case.updated_at, at=case.submitted_at or run.committed_at
            )
            for case in cases
        ]
        records = await records_of(session, applications, year=enrolment.school_year)
        for case, application in zip(cases, applications, strict=True):
            form = application.form
            child = residents.normalise_id_number(form["child"]["idNumber"])
            standing = standings.standing_with(
                application, records, ground, choices=choices_of(dict(form)), child=child
            )
            entry = RollEntry(id=new_id(), run_id=run.id, case_id=case.id, child_id=case.subject_id)
            entry.pseudonym = pseudonym = secrets.token_hex(10)
            entry.standing = standing
            entries[child] = entry
            ranked[pseudonym] = [(choice.school, choice.priority.packed()) for choice in standing.choices]
            if twin := twin_of(application, child):
                twins.append((child, twin))
    roll, run.bands = public_file.make_roll(
        capacities={school: offer.capacity for school, offer in ground.offers.items()},
        applications=ranked,
        twins=[
            [entries[child].pseudonym for child in group]
            for group in rules.twin_groups(pair for pair in twins if pair[1] in entries)
        ],
    )
    run.roll = public_file.canonical(roll)
    run.roll_hash = draw.roll_hash(run.roll)
    return list(entries.values())


async def _accepted(session: AsyncSession, enrolment: Enrolment) -> AsyncIterator[Sequence[Case]]:
    """The accepted cases of an enrolment, some hundred at a time: a province's would fill the memory."""
    after: UUID | None = None
    while True:
        query = (
            select(Case)
            .join(ApplicationRow, ApplicationRow.case_id == Case.id)
            .where(ApplicationRow.enrolment_id == enrolment.id, Case.state == State.ACCEPTED.value)
            .order_by(Case.id)
            .limit(_AT_ONCE)
        )
        if after is not None:
            query = query.where(Case.id > after)
        cases = (await session.scalars(query)).all()
        if not cases:
            return
        yield cases
        after = cases[-1].id


def twin_of(application: Application, child: str) -> str | None:
    """The twin that the form names, once a register has confirmed it."""
    named = application.form.get("twinOf")
    if not named:
        return None
    twin = residents.normalise_id_number(named)
    today = local_date(application.at)
    birth = twin_birth(application, twin, today=today)
    if isinstance(birth, Unknown) or birth.value is None:
        return None
    return twin if rules.same_birth(child, twin, today=today) else None
