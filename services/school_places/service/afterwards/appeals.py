"""Appeals (申诉): filed by the family in the window, decided by an officer who did not take the case in.

An appeal moves nobody but its own child: what it may change is in appeal_rules.py.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.models import CaseEvent
from haiyiban.cases.states import Verb
from haiyiban.clock import local_date
from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, NotAllowed, NotFound, Problem, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from services.school_places import afterwards_words
from services.school_places.afterwards_models import Appeal
from services.school_places.appeal_rules import Judged, better_choice
from services.school_places.service import enrolments, runs
from services.school_places.service.afterwards import corrected, lists, moving, offers, places, seats
from services.school_places.service.afterwards.corrected import CorrectedFacts
from services.school_places.service.afterwards.telling import tell
from services.school_places.service.results import Place
from services.school_places.service.standings import RankedChoice, Standing

LONGEST = 2_000
"""Characters of a reason or of what the family adds to prove it."""


class AppealClosed(Conflict):
    """The appeal window is over; the member says when it ended."""

    type = "school-places/appeal-closed"
    title = Words(
        "申诉期已过；仍有异议，可依法申请行政复议或提起行政诉讼",
        "The time to appeal is over; what remains is administrative review or a suit",
    )


class AlreadyAppealed(Conflict):
    """A result is appealed against once; the member says how that appeal stands."""

    type = "school-places/already-appealed"
    title = Words("已经申诉过，请查看答复", "You have appealed already; please read the answer")


class InvalidAppeal(Problem):
    """The appeal or its decision lacks something."""

    type = "school-places/invalid-appeal"
    title = Words("请补全申诉内容", "Please complete what is missing")


class AppealMissing(NotFound):
    """No such appeal."""

    type = "school-places/appeal-not-found"
    title = Words("没有找到这件申诉", "There is no such appeal")


class AppealDecided(Conflict):
    """Somebody has decided it; the member says how."""

    type = "school-places/appeal-decided"
    title = Words("这件申诉已有决定", "This appeal has been decided")


class TookTheCaseIn(NotAllowed):
    """Whoever accepted the application does not decide about the appeal."""

    type = "school-places/took-the-case-in"
    title = Words(
        "您受理过这份申请，申诉须由其他人决定",
        "You accepted this application; somebody else decides the appeal",
    )


async def file(
    session: AsyncSession,
    entry_id: UUID,
    *,
    reason: str,
    evidence: str | None,
    person_id: UUID,
    now: datetime,
) -> Place:
    """Appeal against a result. Raises PlacementMissing, NotPublished, AppealClosed, AlreadyAppealed,
    InvalidAppeal."""
    place = await places.own(session, entry_id, person_id=person_id)
    _require_words(reason, "/reason")
    if evidence is not None and len(evidence) > LONGEST:
        raise InvalidAppeal(
            errors=[FieldError("/evidence", Words("最多 2000 字", "2,000 characters at most"))]
        )
    assert place.run.published_at is not None, "places are read once they are published"
    limits = await places.limits(session, place.enrolment, published_at=place.run.published_at)
    if limits.appeal.is_over(now):
        raise AppealClosed(members={"appealBy": limits.appeal.at.isoformat()})
    appeal = Appeal(
        id=new_id(),
        entry_id=entry_id,
        enrolment_id=place.enrolment.id,
        state="open",
        at_stake=[UUID(choice.school) for choice in _better(place)],
        filed_at=now,
        over_capacity=False,
    )
    appeal.reason, appeal.evidence = reason.strip(), (evidence or "").strip() or None
    session.add(appeal)
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_school_places_appeal_entry_id":
            raise AlreadyAppealed from error
        raise
    await places.record(session, "appeal", place.entry)
    await tell(session, "appeal-received", case_id=place.case.id, enrolment=place.enrolment)
    return place


async def uphold(
    session: AsyncSession,
    enrolment_id: UUID,
    appeal_id: UUID,
    *,
    reason: str,
    facts: CorrectedFacts,
    caller: StaffCaller,
    now: datetime,
) -> Appeal:
    """Take the family's word, with the facts as they are, and judge this child anew; nobody else is touched.

    Raises EnrolmentMissing, NotAllowed, AppealMissing, AppealDecided, TookTheCaseIn, InvalidAppeal.
    """
    place, appeal = await _to_decide(session, enrolment_id, appeal_id, reason=reason, caller=caller)
    if facts == CorrectedFacts():
        words = Words("请写明更正了哪些情况", "Say which facts were wrong, as they should be")
        raise InvalidAppeal(errors=[FieldError("/correctedFacts", words)])
    await lists.draw_up(session, place.run, now=now)
    standing = await corrected.standing_of(session, place, facts, now=now)
    place.entry.standing = standing
    appeal.corrected = facts
    _decide(appeal, "upheld", reason=reason, caller=caller, now=now)
    file = lists.file_of(place.run)
    school_at = {school.id: at for at, school in enumerate(file.roll.schools)}
    judged = [Judged(school_at[choice.school], choice.priority) for choice in standing.choices]
    better = None
    if place.entry.lottery is not None:
        better = better_choice(
            file, place.run.bands, judged, lottery=place.entry.lottery, got=place.entry.choice
        )
    if better is None:
        words = afterwards_words.appeal_changes_nothing(on=local_date(now))
        _explain(place, words, "appeal_upheld")
    else:
        school = await moving.school_of(session, UUID(standing.choices[better].school))
        counted = (await seats.count(session, place.enrolment, place.run, now=now))[school.id]
        appeal.moved_to, appeal.over_capacity = school.id, counted.free == 0
        words = afterwards_words.by_appeal(better, places.name_of(school), on=local_date(now))
        await moving.move(session, place, school, choice=better, words=words, outcome="by_appeal", now=now)
    await session.flush()
    await lists.join(session, place.run, place.entry, standing.choices, got=place.entry.choice)
    await places.record(session, "uphold-appeal", place.entry)
    await tell(session, "appeal-upheld", case_id=place.case.id, enrolment=place.enrolment)
    await offers.offer_free_seats(session, place.enrolment, place.run, now=now)
    return appeal


async def dismiss(
    session: AsyncSession,
    enrolment_id: UUID,
    appeal_id: UUID,
    *,
    reason: str,
    caller: StaffCaller,
    now: datetime,
) -> Appeal:
    """Leave the result as it is, with the reason; a seat that was held back goes on down its list.

    Raises EnrolmentMissing, NotAllowed, AppealMissing, AppealDecided, TookTheCaseIn, InvalidAppeal.
    """
    place, appeal = await _to_decide(session, enrolment_id, appeal_id, reason=reason, caller=caller)
    _decide(appeal, "dismissed", reason=reason, caller=caller, now=now)
    _explain(place, afterwards_words.appeal_dismissed(on=local_date(now)), "appeal_dismissed")
    await session.flush()
    await places.record(session, "dismiss-appeal", place.entry)
    await tell(session, "appeal-dismissed", case_id=place.case.id, enrolment=place.enrolment)
    await offers.offer_free_seats(session, place.enrolment, place.run, now=now)
    return appeal


async def _to_decide(
    session: AsyncSession, enrolment_id: UUID, appeal_id: UUID, *, reason: str, caller: StaffCaller
) -> tuple[Place, Appeal]:
    runs.require_officer_of(await enrolments.lock(session, enrolment_id), caller)
    appeal = await session.get(Appeal, appeal_id, populate_existing=True)
    if appeal is None or appeal.enrolment_id != enrolment_id:
        raise AppealMissing
    if appeal.state != "open":
        raise AppealDecided(members={"state": appeal.state})
    place = await places.of_entry(session, appeal.entry_id)
    accepted_by = await session.scalars(
        select(CaseEvent.by_id).where(CaseEvent.case_id == place.case.id, CaseEvent.verb == Verb.ACCEPT.value)
    )
    if caller.staff_id in set(accepted_by):
        raise TookTheCaseIn
    _require_words(reason, "/reason")
    return place, appeal


def _decide(appeal: Appeal, state: str, *, reason: str, caller: StaffCaller, now: datetime) -> None:
    appeal.state = state
    appeal.decided_at, appeal.decided_by = now, caller.staff_id
    appeal.decision = reason.strip()


def _better(place: Place) -> list[RankedChoice]:
    choices = msgspec.convert(place.entry.standing, Standing).choices
    return choices if place.entry.choice is None else choices[: place.entry.choice]


def _explain(place: Place, words: Words, outcome: str) -> None:
    school = str(place.entry.school_id) if place.entry.school_id else ""
    place.entry.explanation = afterwards_words.told(
        place.entry.explanation, words, school=school, outcome=outcome
    )


def _require_words(text: str, pointer: str) -> None:
    if not 0 < len(text.strip()) <= LONGEST:
        words = Words("请写明理由，2000 字以内", "Give the reason in up to 2,000 characters")
        raise InvalidAppeal(errors=[FieldError(pointer, words)])
