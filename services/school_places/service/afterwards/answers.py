"""What a family says of its place: that the child comes, or that it gives the place up.

Silence keeps the place. Schooling is compulsory and the bureau owes every child a seat, so a child does not
lose one because its parents missed a message (义务教育法 art. 5, 11; docs/domain.md §6.1, §6.2).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.clock import local_date
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from services.school_places import afterwards_words
from services.school_places.afterwards_models import Answer, Waiting
from services.school_places.service import home_uses
from services.school_places.service.afterwards import moving, notice, places
from services.school_places.service.afterwards.telling import tell
from services.school_places.service.results import Place
from services.school_places.time_limits import UNDO

REASON_LONGEST = 500


class NoPlace(Conflict):
    """The child has no place that could be confirmed or refused; the member says how it stands."""

    type = "school-places/no-place"
    title = Words("孩子目前没有录取学位，不能这样办理", "Your child has no place at present")


class AnswerClosed(Conflict):
    """The time to answer is over; the member says when it ended."""

    type = "school-places/answer-closed"
    title = Words(
        "确认或放弃学位的期限已过，学位保留；如不就读，请联系学校",
        "The time to answer is over and the place is kept; if your child does not come, tell the school",
    )


class TwinHasPlaceToo(Problem):
    """The child's twin has a place: the family must say that it means this child alone."""

    type = "school-places/twin-has-a-place-too"
    title = Words(
        "这名孩子的双胞胎也有学位：放弃只对这名孩子有效，双胞胎会分开就读。确实只放弃这一个，请勾选「只放弃这名孩子」",
        "This child's twin has a place as well. Only this child's would be given up and the twins go to "
        "different schools; say so with onlyThisChild",
    )


class ReasonTooLong(Problem):
    """A reason is welcome and not needed; it has an end."""

    type = "school-places/reason-too-long"
    title = Words("原因最多 500 字", "The reason may have up to 500 characters")


class NothingToUndo(Conflict):
    """The place was not refused, or ten minutes are over and the seat may be another child's."""

    type = "school-places/nothing-to-undo"
    title = Words(
        "没有可以撤销的放弃，或已超过 10 分钟，学位已让给候补的孩子",
        "There is no refusal to take back, or ten minutes have passed and the seat went on",
    )


class NotWaiting(NotFound):
    """The child does not wait for this school."""

    type = "school-places/not-waiting"
    title = Words("孩子不在这所学校的候补名单上", "Your child is not on the waiting list of this school")


async def confirm(session: AsyncSession, entry_id: UUID, *, person_id: UUID, now: datetime) -> Place:
    """The child comes. Raises PlacementMissing, NotPublished, NoPlace, AnswerClosed."""
    place = await places.own(session, entry_id, person_id=person_id)
    await _require_answerable(session, place, now=now)
    await session.execute(
        upsert(Answer).values(entry_id=entry_id, answer="confirmed", at=now).on_conflict_do_nothing()
    )
    await places.record(session, "confirm-place", place.entry)
    return place


async def refuse(
    session: AsyncSession,
    entry_id: UUID,
    *,
    reason: str | None,
    only_this_child: bool,
    person_id: UUID,
    now: datetime,
) -> Place:
    """Give the place up: the notice ends in this transaction, the seat is free after ten minutes.

    The child stays on the waiting lists that it is on. Raises PlacementMissing, NotPublished, NoPlace,
    AnswerClosed, TwinHasPlaceToo, ReasonTooLong.
    """
    if reason is not None and len(reason) > REASON_LONGEST:
        raise ReasonTooLong(errors=[FieldError("/reason", ReasonTooLong.title)])
    place = await places.own(session, entry_id, person_id=person_id)
    await _require_answerable(session, place, now=now)
    twins = [twin for twin in await places.twins_of(session, place) if twin.school_id is not None]
    if twins and not only_this_child:
        raise TwinHasPlaceToo(errors=[FieldError("/onlyThisChild", TwinHasPlaceToo.title)])
    entry, school = place.entry, place.school
    assert school is not None, "who has a place has a school"
    answer = Answer(
        entry_id=entry_id,
        answer="refused",
        at=now,
        school_id=school.id,
        choice=entry.choice,
        outcome=entry.outcome,
    )
    answer.reason = reason
    words = afterwards_words.refused(places.name_of(school), on=local_date(now))
    entry.school_id, entry.choice, entry.outcome = None, None, "refused"
    entry.certificate_id = None
    entry.explanation = afterwards_words.told(
        entry.explanation, words, school=str(school.id), outcome="refused"
    )
    await session.merge(answer)
    await session.flush()
    await notice.take_back(session, place, reason=words.zh, now=now)
    await home_uses.keep(session, entry, place.enrolment)
    await places.record(session, "refuse-place", entry)
    await tell(
        session, "refused", case_id=place.case.id, enrolment=place.enrolment, minutes=str(UNDO.seconds // 60)
    )
    return Place(entry, place.run, place.enrolment, place.case, None)


async def undo_refusal(session: AsyncSession, entry_id: UUID, *, person_id: UUID, now: datetime) -> Place:
    """Take the place back within ten minutes, with a new notice. Raises PlacementMissing, NotPublished,
    NothingToUndo."""
    place = await places.own(session, entry_id, person_id=person_id)
    answer = await session.get(Answer, entry_id, populate_existing=True)
    if answer is None or answer.school_id is None or now > answer.at + UNDO:
        raise NothingToUndo
    entry = place.entry
    school = await moving.school_of(session, answer.school_id)
    words = afterwards_words.refusal_undone(places.name_of(school), on=local_date(now))
    entry.school_id, entry.choice, entry.outcome = school.id, answer.choice, answer.outcome
    entry.explanation = afterwards_words.told(
        entry.explanation, words, school=str(school.id), outcome="refusal_undone"
    )
    await session.delete(answer)
    await session.flush()
    await notice.give(session, place, school, reason=words.zh, now=now)
    await home_uses.keep(session, entry, place.enrolment)
    await places.record(session, "undo-refusal", entry)
    await tell(session, "refusal-undone", case_id=place.case.id, enrolment=place.enrolment)
    return Place(entry, place.run, place.enrolment, place.case, school)


async def leave(
    session: AsyncSession, entry_id: UUID, school_id: UUID, *, person_id: UUID, now: datetime
) -> Place:
    """Leave a school's waiting list, for good. An offer is answered, not left. Raises PlacementMissing,
    NotPublished, NotWaiting."""
    place = await places.own(session, entry_id, person_id=person_id)
    left = await session.scalar(
        update(Waiting)
        .where(Waiting.entry_id == entry_id, Waiting.school_id == school_id, Waiting.state == "waiting")
        .values(state="left", ended_at=now)
        .returning(Waiting.id)
    )
    if left is None:
        raise NotWaiting
    await places.record(session, "leave-waiting-list", place.entry)
    return place


async def _require_answerable(session: AsyncSession, place: Place, *, now: datetime) -> None:
    if place.entry.school_id is None:
        raise NoPlace(members={"outcome": place.entry.outcome})
    assert place.run.published_at is not None, "places are read once they are published"
    limits = await places.limits(session, place.enrolment, published_at=place.run.published_at)
    if limits.answer.is_over(now):
        raise AnswerClosed(members={"answerBy": limits.answer.at.isoformat()})
