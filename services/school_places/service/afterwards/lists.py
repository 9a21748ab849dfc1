"""Waiting lists (候补) as the tables hold them: made of the published run, and joined by late ones behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.ids import new_id
from services.school_places.afterwards_models import LateApplication, Waiting
from services.school_places.classification import Priority
from services.school_places.matching import NOT_BY_MATCHING, UNPLACED
from services.school_places.models import AllocationRun, RollEntry
from services.school_places.public_file import Bands, PublicFile
from services.school_places.service.afterwards import late_twins
from services.school_places.service.standings import RankedChoice
from services.school_places.service.standings import Standing as OnRoll
from services.school_places.waiting_list import Standing, place_in, wanted

_AT_ONCE = 2_000
"""Rows of one statement; PostgreSQL takes 32,767 values."""


def file_of(run: AllocationRun) -> PublicFile:
    """The public file of a run, which stays in the table when it is no longer public."""
    return msgspec.json.decode(run.public_file or b"", type=PublicFile)


async def draw_up(session: AsyncSession, run: AllocationRun, *, now: datetime) -> None:
    """Make the waiting lists of a published run, once: everybody at every school that it ranked above what
    the draw gave it. The caller holds the enrolment's lock."""
    if run.lists_drawn_up_at is not None:
        return
    run.lists_drawn_up_at = now
    entries = await session.execute(
        select(RollEntry).where(RollEntry.run_id == run.id, RollEntry.outcome != "withdrawn")
    )
    entry_of = {entry.pseudonym: entry.id for entry in entries.scalars() if entry.lottery is not None}
    rows = list(_rows(run, file_of(run), entry_of))
    for at in range(0, len(rows), _AT_ONCE):
        await session.execute(insert(Waiting), rows[at : at + _AT_ONCE])


def _rows(run: AllocationRun, file: PublicFile, entry_of: dict[str, UUID]) -> Iterator[dict[str, Any]]:
    lists: list[list[tuple[int, int, int, UUID]]] = [[] for _ in file.roll.schools]
    for pupil, placement, lottery in zip(file.roll.pupils, file.placements, file.lottery, strict=True):
        entry = entry_of.get(pupil.pseudonym)
        if entry is None:
            continue
        got = None if placement == UNPLACED else pupil.choices.index(placement)
        for choice in wanted(len(pupil.choices), got=got):
            if pupil.priorities[choice] != NOT_BY_MATCHING:
                lists[pupil.choices[choice]].append((pupil.priorities[choice], lottery, choice, entry))
    for school, waiting in zip(file.roll.schools, lists, strict=True):
        position, last = 0, None
        for rank, lottery, choice, entry in sorted(waiting):
            position += (rank, lottery) != last
            last = (rank, lottery)
            yield {
                "id": new_id(),
                "enrolment_id": run.enrolment_id,
                "school_id": UUID(school.id),
                "entry_id": entry,
                "choice": choice,
                "position": position,
                "rank": rank,
                "state": "waiting",
            }


async def join(
    session: AsyncSession,
    run: AllocationRun,
    entry: RollEntry,
    choices: Sequence[RankedChoice],
    *,
    got: int | None,
) -> None:
    """Put a child on the lists of the choices that it would rather have than what it got, where its sealed
    standing says: a late one behind all of its class, one whose appeal was upheld where it belongs.

    Lists that it is on with its former standing it leaves first. Nobody else's order changes.
    """
    await session.execute(delete(Waiting).where(Waiting.entry_id == entry.id, Waiting.state == "waiting"))
    answered = set(await session.scalars(select(Waiting.school_id).where(Waiting.entry_id == entry.id)))
    late = await _late_numbers(session, run, joining=entry.case_id)
    bands = _bands_by_school(run)
    for choice in wanted(len(choices), got=got):
        ranked = choices[choice]
        school = UUID(ranked.school)
        if ranked.priority.packed() == NOT_BY_MATCHING or school in answered:
            continue
        await _insert(
            session,
            run,
            school,
            entry,
            choice,
            _of(ranked.priority, entry, late),
            late=late,
            band=bands[ranked.school],
        )


async def _insert(
    session: AsyncSession,
    run: AllocationRun,
    school: UUID,
    entry: RollEntry,
    choice: int,
    own: Standing,
    *,
    late: dict[UUID, int],
    band: list[int],
) -> None:
    rows = (
        await session.execute(
            select(Waiting, RollEntry)
            .join(RollEntry, RollEntry.id == Waiting.entry_id)
            .where(Waiting.enrolment_id == run.enrolment_id, Waiting.school_id == school)
            .order_by(Waiting.position, Waiting.id)
        )
    ).all()
    standings = [_standing(row.Waiting, row.RollEntry, late=late, band=band) for row in rows]
    before = place_in(standings, own)
    beside = before > 0 and standings[before - 1] == own
    position = rows[before - 1].Waiting.position + (0 if beside else 1) if before else 1
    if not beside:
        await session.execute(
            update(Waiting)
            .where(
                Waiting.enrolment_id == run.enrolment_id,
                Waiting.school_id == school,
                Waiting.position >= position,
            )
            .values(position=Waiting.position + 1)
        )
    session.add(
        Waiting(
            id=new_id(),
            enrolment_id=run.enrolment_id,
            school_id=school,
            entry_id=entry.id,
            choice=choice,
            position=position,
            state="waiting",
        )
    )
    await session.flush()


def _standing(waiting: Waiting, entry: RollEntry, *, late: dict[UUID, int], band: list[int]) -> Standing:
    if waiting.rank is not None:
        return Standing.of(Priority.of_packed(band[waiting.rank]), lottery=entry.lottery or 0)
    on_roll = msgspec.convert(entry.standing, OnRoll)
    return _of(on_roll.choices[waiting.choice].priority, entry, late)


def _of(priority: Priority, entry: RollEntry, late: dict[UUID, int]) -> Standing:
    """Who has a lottery number was on the roll, late leave or not."""
    if entry.lottery is not None:
        return Standing.of(priority, lottery=entry.lottery)
    return Standing.of(priority, lottery=0, late=late[entry.case_id])


async def _late_numbers(session: AsyncSession, run: AllocationRun, *, joining: UUID) -> dict[UUID, int]:
    """Case → how many late applications had leave before it, itself included; twins share the first one's."""
    cases = await session.scalars(
        select(LateApplication.case_id)
        .where(LateApplication.enrolment_id == run.enrolment_id)
        .order_by(LateApplication.permitted_at, LateApplication.case_id)
    )
    numbers = {case: number for number, case in enumerate(cases, 1)}
    for group in await late_twins.groups(session, run, joining=joining):
        numbers |= dict.fromkeys(group, min(numbers[case] for case in group))
    return numbers


def _bands_by_school(run: AllocationRun) -> dict[str, list[int]]:
    bands: Bands = run.bands
    return {school.id: band for school, band in zip(file_of(run).roll.schools, bands, strict=True)}


async def numbers_of(session: AsyncSession, rows: Sequence[Waiting]) -> dict[UUID, int]:
    """Row → which number the child has on the list now: one more than wait before it."""
    numbers: dict[UUID, int] = {}
    for row in rows:
        before = await session.scalar(
            select(func.count()).where(
                Waiting.enrolment_id == row.enrolment_id,
                Waiting.school_id == row.school_id,
                Waiting.state == "waiting",
                Waiting.position < row.position,
            )
        )
        numbers[row.id] = 1 + (before or 0)
    return numbers
