"""Free seats, offered down the waiting list: made, answered, run out.

Nothing is offered before the appeal window has ended, so that no seat is gone that an appeal could still be
about; and an offer is made once, so that a list goes on. Lists end with the school year's first day.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.calendar import calendar_from
from haiyiban.clock import local_date
from haiyiban.errors import Conflict, NotFound, Words
from services.school_places import afterwards_words
from services.school_places.afterwards_models import Answer, Waiting
from services.school_places.models import AllocationRun, Enrolment, RollEntry
from services.school_places.rules import school_year
from services.school_places.service.afterwards import lists, moving, places, seats
from services.school_places.service.afterwards.telling import tell
from services.school_places.service.results import Place
from services.school_places.time_limits import limit
from services.school_places.waiting_list import OnList, to_offer


class OfferMissing(NotFound):
    """No such offer, or it is another family's."""

    type = "school-places/offer-not-found"
    title = Words("没有找到这次候补递补", "There is no such offer of a seat")


class OfferClosed(Conflict):
    """The offer was answered, has run out, or was never made; the member says how it stands."""

    type = "school-places/offer-closed"
    title = Words(
        "这次候补递补已经结束或尚未轮到您，请查看最新状态",
        "This offer is closed or not made yet; see how it stands",
    )


async def offer_free_seats(
    session: AsyncSession, enrolment: Enrolment, run: AllocationRun, *, now: datetime
) -> int:
    """Offer every free seat to the first who waits for it. Returns how many offers were made.

    Found by counting, never remembered: what should have been offered and was not, is. The caller holds the
    enrolment's lock.
    """
    assert run.published_at is not None, "only a published run has lists"
    await lists.draw_up(session, run, now=now)
    limits = await places.limits(session, enrolment, published_at=run.published_at)
    if not limits.appeal.is_over(now) or enrolment.school_year < school_year(local_date(now)):
        return 0
    made = 0
    for school, counted in (await seats.count(session, enrolment, run, now=now)).items():
        if counted.free:
            made += await _offer(session, enrolment, school, free=counted.free, now=now)
    return made


async def accept(session: AsyncSession, offer_id: UUID, *, person_id: UUID, now: datetime) -> Place:
    """Take the seat that was offered; the child's old one goes on down its list at once.

    Raises OfferMissing, OfferClosed.
    """
    place, offer = await _own(session, offer_id, person_id=person_id, now=now)
    school = await moving.school_of(session, offer.school_id)
    offer.state, offer.ended_at = "accepted", now
    words = afterwards_words.from_waiting_list(offer.choice, places.name_of(school), on=local_date(now))
    await moving.move(
        session, place, school, choice=offer.choice, words=words, outcome="from_waiting_list", now=now
    )
    await session.execute(
        upsert(Answer).values(entry_id=place.entry.id, answer="confirmed", at=now).on_conflict_do_nothing()
    )
    await places.record(session, "accept-offer", place.entry)
    await tell(session, "offer-accepted", case_id=place.case.id, enrolment=place.enrolment)
    await offer_free_seats(session, place.enrolment, place.run, now=now)
    return Place(place.entry, place.run, place.enrolment, place.case, school)


async def decline(session: AsyncSession, offer_id: UUID, *, person_id: UUID, now: datetime) -> Place:
    """Leave the seat to the next on the list; what the child has now it keeps. Raises OfferMissing,
    OfferClosed."""
    place, offer = await _own(session, offer_id, person_id=person_id, now=now)
    offer.state, offer.ended_at = "declined", now
    await session.flush()
    await places.record(session, "decline-offer", place.entry)
    await tell(session, "offer-declined", case_id=place.case.id, enrolment=place.enrolment)
    await offer_free_seats(session, place.enrolment, place.run, now=now)
    return place


async def expire(session: AsyncSession, enrolment: Enrolment, *, now: datetime) -> int:
    """End the offers that nobody answered in time. Returns how many. The caller holds the lock."""
    late = (
        await session.scalars(
            select(Waiting).where(
                Waiting.enrolment_id == enrolment.id, Waiting.state == "offered", Waiting.answer_by < now
            )
        )
    ).all()
    for offer in late:
        offer.state, offer.ended_at = "expired", now
        entry = await session.get_one(RollEntry, offer.entry_id)
        await places.record(session, "expire-offer", entry)
        await tell(session, "offer-expired", case_id=entry.case_id, enrolment=enrolment)
    await session.flush()
    return len(late)


async def _offer(
    session: AsyncSession, enrolment: Enrolment, school: UUID, *, free: int, now: datetime
) -> int:
    waiting = {
        row.entry_id: row
        for row in await session.scalars(
            select(Waiting)
            .where(
                Waiting.enrolment_id == enrolment.id, Waiting.school_id == school, Waiting.state == "waiting"
            )
            .order_by(Waiting.position, Waiting.entry_id)
            # Twins of the last one stand right behind it; nobody has more than a handful.
            .limit(free + 10)
        )
    }
    chosen = to_offer([OnList(row.entry_id, row.position) for row in waiting.values()], free)
    if not chosen:
        return 0
    calendar = await calendar_from(session, local_date(now))
    until = limit(now, enrolment.offer_workdays, calendar=calendar, division=enrolment.division)
    for child in chosen:
        offer = waiting[child.entry]
        offer.state, offer.offered_at, offer.answer_by = "offered", now, until.at
        entry = await session.get_one(RollEntry, child.entry)
        await places.record(session, "offer", entry)
        await tell(session, "offered", case_id=entry.case_id, enrolment=enrolment, due=until.words)
    await session.flush()
    return len(chosen)


async def _own(
    session: AsyncSession, offer_id: UUID, *, person_id: UUID, now: datetime
) -> tuple[Place, Waiting]:
    entry_id = await session.scalar(select(Waiting.entry_id).where(Waiting.id == offer_id))
    if entry_id is None:
        raise OfferMissing
    try:
        place = await places.own(session, entry_id, person_id=person_id)
    except places.PlacementMissing:
        raise OfferMissing from None
    offer = await session.get_one(Waiting, offer_id, populate_existing=True)
    if offer.state != "offered" or offer.answer_by is None or now > offer.answer_by:
        raise OfferClosed(members={"state": "expired" if offer.state == "offered" else offer.state})
    return place, offer
