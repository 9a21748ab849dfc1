"""What a family reads of its placement: the result with its reasons, and what it may do until when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import context
from haiyiban.errors import Words
from haiyiban.wire import Output
from services.school_places import afterwards_words
from services.school_places.afterwards_models import Answer, Appeal, Waiting
from services.school_places.models import Enrolment, School
from services.school_places.service.afterwards import lists, places
from services.school_places.service.results import Place
from services.school_places.time_limits import UNDO, Limit


class StepRead(Output):
    """What happened at one school of the list, by the draw or after it."""

    school_id: UUID | None
    outcome: str
    """Of the draw: admitted, by_coordination_only, no_seats, class_not_reached or lottery_not_reached. After
    it: from_waiting_list, by_appeal, appeal_upheld, appeal_dismissed, refused, refusal_undone or late."""
    text: str


class WaitingRead(Output, kw_only=True, omit_defaults=False):
    """One waiting list (候补) of this child; `id` names the offer, once a seat is offered."""

    id: UUID
    school_id: UUID
    school: str
    choice: int
    """Which choice of the list it is, from 1."""
    state: str
    """waiting, offered, accepted, declined, expired, left or better_placed."""
    number: int | None
    """Which number the child has while it waits."""
    answer_by: datetime | None
    text: str


class AppealRead(Output, kw_only=True, omit_defaults=False):
    """My appeal (申诉) and its answer."""

    id: UUID
    state: str
    """open, upheld or dismissed."""
    filed_at: datetime
    decided_at: datetime | None = None
    decision: str | None = None


class PlacementRead(Output, kw_only=True, omit_defaults=False):
    """What became of one application of mine."""

    id: UUID
    case_id: UUID
    enrolment_id: UUID
    enrolment: str
    run_id: UUID
    state: str
    """committed, drawn or published: before the last, nothing of the result is shown."""
    pseudonym: str
    """Finds this child in the public file; nobody else is told."""
    lottery: int | None = None
    outcome: str | None = None
    """choice, coordination (统筹), no_seat, withdrawn, or refused where the place was given up."""
    school_id: UUID | None = None
    school: str | None = None
    certificate_id: UUID | None = None
    explanation: str | None = None
    steps: list[StepRead] = []
    answer: str | None = None
    """confirmed or refused; null where nothing was said, which keeps the place."""
    answer_by: datetime | None = None
    """Until when the place can be confirmed or refused."""
    undo_by: datetime | None = None
    """Until when a refusal can be taken back."""
    appeal_by: datetime | None = None
    appeal: AppealRead | None = None
    waiting_lists: list[WaitingRead] = []


async def placement_read(session: AsyncSession, place: Place, *, now: datetime) -> PlacementRead:
    """A placement as its family reads it."""
    entry = place.entry
    read = PlacementRead(
        id=entry.id,
        case_id=entry.case_id,
        enrolment_id=place.enrolment.id,
        enrolment=named(place.enrolment),
        run_id=place.run.id,
        state=place.run.state,
        pseudonym=entry.pseudonym,
    )
    if place.run.state != "published":
        return read
    own = "en" if language().startswith("en") else "zh"
    read.lottery = entry.lottery
    read.outcome = entry.outcome
    read.school_id = entry.school_id
    read.school = named(place.school) if place.school else None
    read.certificate_id = entry.certificate_id
    read.explanation = entry.explanation[own]
    read.steps = [
        StepRead(
            school_id=UUID(step["school"]) if step["school"] else None,
            outcome=step["outcome"],
            text=step[own],
        )
        for step in entry.explanation["steps"]
    ]
    await _add_answer(session, read, place, now=now)
    read.appeal = await _appeal(session, entry.id)
    read.waiting_lists = await _waiting(session, entry.id)
    return read


async def _add_answer(session: AsyncSession, read: PlacementRead, place: Place, *, now: datetime) -> None:
    assert place.run.published_at is not None, "a published run says when"
    limits = await places.limits(session, place.enrolment, published_at=place.run.published_at)
    read.answer_by, read.appeal_by = limits.answer.at, limits.appeal.at
    answer = await session.get(Answer, place.entry.id, populate_existing=True)
    if answer is None:
        return
    read.answer = answer.answer
    if answer.answer == "refused" and now <= answer.at + UNDO:
        read.undo_by = answer.at + UNDO


async def _appeal(session: AsyncSession, entry_id: UUID) -> AppealRead | None:
    appeal = await session.scalar(select(Appeal).where(Appeal.entry_id == entry_id))
    if appeal is None:
        return None
    return AppealRead(
        id=appeal.id,
        state=appeal.state,
        filed_at=appeal.filed_at,
        decided_at=appeal.decided_at,
        decision=appeal.decision,
    )


async def _waiting(session: AsyncSession, entry_id: UUID) -> list[WaitingRead]:
    found = (
        await session.execute(
            select(Waiting, School)
            .join(School, School.id == Waiting.school_id)
            .where(Waiting.entry_id == entry_id)
            .order_by(Waiting.choice)
            .execution_options(populate_existing=True)
        )
    ).all()
    numbers = await lists.numbers_of(session, [row.Waiting for row in found])
    return [
        WaitingRead(
            id=row.Waiting.id,
            school_id=row.School.id,
            school=named(row.School),
            choice=row.Waiting.choice + 1,
            state=row.Waiting.state,
            number=numbers[row.Waiting.id] if row.Waiting.state == "waiting" else None,
            answer_by=row.Waiting.answer_by,
            text=_words(row.Waiting, places.name_of(row.School), numbers[row.Waiting.id]).in_language(
                language()
            ),
        )
        for row in found
    ]


def _words(row: Waiting, school: Words, number: int) -> Words:
    if row.state == "waiting":
        return afterwards_words.waiting(row.choice, school, number=number)
    if row.state == "offered" and row.answer_by is not None:
        return afterwards_words.offered(
            row.choice, school, until=Limit(row.answer_by, provisional=False).words
        )
    return afterwards_words.ended(row.choice, school, row.state)


def language() -> str:
    """The reader's language."""
    return context.current().language


def named(of: School | Enrolment) -> str:
    """A name in the reader's language."""
    return Words(of.name, of.name_en).in_language(language())
