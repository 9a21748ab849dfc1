"""Appointments for vaccination over HTTP: hours, booking and cancelling; opening hours at the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import Malformed, NotAllowed, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StaffRequest, StepUpNeeded, resident, staff
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.health_code import appointments
from services.health_code.appointments import (
    AlreadyBooked,
    AppointmentMissing,
    InvalidSlot,
    SlotFull,
    SlotMissing,
    SlotOver,
)
from services.health_code.models import Appointment, Slot

AGENCY = "health"
Aware = Annotated[datetime, Meta(tz=True)]


class VaccinationSlotCreate(Input):
    """Hours at a site."""

    division: Annotated[str, Meta(max_length=12)]
    site_zh: Annotated[str, Meta(max_length=100, pattern="^[^\\x00]*$")]
    starts_at: Aware
    ends_at: Aware
    capacity: Annotated[int, Meta(ge=1, le=10_000)]
    site_en: Annotated[str, Meta(max_length=100, pattern="^[^\\x00]*$")] = ""


class VaccinationSlotRead(Output):
    """Hours at a site, and how many places are left."""

    id: UUID
    division: str
    site: str
    starts_at: datetime
    ends_at: datetime
    left: int


class VaccinationAppointmentRead(Output):
    """An appointment: booked, cancelled or over."""

    id: UUID
    state: str
    slot: VaccinationSlotRead


class AppointmentController(Controller):
    """My appointments for vaccination."""

    path = "/zones/health-code"
    tags = ["health-code"]
    guards = [resident(Level.L3)]

    @get("/slots", summary="Hours for vaccination", responses=problems(StepUpNeeded, Malformed))
    async def slots(
        self,
        session: NamedDependency[AsyncSession],
        division: FromQuery[str],
        limit: FromQuery[int | None] = None,
    ) -> Page[VaccinationSlotRead]:
        """Those still to begin with a place left in one division, the next first; one page."""
        rows = await session.scalars(
            select(Slot)
            .where(Slot.division == division.replace("\0", ""), Slot.starts_at > clock.now())
            .where(Slot.booked < Slot.capacity)
            .order_by(Slot.starts_at, Slot.id)
            .limit(page_limit(limit))
        )
        return Page(items=[_slot(row) for row in rows], next=None)

    @post(
        "/slots/{slot_id:uuid}/appointments",
        status_code=201,
        summary="Book a vaccination",
        responses=problems(StepUpNeeded, SlotMissing, SlotFull, SlotOver, AlreadyBooked),
    )
    async def book(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], slot_id: FromPath[UUID]
    ) -> VaccinationAppointmentRead:
        """One at a time. A day before I am reminded."""
        made, slot = await appointments.book(session, slot_id, _person(request), now=clock.now())
        return VaccinationAppointmentRead(id=made.id, state=made.state, slot=_slot(slot))

    @get("/appointments", summary="My vaccination appointments", responses=problems(StepUpNeeded, Malformed))
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[VaccinationAppointmentRead]:
        """Newest first."""
        size, now = page_limit(limit), clock.now()
        query = (
            select(Appointment, Slot)
            .join(Slot, Slot.id == Appointment.slot_id)
            .where(Appointment.person_id == _person(request))
            .order_by(Appointment.id.desc())
        )
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Appointment.id < after)
        rows = list(await session.execute(query.limit(size + 1)))
        items = [
            VaccinationAppointmentRead(
                id=row.id,
                state="over" if row.state == "booked" and slot.ends_at <= now else row.state,
                slot=_slot(slot),
            )
            for row, slot in rows[:size]
        ]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)

    @post(
        "/appointments/{appointment_id:uuid}/cancellation",
        status_code=200,
        summary="Cancel a vaccination",
        responses=problems(StepUpNeeded, AppointmentMissing, SlotOver),
    )
    async def cancel(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], appointment_id: FromPath[UUID]
    ) -> VaccinationAppointmentRead:
        """Until the hours begin; the place is free again at once."""
        found, slot = await appointments.cancel(session, appointment_id, _person(request), now=clock.now())
        return VaccinationAppointmentRead(id=found.id, state=found.state, slot=_slot(slot))


class DeskSlotRead(VaccinationSlotRead, kw_only=True):
    """Hours with how many places there are in all."""

    capacity: int


class SlotDeskController(Controller):
    """The health authority opens hours."""

    path = "/zones/health-code/desk/slots"
    tags = ["health-code"]
    guards = [staff("clerk", "officer")]

    @get(summary="Hours of my division", responses=problems(NotAllowed, Malformed))
    async def listed(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        limit: FromQuery[int | None] = None,
    ) -> Page[DeskSlotRead]:
        """Those of my division and below that are not over, the next first, full ones too; one page."""
        if request.user.agency != AGENCY:
            raise NotAllowed
        rows = await session.scalars(
            select(Slot)
            .where(appointments.slot_within(request.user.division), Slot.ends_at > clock.now())
            .order_by(Slot.starts_at, Slot.id)
            .limit(page_limit(limit))
        )
        return Page(items=[_desk_slot(row) for row in rows], next=None)

    @post(status_code=201, summary="Open hours for vaccination", responses=problems(NotAllowed, InvalidSlot))
    async def open(
        self,
        request: StaffRequest,
        data: JSONBody[VaccinationSlotCreate],
        session: NamedDependency[AsyncSession],
    ) -> VaccinationSlotRead:
        """In my division or below."""
        if request.user.agency != AGENCY:
            raise NotAllowed
        slot = await appointments.open_slot(
            session,
            within=request.user.division,
            division=data.division,
            site=Words(data.site_zh, data.site_en),
            starts_at=data.starts_at,
            ends_at=data.ends_at,
            capacity=data.capacity,
            now=clock.now(),
        )
        return _slot(slot)


def _desk_slot(row: Slot) -> DeskSlotRead:
    shown = _slot(row)
    return DeskSlotRead(
        id=shown.id,
        division=shown.division,
        site=shown.site,
        starts_at=shown.starts_at,
        ends_at=shown.ends_at,
        left=shown.left,
        capacity=row.capacity,
    )


def _slot(row: Slot) -> VaccinationSlotRead:
    return VaccinationSlotRead(
        id=row.id,
        division=row.division,
        site=Words(row.site_zh, row.site_en).in_language(current().language),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        left=row.capacity - row.booked,
    )


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
