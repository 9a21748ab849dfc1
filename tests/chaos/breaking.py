"""One thing at a time broken on purpose, after a run in which nothing was: what the checker must find.

A checker that finds nothing is worth what it would have found. Each change is made in a transaction that is
taken back, past the constraints that would not let it happen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, objects, outbox
from haiyiban.audit.models import AuditLeaf, AuditRecord
from haiyiban.cases.models import Case, CaseEvent, CaseFile
from haiyiban.codes.models import Verification
from haiyiban.db import Base, database
from haiyiban.ids import new_id
from haiyiban.outbox import OutboxMessage
from haiyiban.settings import Settings
from services.duty_free.vouchers.models import Campaign, CampaignDay, Voucher
from services.duty_free.vouchers.settlement_models import Redemption
from tests.chaos import checking
from tests.chaos.people import World

Row = TypeVar("Row", bound=Base)


class Place(NamedTuple):
    """Where something is broken; `undo` takes back what is outside the database."""

    session: AsyncSession
    world: World
    undo: AsyncExitStack

    async def one(self, table: type[Row], *where: Any) -> Row:
        """A row of which people were told."""
        row = await self.session.scalar(select(table).where(*where).limit(1))
        assert row is not None, f"the run left no {table.__name__}"
        return row

    async def case(self) -> Case:
        """One that was approved, as its applicant knows."""
        approved = [each for each, known in self.world.told.cases.items() if known["state"] == "approved"]
        return await self.one(Case, Case.id.in_(approved))

    async def once_more(self, row: Base, **otherwise: Any) -> None:
        """The same row under an id of its own."""
        columns = [each for each in row.__table__.columns if each.identity is None]
        values = {each.name: getattr(row, each.name) for each in columns}
        await self.session.execute(insert(type(row)).values(values | {"id": new_id()} | otherwise))


async def _voucher_gone(at: Place) -> None:
    voucher = await at.one(Voucher)
    await at.session.delete(voucher)


async def _voucher_of_somebody_else(at: Place) -> None:
    voucher = await at.one(Voucher)
    voucher.person_id = new_id()


async def _second_voucher(at: Place) -> None:
    await at.once_more(await at.one(Voucher), slot=2, number="2", request_key=b"2")


async def _voucher_used_twice(at: Place) -> None:
    await at.session.execute(text("DROP INDEX uq_duty_free_redemption_voucher"))
    voucher, now = await at.one(Voucher), clock.now()
    used = Redemption(
        id=new_id(),
        voucher_id=voucher.id,
        merchant_id=new_id(),
        order_number="1",
        order_amount_fen=voucher.threshold_fen,
        face_fen=voucher.face_fen,
        state="redeemed",
        verification_id=new_id(),
        at=now,
        day=now.date(),
    )
    at.session.add(used)
    await at.session.flush()
    await at.once_more(used, order_number="2")


async def _more_than_the_stock(at: Place) -> None:
    voucher = await at.one(Voucher)
    await at.once_more(voucher, person_id=new_id(), number="2", request_key=b"2")


async def _stock_not_counted_down(at: Place) -> None:
    campaign = await at.one(Campaign, Campaign.id == at.world.campaign)
    await at.session.execute(
        text("ALTER TABLE duty_free_campaign DROP CONSTRAINT ck_duty_free_campaign_stock")
    )
    campaign.stock_left += 1


async def _sold_out_too_early(at: Place) -> None:
    campaign = await at.one(Campaign, Campaign.id == at.world.campaign)
    campaign.stock, campaign.stock_left = campaign.stock + 1, campaign.stock_left + 1


async def _stock_vanished(at: Place) -> None:
    campaign = await at.one(Campaign, Campaign.id == at.world.campaign)
    campaign.stock += 1


async def _day_miscounted(at: Place) -> None:
    day = await at.one(CampaignDay, CampaignDay.campaign_id == at.world.campaign)
    day.claimed += 1


async def _claim_not_recorded(at: Place) -> None:
    await at.session.delete(await at.one(AuditRecord, AuditRecord.action == "duty-free.claim"))


async def _case_gone(at: Place) -> None:
    await at.session.delete(await at.case())


async def _form_changed(at: Place) -> None:
    case = await at.case()
    case.form = case.form | {"mailTo": "海口市别处路 1 号"}


async def _number_changed(at: Place) -> None:
    (await at.case()).number = "1"


async def _state_gone_back(at: Place) -> None:
    (await at.case()).state = "accepted"


async def _second_case(at: Place) -> None:
    await at.once_more(await at.case(), number=None, claim=None)


async def _case_never_told(at: Place) -> None:
    await at.once_more(await at.case(), number=None, claim=None, applicant_id=new_id())


async def _step_twice(at: Place) -> None:
    case = await at.case()
    step = await at.one(CaseEvent, CaseEvent.case_id == case.id, CaseEvent.verb == "approve")
    await at.once_more(step)


async def _step_not_recorded(at: Place) -> None:
    case = await at.case()
    of_case = AuditRecord.object_id == case.id
    await at.session.delete(await at.one(AuditRecord, of_case, AuditRecord.action == "cases.accept"))


async def _step_never_taken(at: Place) -> None:
    case = await at.case()
    await at.session.execute(
        delete(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.verb == "accept")
    )


async def _file_row_gone(at: Place) -> None:
    await at.session.delete(await at.one(CaseFile))


async def _file_of_another_case(at: Place) -> None:
    (await at.one(CaseFile)).case_id = new_id()


async def _file_twice(at: Place) -> None:
    await at.once_more(await at.one(CaseFile))


async def _file_never_told(at: Place) -> None:
    await at.once_more(await at.one(CaseFile), case_id=new_id())


async def _file_bytes_gone(at: Place) -> None:
    name, content = await _stored(at)
    await objects.delete(name)
    at.undo.push_async_callback(objects.put, name, content)


async def _file_bytes_changed(at: Place) -> None:
    name, content = await _stored(at)
    await objects.put(name, content[:-1] + bytes([content[-1] ^ 1]))
    at.undo.push_async_callback(objects.put, name, content)


async def _stored(at: Place) -> tuple[str, bytes]:
    """The name of somebody's file in the store, and what lies there."""
    row = await at.one(CaseFile)
    name = f"cases/{row.case_id}/{row.id}"
    return name, await objects.get(name)


