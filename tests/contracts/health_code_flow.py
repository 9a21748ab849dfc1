"""An appeal against a colour, and an appointment, for the contract on doors."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from haiyiban import clock
from haiyiban.db import database
from haiyiban.ids import new_id
from services.health_code.models import Appeal, Appointment, Slot

REASON = "检测时登记错了人"


async def appeal(person_id: UUID) -> dict[str, str]:
    """Their ids by the names of the addresses: an open appeal of 秀英区, a booked appointment."""
    made = Appeal(
        id=new_id(), person_id=person_id, division="460105", colour="red", state="open", at=clock.now()
    )
    made.reason = REASON
    at = clock.now() + timedelta(days=3)
    slot = Slot(
        id=new_id(),
        division="460105",
        site_zh="秀英区人民医院",
        site_en="Xiuying Hospital",
        starts_at=at,
        ends_at=at + timedelta(hours=1),
        capacity=100,
        booked=1,
    )
    booked = Appointment(id=new_id(), slot_id=slot.id, person_id=person_id, state="booked", at=clock.now())
    async with database().transaction() as session:
        session.add_all([made, slot])
        await session.flush()
        session.add(booked)
    return {"appeal_id": str(made.id), "slot_id": str(slot.id), "appointment_id": str(booked.id)}
