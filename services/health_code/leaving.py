"""The health code ends with the account (注销): nothing has us keep it, so all of it goes.

Source: 个人信息保护法 art. 47; docs/domain.md §5.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.zone import Kept
from services.health_code import appointments, retention
from services.health_code.models import Appointment, Slot


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
    await retention.delete_of(session, [person_id], because="account closed", now=now)
    return []
