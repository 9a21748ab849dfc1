"""A health code from a declaration to a correction, for the contracts on audit and storage; an appeal and an
appointment, for the contract on doors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete

from haiyiban import clock
from haiyiban.db import database
from haiyiban.ids import new_id
from services.health_code.models import Appeal, Appointment, Recolouring, Slot

if TYPE_CHECKING:
    from tests.contracts.flow import Flow, Headers

REASON = "检测时登记错了人"
ZONE = "/zones/health-code"


async def go(flow: Flow, me: Headers, operator: Headers, clerks: Sequence[Headers]) -> None:
    """Declare, appeal, be corrected by two, book and cancel, and be decided anew with everybody."""
    first, second = clerks
    await flow.step("look at my health code", "GET", f"{ZONE}/code", by=me)
    family = await flow.step("look at my children's colours", "GET", f"{ZONE}/children", by=me)
    code = f"{ZONE}/children/{family['items'][0]['id']}/code"
    await flow.step("look at a child's health code", "GET", code, by=me)
    await flow.step("declare my health", "POST", f"{ZONE}/declarations", by=me, expect=201, symptoms=True)
    said = {"reason": f"{flow.parent.name}：{REASON}", "division": "460105"}
    made = await flow.step("appeal my colour", "POST", f"{ZONE}/appeals", by=me, expect=201, **said)
    await flow.step("list my appeals", "GET", f"{ZONE}/appeals", by=me)
    await flow.step("read appeals at the desk", "GET", f"{ZONE}/desk/appeals", by=first)
    at = f"{ZONE}/desk/appeals/{made['id']}"
    until = (clock.today() + timedelta(days=3)).isoformat()
    wanted = {"colour": "green", "until": until, "reason": "核实", "evidence": flow.parent.id_number}
    await flow.step("propose a colour", "POST", f"{at}/proposal", by=first, **wanted)
    await flow.step("confirm it alone", "POST", f"{at}/confirmation", by=first, expect=409)
    await flow.step("confirm a colour", "POST", f"{at}/confirmation", by=second)
    await flow.step("read where my code was checked", "GET", f"{ZONE}/checks", by=me)
    await _be_vaccinated(flow, me, first)
    async with database().transaction() as session:
        # Else another flow's, which was stopped, would be taken up.
        await session.execute(delete(Recolouring))
    await flow.step("begin a recolouring", "POST", f"{ZONE}/desk/recolouring", by=operator)
    await flow.step("stop a recolouring", "POST", f"{ZONE}/desk/recolouring/stop", by=operator)
    await flow.step("look at a recolouring", "GET", f"{ZONE}/desk/recolouring", by=operator)


async def _be_vaccinated(flow: Flow, me: Headers, clerk: Headers) -> None:
    at = clock.now() + timedelta(days=3)
    hours = {"startsAt": at.isoformat(), "endsAt": (at + timedelta(hours=1)).isoformat(), "capacity": 1}
    site = {"division": "460105", "siteZh": "示例接种点"}
    slots = f"{ZONE}/desk/slots"
    slot = await flow.step("open hours", "POST", slots, by=clerk, expect=201, **site, **hours)
    await flow.step("list hours at the desk", "GET", slots, by=clerk)
    booking = f"{ZONE}/slots/{slot['id']}/appointments"
    booked = await flow.step("book a vaccination", "POST", booking, by=me, expect=201)
    cancelling = f"{ZONE}/appointments/{booked['id']}/cancellation"
    await flow.step("cancel a vaccination", "POST", cancelling, by=me)


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
