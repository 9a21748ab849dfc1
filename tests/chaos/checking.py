"""What people were told, held against what the database, the folder of files and the SMS gateway have."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit.models import AuditRecord
from haiyiban.cases import materials
from haiyiban.cases.materials import FileMissing
from haiyiban.cases.models import Case, CaseEvent, CaseFile
from haiyiban.codes.models import Verification
from haiyiban.crypto import KeyMissing
from haiyiban.db import database
from haiyiban.outbox import OutboxMessage
from services.duty_free.vouchers.models import Campaign, CampaignDay, Voucher
from services.duty_free.vouchers.settlement_models import Redemption
from tests.chaos.people import LICENCE, World

SETTLED_SECONDS = 180.0
"""Within which everything that was promised is done, once nothing is broken any more."""
OVERDUE = "now() - interval '1 minute'"
"""What was due before that and still waits was forgotten; what is due now is on its way."""
STEPS = ("submit", "accept", "approve")


@dataclass
class Found:
    """What is wrong, by kind; all lists are empty where the promise holds."""

    lost: list[str] = field(default_factory=list)
    """Told, and not there."""
    twice: list[str] = field(default_factory=list)
    over_allocated: list[str] = field(default_factory=list)
    """Given out, and not there to give."""
    half_done: list[str] = field(default_factory=list)
    """There in part, promised and not done, or there and never told."""

    @property
    def nothing(self) -> bool:
        return not any(asdict(self).values())


async def settled() -> None:
    """Wait until the worker has done what was promised, so long and no longer: `check` says what is left."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while await _has_work():
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.5)


async def _has_work() -> bool:
    """Whether the worker still has something to do."""
    try:
        async with database().transaction() as session:
            messages = await _count(session, select(OutboxMessage).where(OutboxMessage.done_at.is_(None)))
            jobs = await session.scalar(text("SELECT count(*) FROM pgqueuer WHERE execute_after <= now()"))
    except (OSError, DBAPIError):
        return True  # a connection of before a kill; the next one is new
    return bool(messages or jobs)


async def check(world: World) -> Found:
    """Everything that anybody was told, and everything that is there."""
    async with database().transaction() as session:
        return await look(session, world)


async def look(session: AsyncSession, world: World) -> Found:
    """`check`, as this transaction sees it."""
    found = Found()
    await _vouchers(session, world, found)
    await _cases(session, world, found)
    await _files(session, world, found)
    await _codes(session, world, found)
    await _promises(session, found)
    await _messages(world, found)
    return found


async def _vouchers(session: AsyncSession, world: World, found: Found) -> None:
    of_campaign = Voucher.campaign_id == world.campaign
    rows = (await session.execute(select(Voucher.person_id, Voucher.id).where(of_campaign))).all()
    campaign = await session.get_one(Campaign, world.campaign)
    by_day = await session.scalar(
        select(func.sum(CampaignDay.claimed)).where(CampaignDay.campaign_id == world.campaign)
    )
    audited = await _count(session, select(AuditRecord).where(AuditRecord.action == "duty-free.claim"))
    used = await session.scalars(
        select(Redemption.voucher_id)
        .where(Redemption.state == "redeemed")
        .group_by(Redemption.voucher_id)
        .having(func.count() > 1)
    )
    kept = {(person, str(voucher)) for person, voucher in rows}
    told = set(world.told.vouchers.items())
    found.lost += [f"voucher {voucher}" for _, voucher in told - kept]
    found.half_done += [f"voucher {voucher}, never told" for _, voucher in kept - told]
    found.twice += [
        f"vouchers of {who}" for who, count in Counter(row[0] for row in rows).items() if count > 1
    ]
    found.twice += [f"voucher {each} used" for each in used]
    if len(rows) + campaign.stock_left > campaign.stock:
        found.over_allocated.append(f"{len(rows)} vouchers of {campaign.stock}, {campaign.stock_left} left")
    if world.told.sold_out and campaign.stock_left:
        found.half_done.append(f"sold out with {campaign.stock_left} left")
    sums = len(rows) + campaign.stock_left, by_day or 0, audited
    if sums != (campaign.stock, len(rows), len(rows)):
        found.half_done.append(f"the books: {sums} of {campaign.stock}, {len(rows)} vouchers")


