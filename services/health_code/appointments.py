"""Appointments for vaccination: hours with so many places, never one more, and one appointment a person.

Source: docs/domain.md §5 (vaccination, the reminder of the next dose).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, divisions, notices, outbox
from haiyiban.clock import SHANGHAI
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from services.health_code.models import Appointment, Slot

REMIND_BEFORE = timedelta(days=1)


class SlotMissing(NotFound):
    """No such hours."""

    type = "health-code/slot-not-found"
    title = Words("没有这个接种时段", "There are no such hours")


class AppointmentMissing(NotFound):
    """No such appointment, or somebody else's."""

    type = "health-code/appointment-not-found"
    title = Words("没有这个预约", "There is no such appointment")


class SlotFull(Conflict):
    """All places are taken."""

    type = "health-code/slot-full"
    title = Words("该时段已约满，请选择其他时段", "These hours are full; please choose others")


class SlotOver(Conflict):
    """The hours have begun."""

    type = "health-code/slot-over"
    title = Words("该时段已开始或结束，不能再预约或取消", "These hours have begun; it is too late")


class AlreadyBooked(Conflict):
    """One appointment at a time."""

    type = "health-code/already-booked"
    title = Words("您已有一个预约，请先取消再改约", "You have an appointment; cancel it first")


class InvalidSlot(Problem):
    """Hours that cannot be; `errors` name the field and the way out."""

    type = "health-code/invalid-slot"
    title = Words("请更正标出的内容", "Please correct what is marked")


async def open_slot(
    session: AsyncSession,
    *,
    within: str,
    division: str,
    site: Words,
    starts_at: datetime,
    ends_at: datetime,
    capacity: int,
    now: datetime,
) -> Slot:
    """Open hours at a site in a clerk's division (`within`) or below. Raises InvalidSlot."""
    errors = []
    if divisions.find(division) is None or not divisions.is_within(division, within):
        errors.append(FieldError("/division", Words("须在本部门辖区内", "within your own division")))
    if not site.zh.strip():
        errors.append(FieldError("/siteZh", Words("请填写接种点", "name the site")))
    if starts_at <= now:
        errors.append(FieldError("/startsAt", Words("须晚于现在", "must lie ahead")))
    if not starts_at < ends_at <= starts_at + timedelta(days=1):
        errors.append(FieldError("/endsAt", Words("须在开始后一天内", "within a day after the start")))
    if errors:
        raise InvalidSlot(errors=errors)
    slot = Slot(
        id=new_id(),
        division=division,
        site_zh=site.zh.strip(),
        site_en=site.en.strip() or site.zh.strip(),
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=capacity,
        booked=0,
    )
    session.add(slot)
    await session.flush()
    await audit.record(session, "health-code.open-slot", object_kind="health-code-slot", object_id=slot.id)
    return slot


def slot_within(division: str) -> ColumnElement[bool]:
    """The hours of a division and below."""
    return Slot.division == any_(literal(sorted(divisions.subtree(division)), ARRAY(Text)))


async def book(
    session: AsyncSession, slot_id: UUID, person_id: UUID, *, now: datetime
) -> tuple[Appointment, Slot]:
    """Take a place, and be reminded a day before. Raises SlotMissing, SlotOver, SlotFull, AlreadyBooked."""
    # One booking of a person at a time: the second click finds the first one's row.
    await session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    past = select(Slot.id).where(Slot.ends_at <= now)
    await session.execute(
        update(Appointment)
        .where(
            Appointment.person_id == person_id, Appointment.state == "booked", Appointment.slot_id.in_(past)
        )
        .values(state="over")
    )
    if await session.scalar(
        select(Appointment.id).where(Appointment.person_id == person_id, Appointment.state == "booked")
    ):
        raise AlreadyBooked
    slot = await session.scalar(select(Slot).where(Slot.id == slot_id).with_for_update())
    if slot is None:
        raise SlotMissing
    if slot.starts_at <= now:
        raise SlotOver
    if slot.booked >= slot.capacity:
        raise SlotFull
    slot.booked += 1
    made = Appointment(id=new_id(), slot_id=slot.id, person_id=person_id, state="booked", at=now)
    session.add(made)
    await session.flush()
    await _record(session, made, "book")
    await notices.tell_person(
        session,
        person_id,
        "health-code.appointment",
        about=made.id,
        delay=max(slot.starts_at - REMIND_BEFORE - now, timedelta()),
        at=f"{slot.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        site=slot.site_zh,
    )
    return made, slot


async def cancel(
    session: AsyncSession, appointment_id: UUID, person_id: UUID, *, now: datetime
) -> tuple[Appointment, Slot]:
    """Give the place back; a second click changes nothing. Raises AppointmentMissing, SlotOver."""
    found = await session.scalar(
        select(Appointment)
        .where(Appointment.id == appointment_id, Appointment.person_id == person_id)
        .with_for_update()
    )
    if found is None:
        raise AppointmentMissing
    slot = await session.get_one(Slot, found.slot_id, with_for_update=True)
    if found.state == "cancelled":
        return found, slot
    if slot.starts_at <= now:
        raise SlotOver
    slot.booked -= 1
    found.state, found.cancelled_at = "cancelled", now
    await outbox.recall(session, found.id, since=found.at)
    await _record(session, found, "cancel-appointment")
    return found, slot


async def _record(session: AsyncSession, row: Appointment, act: str) -> None:
    await audit.record(
        session,
        f"health-code.{act}",
        subject=row.person_id,
        object_kind="health-code-appointment",
        object_id=row.id,
    )
