"""The roll of a run: every accepted case with its choices and how each school ranks the child."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from haiyiban import residents
from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.clock import local_date
from haiyiban.crypto import vault
from haiyiban.ids import new_id
from haiyiban.sealed import place
from services.school_places import draw, public_file, rules
from services.school_places.facts import Unknown
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.models import Application as ApplicationRow
from services.school_places.service import enrolments, standings
from services.school_places.service.advice import choices_of
from services.school_places.service.enrolments import Ground
from services.school_places.service.own_records import OwnRecords, records_of
from services.school_places.service.standings import Standing
from services.school_places.verified import Application, twin_birth

_AT_ONCE = 500
"""Cases read and judged together."""
_READ = (
    Case.id,
    Case.subject_id,
    Case.form_sealed,
    Case.facts_sealed,
    Case.disputes_sealed,
    Case.submitted_at,
    Case.updated_at,
)


# Below the ORM: the officer waits for it, in a province for 150,000 children. benchmarks/allocation.py
_TABLE: Any = RollEntry.__table__
Entry = dict[str, Any]
"""The columns of a `RollEntry`."""


async def fill(session: AsyncSession, enrolment: Enrolment, run: AllocationRun) -> list[Entry]:
    """Write the roll and its hash into a run. Returns the entries, to be `add`ed after the run itself.

    A clerk has accepted each case, and by that what its family states on its own; what is open even then
    counts as it helps least.
    """
    ground = await enrolments.ground_of(session, enrolment)
    found: list[_Judged] = []
    async for cases in _accepted(session, enrolment):
        applications = [
            standings.application_of(
                case, confirmed_at=case.updated_at, at=case.submitted_at or run.committed_at
            )
            for case in cases
        ]
        records = await records_of(session, applications, year=enrolment.school_year)
        # A minute of arithmetic for a province: other requests of this process go on meanwhile.
        found += await asyncio.to_thread(_judged, run, cases, applications, records, ground)
    await asyncio.to_thread(_make, run, found, ground)
    return [one.entry for one in found]


class _Judged(NamedTuple):
    child: str
    twin: str | None
    pseudonym: str
    ranked: list[tuple[str, int]]
    entry: Entry


def _judged(
    run: AllocationRun,
    cases: Sequence[Case],
    applications: Sequence[Application],
    records: OwnRecords,
    ground: Ground,
) -> list[_Judged]:
    judged = []
    for case, application in zip(cases, applications, strict=True):
        form = application.form
        child = residents.normalise_id_number(form["child"]["idNumber"])
        standing = standings.standing_with(
            application, records, ground, choices=choices_of(form), child=child
        )
        pseudonym = secrets.token_hex(10)
        ranked = [(choice.school, choice.priority.packed()) for choice in standing.choices]
        entry = _entry(run, case, pseudonym, standing)
        judged.append(_Judged(child, twin_of(application, child), pseudonym, ranked, entry))
    return judged


def _make(run: AllocationRun, found: Sequence[_Judged], ground: Ground) -> None:
    pseudonym_of = {one.child: one.pseudonym for one in found}
    twins = ((one.child, one.twin) for one in found if one.twin and one.twin in pseudonym_of)
    roll, run.bands = public_file.make_roll(
        capacities={school: offer.capacity for school, offer in ground.offers.items()},
        applications={one.pseudonym: one.ranked for one in found},
        twins=[[pseudonym_of[child] for child in group] for group in rules.twin_groups(twins)],
    )
    run.roll = public_file.canonical(roll)
    run.roll_hash = draw.roll_hash(run.roll)


async def add(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write the entries of a run that is written itself."""
    for start in range(0, len(entries), _AT_ONCE):
        await session.execute(insert(_TABLE), entries[start : start + _AT_ONCE])


def _entry(run: AllocationRun, case: Case, pseudonym: str, standing: Standing) -> Entry:
    id_ = new_id()

    def sealed(column: str, value: bytes) -> bytes:
        return vault().seal(value, where=place(_TABLE.name, column, id_))

    return {
        "id": id_,
        "run_id": run.id,
        "case_id": case.id,
        "child_id": case.subject_id,
        "pseudonym_sealed": sealed("pseudonym_sealed", pseudonym.encode()),
        "standing_sealed": sealed("standing_sealed", msgspec.json.encode(standing)),
    }


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
            .options(load_only(*_READ, raiseload=True))
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
