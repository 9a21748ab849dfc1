"""A child comes to a better school than it had: one seat for another, in one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Words
from services.school_places import afterwards_words
from services.school_places.afterwards_models import Answer, Waiting
from services.school_places.models import School
from services.school_places.service import home_uses
from services.school_places.service.afterwards import notice
from services.school_places.service.results import Place


async def move(
    session: AsyncSession,
    place: Place,
    school: School,
    *,
    choice: int,
    words: Words,
    outcome: str,
    now: datetime,
) -> None:
    """Give the child this seat. Its old one is free, its old notice superseded, its waiting for choices that
    it ranked lower over; it goes on waiting for better ones.

    `words` and `outcome`: the sentence and the step for the family's explanation.
    """
    entry = place.entry
    entry.school_id, entry.choice, entry.outcome = school.id, choice, "choice"
    entry.explanation = afterwards_words.told(
        entry.explanation, words, school=str(school.id), outcome=outcome
    )
    await session.flush()
    await notice.give(session, place, school, reason=words.zh, now=now)
    await home_uses.keep(session, entry, place.enrolment)
    # Whatever was refused before is no longer this child's to take back.
    await session.execute(delete(Answer).where(Answer.entry_id == entry.id))
    await session.execute(
        update(Waiting)
        .where(
            Waiting.entry_id == entry.id,
            Waiting.choice >= choice,
            Waiting.state.in_(["waiting", "offered"]),
        )
        .values(state="better_placed", ended_at=now)
    )


async def school_of(session: AsyncSession, school_id: object) -> School:
    """A school by its id."""
    return (await session.scalars(select(School).where(School.id == school_id))).one()
