"""What time does after the results: lists are made, offers run out and go on, late ones get what is left.

Every round counts anew what should have happened, so that what a worker missed is done by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select

from haiyiban import clock
from haiyiban.db import database
from haiyiban.zone import Task
from services.school_places.afterwards_models import Waiting
from services.school_places.models import AllocationRun, Enrolment
from services.school_places.rules import school_year
from services.school_places.service import enrolments
from services.school_places.service.afterwards import late_joining, offers


async def carry_on(_: bytes) -> None:
    """Draw up the waiting lists of what is published, end offers that nobody answered, offer what is free.

    The first offers of an enrolment go out in the round after its appeal window has ended.
    """
    for enrolment_id in await _with_lists():
        async with database().transaction() as session:
            now = clock.now()
            enrolment = await enrolments.lock(session, enrolment_id)
            run = await enrolments.live_run(session, enrolment_id)
            if run is None or run.state != "published":
                continue
            await offers.expire(session, enrolment, now=now)
            await offers.offer_free_seats(session, enrolment, run, now=now)


async def place_late(_: bytes) -> None:
    """Give late applications that a clerk has accepted what nobody waits for, in the order of their leave."""
    async with database().reading() as session:
        waiting = await late_joining.accepted(session)
    for case_id, enrolment_id in waiting:
        async with database().transaction() as session:
            await late_joining.join(session, enrolment_id, case_id, now=clock.now())


async def _with_lists() -> Sequence[UUID]:
    """Enrolments of this school year with lists to make, or with children who wait or have an offer."""
    on_lists = exists().where(
        Waiting.enrolment_id == AllocationRun.enrolment_id, Waiting.state.in_(["waiting", "offered"])
    )
    async with database().reading() as session:
        found = await session.scalars(
            select(Enrolment.id)
            .join(AllocationRun, AllocationRun.enrolment_id == Enrolment.id)
            .where(
                Enrolment.school_year >= school_year(clock.today()),
                AllocationRun.state == "published",
                AllocationRun.lists_drawn_up_at.is_(None) | on_lists,
            )
            .order_by(Enrolment.id)
        )
        return list(found)


TASKS = (
    Task(name="school_places.carry_on", run=carry_on, schedule="* * * * *"),
    Task(name="school_places.place_late", run=place_late, schedule="* * * * *"),
)
