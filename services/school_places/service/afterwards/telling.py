"""Telling a family by SMS what happened to its child's place; never which school, and no name."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import notices
from haiyiban.cases.models import Case
from services.school_places.models import Enrolment


async def tell(
    session: AsyncSession,
    template: str,
    *,
    case_id: UUID,
    enrolment: Enrolment,
    due: str = "",
    minutes: str = "",
) -> None:
    """Tell whoever applied; `template` without its prefix. `due` and `minutes` where the text names them."""
    applicant = await session.scalar(select(Case.applicant_id).where(Case.id == case_id))
    assert applicant is not None, "what is placed has its case"
    await notices.tell_person(
        session,
        applicant,
        f"school-places.{template}",
        about=case_id,
        enrolment=enrolment.name,
        due=due,
        minutes=minutes,
    )
