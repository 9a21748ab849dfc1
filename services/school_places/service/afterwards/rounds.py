"""Opening a second round (补录): an enrolment that follows the first and gives away what it left."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, notices
from haiyiban.cases.models import Case
from haiyiban.clock import SHANGHAI
from haiyiban.errors import Conflict, FieldError, Problem, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from services.school_places import second_round
from services.school_places.afterwards_models import Appeal, Waiting
from services.school_places.models import AllocationRun, Enrolment, EnrolmentSchool, RollEntry
from services.school_places.service import enrolments, runs
from services.school_places.service.afterwards import offers, places, seats
from services.school_places.service.afterwards.places import NotPublished


class NotSettled(Conflict):
    """Families may still answer or appeal, or seats are on offer; the members say what is open."""

    type = "school-places/not-settled"
    title = Words(
        "确认期、申诉期未满，或还有申诉、候补递补没有办结，暂不能开补录",
        "Time to answer or appeal is left, or appeals or offers are open; a second round must wait for them",
    )


class SecondRoundExists(Conflict):
    """A second round follows this enrolment already; the member names it."""

    type = "school-places/second-round-exists"
    title = Words("本批次已经开了补录", "A second round follows this enrolment already")


class NoSeatLeft(Conflict):
    """Every seat is taken, or somebody waits for it."""

    type = "school-places/no-seat-left"
    title = Words("没有剩余学位，不需要补录", "No seat is left, so there is nothing to give away")


class InvalidRound(Problem):
    """The times or the beacon of the second round are wrong."""

    type = "school-places/invalid-second-round"
    title = Words("请更正补录的时间或公共随机数", "Please correct the times or the beacon")


async def open_second(
    session: AsyncSession,
    enrolment_id: UUID,
    *,
    opens_at: datetime,
    closes_at: datetime,
    draw_after: datetime,
    beacon_source: str,
    caller: StaffCaller,
    now: datetime,
) -> Enrolment:
    """Announce a second round with its own commitment, for children without a seat and new ones.

    Raises EnrolmentMissing, NotAllowed, NotPublished, SecondRoundExists, InvalidRound, NotSettled,
    NoSeatLeft.
    """
    first = await enrolments.lock(session, enrolment_id)
    runs.require_officer_of(first, caller)
    run = await enrolments.live_run(session, enrolment_id)
    if run is None or run.state != "published":
        raise NotPublished(members={"state": run.state if run else None})
    known = await session.scalar(select(Enrolment.id).where(Enrolment.follows_id == enrolment_id))
    if known is not None:
        raise SecondRoundExists(members={"enrolmentId": str(known)})
    errors = second_round.check_times(opens_at=opens_at, closes_at=closes_at, draw_after=draw_after, now=now)
    if not 0 < len(beacon_source.strip()) <= 500:
        errors.append(
            FieldError(
                "/beaconSource",
                Words("请写明公共随机数取自哪里", "Say where the public beacon is taken from"),
            )
        )
    if errors:
        raise InvalidRound(errors=errors)
    await _require_settled(session, first, run, now=now)
    counted = await seats.count(session, first, run, now=now)
    left = second_round.seats_left({str(school): seat for school, seat in counted.items()})
    if not left:
        raise NoSeatLeft
    follower = await _announce(
        session, first, opens_at=opens_at, closes_at=closes_at, draw_after=draw_after, beacon=beacon_source
    )
    await _give_seats(session, first, follower, left)
    await audit.record(
        session, "school-places.open-second-round", object_kind="enrolment", object_id=follower.id
    )
    await _tell(session, run, follower)
    return follower


async def _require_settled(
    session: AsyncSession, enrolment: Enrolment, run: AllocationRun, *, now: datetime
) -> None:
    assert run.published_at is not None, "the caller has looked"
    limits = await places.limits(session, enrolment, published_at=run.published_at)
    until = max(limits.answer.at, limits.appeal.at)
    await offers.offer_free_seats(session, enrolment, run, now=now)
    appeals, offered = [
        await session.scalar(
            select(func.count()).where(table.enrolment_id == enrolment.id, table.state == state)
        )
        for table, state in ((Appeal, "open"), (Waiting, "offered"))
    ]
    if now <= until or appeals or offered:
        raise NotSettled(members={"until": until.isoformat(), "appeals": appeals, "offers": offered})


async def _announce(
    session: AsyncSession,
    first: Enrolment,
    *,
    opens_at: datetime,
    closes_at: datetime,
    draw_after: datetime,
    beacon: str,
) -> Enrolment:
    number, root = 2, first
    while root.follows_id is not None:
        root = await enrolments.find(session, root.follows_id)
        number += 1
    follower = Enrolment(
        id=new_id(),
        code=f"{root.code}-R{number}",
        name=f"{root.name}（第{number}轮补录）",
        name_en=f"{root.name_en} (round {number})",
        school_year=first.school_year,
        agency=first.agency,
        division=first.division,
        area=first.area,
        opens_at=opens_at,
        closes_at=closes_at,
        beacon_source=beacon.strip(),
        draw_after=draw_after,
        four_eyes=first.four_eyes,
        closes_by_roll=first.closes_by_roll,
        appeal_days=first.appeal_days,
        appeal_workdays=first.appeal_workdays,
        answer_workdays=first.answer_workdays,
        offer_workdays=first.offer_workdays,
        appeal_seats=first.appeal_seats,
        follows_id=first.id,
    )
    runs.new_commitment(follower)
    session.add(follower)
    await session.flush()
    return follower


async def _give_seats(
    session: AsyncSession, first: Enrolment, follower: Enrolment, left: dict[str, int]
) -> None:
    parts = await session.scalars(select(EnrolmentSchool).where(EnrolmentSchool.enrolment_id == first.id))
    session.add_all(
        EnrolmentSchool(
            enrolment_id=follower.id,
            school_id=part.school_id,
            capacity=left[str(part.school_id)],
            catchment=part.catchment,
        )
        for part in parts
        if str(part.school_id) in left
    )
    await session.flush()


async def _tell(session: AsyncSession, run: AllocationRun, follower: Enrolment) -> None:
    """Every family of the first round whose child has no place."""
    without = await session.execute(
        select(Case.applicant_id, Case.id)
        .join(RollEntry, RollEntry.case_id == Case.id)
        .where(RollEntry.run_id == run.id, RollEntry.outcome.in_(["no_seat", "refused"]))
    )
    for applicant, case in without:
        await notices.tell_person(
            session,
            applicant,
            "school-places.second-round",
            about=case,
            enrolment=follower.name,
            opens=_local(follower.opens_at),
            closes=_local(follower.closes_at),
        )


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
