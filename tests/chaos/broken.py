"""What is broken on purpose after a run of chaos, one thing at a time, and as what it must be found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, objects, outbox
from haiyiban.audit.models import AuditRecord
from haiyiban.cases.models import Case, CaseEvent, CaseFile
from haiyiban.codes.models import Verification
from haiyiban.db import Base
from haiyiban.ids import new_id
from haiyiban.outbox import OutboxMessage
from haiyiban.settings import Settings
from services.duty_free.vouchers.models import Campaign, CampaignDay, Voucher
from services.duty_free.vouchers.settlement_models import Redemption
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


async def voucher_gone(at: Place) -> None:
    voucher = await at.one(Voucher)
    await at.session.delete(voucher)


async def voucher_of_somebody_else(at: Place) -> None:
    voucher = await at.one(Voucher)
    voucher.person_id = new_id()


async def second_voucher(at: Place) -> None:
    await at.once_more(await at.one(Voucher), slot=2, number="2", request_key=b"2")


async def voucher_used_twice(at: Place) -> None:
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


async def more_than_the_stock(at: Place) -> None:
    voucher = await at.one(Voucher)
    await at.once_more(voucher, person_id=new_id(), number="2", request_key=b"2")


async def stock_not_counted_down(at: Place) -> None:
    campaign = await at.one(Campaign, Campaign.id == at.world.campaign)
    await at.session.execute(
        text("ALTER TABLE duty_free_campaign DROP CONSTRAINT ck_duty_free_campaign_stock")
    )
    campaign.stock_left += 1


async def sold_out_too_early(at: Place) -> None:
    campaign = await at.one(Campaign, Campaign.id == at.world.campaign)
    campaign.stock, campaign.stock_left = campaign.stock + 1, campaign.stock_left + 1


async def stock_vanished(at: Place) -> None:
    campaign = await at.one(Campaign, Campaign.id == at.world.campaign)
    campaign.stock += 1


async def day_miscounted(at: Place) -> None:
    day = await at.one(CampaignDay, CampaignDay.campaign_id == at.world.campaign)
    day.claimed += 1


async def claim_not_recorded(at: Place) -> None:
    await at.session.delete(await at.one(AuditRecord, AuditRecord.action == "duty-free.claim"))


async def case_gone(at: Place) -> None:
    await at.session.delete(await at.case())


async def form_changed(at: Place) -> None:
    case = await at.case()
    case.form = case.form | {"mailTo": "海口市别处路 1 号"}


async def number_changed(at: Place) -> None:
    (await at.case()).number = "1"


async def state_gone_back(at: Place) -> None:
    (await at.case()).state = "accepted"


async def second_case(at: Place) -> None:
    await at.once_more(await at.case(), number=None, claim=None)


async def case_never_told(at: Place) -> None:
    await at.once_more(await at.case(), number=None, claim=None, applicant_id=new_id())


async def step_twice(at: Place) -> None:
    case = await at.case()
    step = await at.one(CaseEvent, CaseEvent.case_id == case.id, CaseEvent.verb == "approve")
    await at.once_more(step)


async def step_not_recorded(at: Place) -> None:
    case = await at.case()
    of_case = AuditRecord.object_id == case.id
    await at.session.delete(await at.one(AuditRecord, of_case, AuditRecord.action == "cases.accept"))


async def step_never_taken(at: Place) -> None:
    case = await at.case()
    await at.session.execute(
        delete(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.verb == "accept")
    )


async def file_row_gone(at: Place) -> None:
    await at.session.delete(await at.one(CaseFile))


async def file_of_another_case(at: Place) -> None:
    (await at.one(CaseFile)).case_id = new_id()


async def file_twice(at: Place) -> None:
    await at.once_more(await at.one(CaseFile))


async def file_never_told(at: Place) -> None:
    await at.once_more(await at.one(CaseFile), case_id=new_id())


async def file_bytes_gone(at: Place) -> None:
    name, content = await _stored(at)
    await objects.delete(name)
    at.undo.push_async_callback(objects.put, name, content)


async def file_bytes_changed(at: Place) -> None:
    name, content = await _stored(at)
    await objects.put(name, content[:-1] + bytes([content[-1] ^ 1]))
    at.undo.push_async_callback(objects.put, name, content)


async def _stored(at: Place) -> tuple[str, bytes]:
    """The name of somebody's file in the store, and what lies there."""
    row = await at.one(CaseFile)
    name = f"cases/{row.case_id}/{row.id}"
    return name, await objects.get(name)


async def passage_gone(at: Place) -> None:
    await at.session.delete(await at.one(Verification, Verification.outcome == "valid"))


async def passage_never_told(at: Place) -> None:
    row = await at.one(Verification, Verification.outcome == "valid")
    await at.once_more(row, idempotency_key="2", single_use=b"2")


async def code_lets_two_in(at: Place) -> None:
    await at.session.execute(text("DROP INDEX uq_codes_verification_single_use"))
    row = await at.one(Verification, Verification.outcome == "valid")
    await at.once_more(row, idempotency_key="2")


async def two_gates_told(at: Place) -> None:
    valid = at.world.told.valid
    valid[new_id()] = next(iter(valid.values()))


async def message_left(at: Place) -> None:
    message = await at.one(OutboxMessage, OutboxMessage.outcome == "sent")
    message.done_at, message.due_at = None, message.due_at - timedelta(hours=1)


async def job_left(at: Place) -> None:
    await outbox.enqueue(at.session, "notices.send", payload=new_id().bytes, delay=-timedelta(hours=1))


async def sms_never_sent(at: Place) -> None:
    case = await at.case()
    at.world.told.cases[case.id]["phone"] = "13000000000"


async def sms_twice(at: Place) -> None:
    """The last one: what is in somebody's inbox stays there."""
    case = await at.case()
    known = at.world.told.cases[case.id]
    inbox = await at.world.sandbox.get("/sms", params={"phone": known["phone"]})
    body = {"phone": known["phone"], "text": inbox.json()[0]["text"], "messageId": str(uuid4())}
    headers = {"X-Api-Key": Settings.from_env().registers_key}
    assert (await at.world.sandbox.post("/sms", json=body, headers=headers)).is_success


BROKEN: dict[Callable[[Place], Awaitable[None]], str] = {
    voucher_gone: "lost",
    voucher_of_somebody_else: "lost",
    second_voucher: "twice",
    voucher_used_twice: "twice",
    more_than_the_stock: "over_allocated",
    stock_not_counted_down: "over_allocated",
    sold_out_too_early: "half_done",
    stock_vanished: "half_done",
    day_miscounted: "half_done",
    claim_not_recorded: "half_done",
    case_gone: "lost",
    form_changed: "lost",
    number_changed: "lost",
    state_gone_back: "lost",
    second_case: "twice",
    case_never_told: "half_done",
    step_twice: "twice",
    step_not_recorded: "half_done",
    step_never_taken: "half_done",
    file_row_gone: "lost",
    file_of_another_case: "lost",
    file_twice: "twice",
    file_never_told: "half_done",
    file_bytes_gone: "lost",
    file_bytes_changed: "lost",
    passage_gone: "lost",
    passage_never_told: "half_done",
    code_lets_two_in: "twice",
    two_gates_told: "twice",
    message_left: "half_done",
    job_left: "half_done",
    sms_never_sent: "half_done",
    sms_twice: "twice",
}
"""What is broken, and as what it must be found."""