async def _cases(session: AsyncSession, world: World, found: Found) -> None:
    rows = {row.id: row for row in await session.scalars(select(Case).where(Case.matter == LICENCE))}
    steps = Counter(
        (row[0], row[1]) for row in await session.execute(select(CaseEvent.case_id, CaseEvent.verb))
    )
    audited = Counter(
        (row[0], row[1])
        for row in await session.execute(
            select(AuditRecord.object_id, AuditRecord.action).where(AuditRecord.object_kind == "case")
        )
    )
    for who, count in Counter(row.applicant_id for row in rows.values()).items():
        if count > 1:
            found.twice.append(f"{count} cases of {who}")
    found.half_done += [f"case {each}, never told" for each in rows.keys() - world.told.cases.keys()]
    for case_id, known in world.told.cases.items():
        row = rows.get(case_id)
        if row is None:
            found.lost.append(f"case {case_id}")
            continue
        is_there = {"mailTo": row.form.get("mailTo"), "number": row.number, "state": row.state}
        was_told = {name: known.get(name) for name in is_there}
        if is_there != was_told:
            found.lost.append(f"case {case_id}: told {was_told}, there is {is_there}")
        for step in STEPS:
            taken, recorded = steps[case_id, step], audited[case_id, f"cases.{step}"]
            if taken > 1:
                found.twice.append(f"{step} of case {case_id}")
            if taken != recorded:
                found.half_done.append(f"case {case_id}: {taken} × {step}, recorded {recorded} times")


async def _files(session: AsyncSession, world: World, found: Found) -> None:
    rows = {row.id: row for row in await session.scalars(select(CaseFile))}
    for file_id, (case_id, content) in world.told.files.items():
        row = rows.get(file_id)
        if row is None or row.case_id != case_id:
            found.lost.append(f"file {file_id}")
        elif await _bytes_of(row) != content:
            found.lost.append(f"file {file_id}: other bytes, or none")
    for case_id, count in Counter(row.case_id for row in rows.values()).items():
        if count > 1:
            found.twice.append(f"{count} files of case {case_id}")
    found.half_done += [f"file {each}, never told" for each in rows.keys() - world.told.files.keys()]


async def _bytes_of(row: CaseFile) -> bytes:
    """What the store has of a file; nothing where it is gone or does not open."""
    try:
        return (await materials.content(row)).content
    except (FileMissing, KeyMissing):
        return b""


async def _codes(session: AsyncSession, world: World, found: Found) -> None:
    let_in = select(Verification.id, Verification.single_use).where(Verification.outcome == "valid")
    rows = {row[0]: row[1] for row in await session.execute(let_in)}
    told = world.told.valid
    found.twice += [
        f"code {each!r} let in {count}" for each, count in Counter(rows.values()).items() if count > 1
    ]
    found.twice += [
        f"code {each}: {count} told valid" for each, count in Counter(told.values()).items() if count > 1
    ]
    found.lost += [f"passage {each}" for each in told.keys() - rows.keys()]
    found.half_done += [f"passage {each}, never told" for each in rows.keys() - told.keys()]


async def _promises(session: AsyncSession, found: Found) -> None:
    """Messages and jobs that nobody looks after any more."""
    waiting = select(OutboxMessage).where(
        OutboxMessage.done_at.is_(None), OutboxMessage.due_at < text(OVERDUE)
    )
    if messages := await _count(session, waiting):
        found.half_done.append(f"{messages} messages still to be sent")
    if jobs := await session.scalar(text(f"SELECT count(*) FROM pgqueuer WHERE execute_after < {OVERDUE}")):
        found.half_done.append(f"{jobs} jobs still to be done")


async def _messages(world: World, found: Found) -> None:
    """No SMS twice, and one for each step of a case that its applicant was told of."""
    for case_id, known in world.told.cases.items():
        sent = await world.sandbox.get("/sms", params={"phone": known["phone"]})
        texts = [message["text"] for message in sent.json()]
        found.twice += [f"SMS of case {case_id}: {each}" for each, n in Counter(texts).items() if n > 1]
        if known["state"] != "draft" and not any(known["number"] in each for each in texts):
            found.half_done.append(f"case {case_id}: no SMS")


async def _count(session: AsyncSession, rows: Any) -> int:
    return await session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def verify_audit() -> str:
    """What `haiyiban audit verify` has to complain of, on the database of this process's environment."""
    command = [sys.executable, "-m", "haiyiban.cli", "audit", "verify"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return "" if said.returncode == 0 else f"audit verify: {said.stdout}{said.stderr}"
