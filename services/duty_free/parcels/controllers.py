"""Parcels: sent by a shop, followed by the buyer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, registers
from haiyiban.context import current
from haiyiban.db import database
from haiyiban.errors import NotAllowed, NotSignedIn, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, VerifierRequest, resident, verifier
from haiyiban.masking import mask_mobile
from haiyiban.registers import Tracking
from haiyiban.wire import Input, Output, problems
from services.duty_free.allowance.controllers import person_of
from services.duty_free.allowance.settling import OrderMissing, OrderOver
from services.duty_free.parcels import sending
from services.duty_free.parcels.sending import (
    Found,
    NotByMail,
    NotDepartedYet,
    ParcelMissing,
    SentAlready,
)

STATE_WORDS = {
    "departure_confirmed": Words("离岛确认", "departure confirmed"),
    "picked": Words("拣货", "picked"),
    "dispatched": Words("已出库", "dispatched"),
    "in_transit": Words("运输中", "in transit"),
    "out_for_delivery": Words("派送中", "out for delivery"),
    "delivered": Words("已签收", "delivered"),
    "returned": Words("拒收/退回", "refused or returned"),
    "exception": Words("异常", "exception"),
}
"""Source: docs/domain.md §8.3. 已下单 is the order before it has a parcel."""


class ParcelCreate(Input):
    """The carrier that took the goods, and the number of its waybill (物流单号)."""

    carrier: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
    number: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{5,32}$")]


class ScanRead(Output):
    """One thing that happened on the way."""

    at: datetime
    state: str
    state_name: str
    place: str | None = None


class ParcelRead(Output):
    """A parcel and where it is."""

    number: str
    carrier: str
    order_id: UUID
    sent_by: str
    sent_at: datetime
    state: str
    state_name: str
    events: list[ScanRead]
    """The newest first; the first of all is the shop's confirmation that the buyer has left."""
    phone: str | None = None
    """The recipient's, masked."""


class ParcelsController(Controller):
    """My parcels."""

    path = "/zones/duty-free/parcels"
    tags = ["duty-free"]
    guards = [resident(Level.L3)]

    @get(
        "/{number:str}",
        summary="Where my parcel is",
        responses=problems(NotSignedIn, StepUpNeeded, ParcelMissing, registers.RegisterUnavailable),
    )
    async def parcel(self, request: ResidentRequest, number: FromPath[str]) -> ParcelRead:
        """Asked of its carrier now; what the carrier has not scanned yet stands at `departure_confirmed`."""
        async with database().reading() as look:
            found = await sending.of_buyer(look, number, person_of(request))
        tracking = await registers.track_parcel(found.parcel.carrier, found.parcel.number)
        return _read(found, tracking)


class ShopParcelsController(Controller):
    """A shop's parcels."""

    path = "/zones/duty-free/orders/{order_id:uuid}/parcel"
    tags = ["duty-free"]
    guards = [verifier()]
    security = [{"verifier": []}]

    @post(
        status_code=201,
        summary="The buyer has left, and the goods are mailed",
        responses=problems(
            NotSignedIn, NotAllowed, OrderMissing, OrderOver, NotByMail, NotDepartedYet, SentAlready
        ),
    )
    async def send(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        order_id: FromPath[UUID],
        data: JSONBody[ParcelCreate],
    ) -> ParcelRead:
        """Not before the departure of the ticket; an order is sent once. Its quota is consumed with it."""
        found = await sending.send(
            session,
            order_id,
            request.user.verifier_id,
            carrier=data.carrier,
            number=data.number,
            now=clock.now(),
        )
        return _read(found, None)


def _read(found: Found, tracking: Tracking | None) -> ParcelRead:
    language = current().language
    parcel, order = found
    events = [
        ScanRead(
            at=scan.at,
            state=scan.state,
            state_name=STATE_WORDS[scan.state].in_language(language),
            place=scan.place,
        )
        for scan in (tracking.newest_first if tracking else [])
    ]
    confirmed = STATE_WORDS["departure_confirmed"].in_language(language)
    events.append(ScanRead(at=parcel.sent_at, state="departure_confirmed", state_name=confirmed))
    return ParcelRead(
        number=parcel.number,
        carrier=parcel.carrier,
        order_id=order.id,
        sent_by=order.merchant_name,
        sent_at=parcel.sent_at,
        state=events[0].state,
        state_name=events[0].state_name,
        events=events,
        phone=mask_mobile(tracking.phone) if tracking and tracking.phone else None,
    )