async def _passage_gone(at: Place) -> None:
    await at.session.delete(await at.one(Verification, Verification.outcome == "valid"))


async def _passage_never_told(at: Place) -> None:
    row = await at.one(Verification, Verification.outcome == "valid")
    await at.once_more(row, idempotency_key="2", single_use=b"2")


async def _code_lets_two_in(at: Place) -> None:
    await at.session.execute(text("DROP INDEX uq_codes_verification_single_use"))
    row = await at.one(Verification, Verification.outcome == "valid")
    await at.once_more(row, idempotency_key="2")


async def _two_gates_told(at: Place) -> None:
    valid = at.world.told.valid
    valid[new_id()] = next(iter(valid.values()))


async def _message_left(at: Place) -> None:
    message = await at.one(OutboxMessage, OutboxMessage.outcome == "sent")
    message.done_at, message.due_at = None, message.due_at - timedelta(hours=1)


async def _job_left(at: Place) -> None:
    await outbox.enqueue(at.session, "notices.send", payload=new_id().bytes, delay=-timedelta(hours=1))


async def _sms_never_sent(at: Place) -> None:
    case = await at.case()
    at.world.told.cases[case.id]["phone"] = "13000000000"


async def _sms_twice(at: Place) -> None:
    """The last one: what is in somebody's inbox stays there."""
    case = await at.case()
    known = at.world.told.cases[case.id]
    inbox = await at.world.sandbox.get("/sms", params={"phone": known["phone"]})
    body = {"phone": known["phone"], "text": inbox.json()[0]["text"], "messageId": str(uuid4())}
    headers = {"X-Api-Key": Settings.from_env().registers_key}
    assert (await at.world.sandbox.post("/sms", json=body, headers=headers)).is_success


BROKEN: dict[Callable[[Place], Awaitable[None]], str] = {
    _voucher_gone: "lost",
    _voucher_of_somebody_else: "lost",
    _second_voucher: "twice",
    _voucher_used_twice: "twice",
    _more_than_the_stock: "over_allocated",
    _stock_not_counted_down: "over_allocated",
    _sold_out_too_early: "half_done",
    _stock_vanished: "half_done",
    _day_miscounted: "half_done",
    _claim_not_recorded: "half_done",
    _case_gone: "lost",
    _form_changed: "lost",
    _number_changed: "lost",
    _state_gone_back: "lost",
    _second_case: "twice",
    _case_never_told: "half_done",
    _step_twice: "twice",
    _step_not_recorded: "half_done",
    _step_never_taken: "half_done",
    _file_row_gone: "lost",
    _file_of_another_case: "lost",
    _file_twice: "twice",
    _file_never_told: "half_done",
    _file_bytes_gone: "lost",
    _file_bytes_changed: "lost",
    _passage_gone: "lost",
    _passage_never_told: "half_done",
    _code_lets_two_in: "twice",
    _two_gates_told: "twice",
    _message_left: "half_done",
    _job_left: "half_done",
    _sms_never_sent: "half_done",
    _sms_twice: "twice",
}
"""What is broken, and as what it must be found."""


async def missed(world: World) -> list[str]:
    """What the checker does not find though it is broken. Nobody may be about anything any more."""
    missed: list[str] = []
    for broken, kind in BROKEN.items():
        found = await _found(world, broken)
        if kind not in found:
            missed.append(f"{broken.__name__.strip('_')} is no {kind}: {found}")
    if not await _edit_is_found():
        missed.append("an edited record of the audit")
    return missed


async def _found(world: World, broken: Callable[[Place], Awaitable[None]]) -> list[str]:
    """The kinds that the checker reports while this is broken."""
    told = replace(
        world.told,
        cases={each: dict(known) for each, known in world.told.cases.items()},
        valid=dict(world.told.valid),
    )
    async with AsyncExitStack() as undo, database().sessions() as session:
        # As a fault does, it asks no foreign key and no trigger.
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await broken(Place(session, replace(world, told=told), undo))
        await session.flush()
        found = await checking.look(session, replace(world, told=told))
        await session.rollback()
    return [kind for kind, each in asdict(found).items() if each]


async def _edit_is_found() -> bool:
    """Whether `haiyiban audit verify` is asked, and heard; it reads what is committed, so this is kept."""
    async with database().transaction() as session:
        first: UUID | None = await session.scalar(select(AuditLeaf.record_id).where(AuditLeaf.seq == 0))
        await session.execute(
            update(AuditRecord).where(AuditRecord.id == first).values(reason="written by somebody")
        )
    return bool(await asyncio.to_thread(checking.verify_audit))
