"""The health code ends with the account (注销): nothing has us keep it, so all of it goes.

Source: 个人信息保护法 art. 47; docs/domain.md §5.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from haiyiban import clock
from haiyiban.identity.models import Account
from haiyiban.zone import Kept
from services.health_code import appointments, retention
from services.health_code.models import Appointment, Guardian, Slot


async def forget(session: AsyncSession, person_id: UUID) -> list[Kept]:
    """For `Zone.forget`: a place that was booked is free again, capsules are withdrawn, the rows go."""
    now = clock.now()
    booked = await session.scalars(
        select(Appointment.id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.person_id == person_id, Appointment.state == "booked", Slot.starts_at > now)
    )
    for appointment_id in booked.all():
        await appointments.cancel(session, appointment_id, person_id, now=now)
    people = [person_id, *await _children_of_nobody_else(session, person_id)]
    await retention.delete_of(session, people, because="account closed", now=now)
    return []


async def _children_of_nobody_else(session: AsyncSession, person_id: UUID) -> list[UUID]:
    """Children whose codes this parent alone showed: without them nobody has a purpose for the rows. A child
    with another guardian here, or an account of its own, keeps them."""
    another = aliased(Guardian)
    others = exists().where(another.person_id == Guardian.person_id, another.guardian_id != person_id)
    themselves = exists().where(Account.person_id == Guardian.person_id)
    found = await session.scalars(
        select(Guardian.person_id).where(Guardian.guardian_id == person_id, ~others, ~themselves)
    )
    return list(found)
