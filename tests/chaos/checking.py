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
from haiyiban.cases.models import Case, CaseEvent, CaseFile
from haiyiban.codes.models import Verification
from haiyiban.db import database
from haiyiban.outbox import OutboxMessage
from services.duty_free.vouchers.models import Campaign, CampaignDay, Voucher
from tests.chaos.people import LICENCE, World

SETTLED_SECONDS = 180.0
"""Within which everything that was promised is done, once nothing is broken any more."""
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
    """Wait until the worker has done what was promised. Raises AssertionError."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while left := await _left():
        assert time.monotonic() < deadline, f"still to do: {left}"
        await asyncio.sleep(0.5)


async def _left() -> str:
    """What the worker still has to do."""
    try:
        async with database().transaction() as session:
            messages = await _count(session, select(OutboxMessage).where(OutboxMessage.done_at.is_(None)))
            jobs = await session.scalar(text("SELECT count(*) FROM pgqueuer WHERE execute_after <= now()"))
    except (OSError, DBAPIError) as error:
        return f"unknown: {error}"  # a connection of before a kill; the next one is new
    return f"{messages} messages, {jobs} jobs" if messages or jobs else ""


async def check(world: World) -> Found:
    """Everything that anybody was told, and everything that is there."""
    found = Found()
    async with database().transaction() as session:
        await _vouchers(session, world, found)
        await _cases(session, world, found)
        await _files(session, world, found)
        await _codes(session, world, found)
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
    kept = {person: str(voucher) for person, voucher in rows}
    told = world.told.vouchers
    found.lost += [f"voucher {each}" for person, each in told.items() if kept.get(person) != each]
    found.twice += [
        f"vouchers of {who}" for who, count in Counter(row[0] for row in rows).items() if count > 1
    ]
    found.half_done += [f"voucher of {who}, never told" for who in kept.keys() - told.keys()]
    if len(rows) > campaign.stock:
        found.over_allocated.append(f"{len(rows)} vouchers of {campaign.stock}")
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
        elif (await materials.content(row)).content != content:
            found.lost.append(f"file {file_id}: other bytes")
    for case_id, count in Counter(row.case_id for row in rows.values()).items():
        if count > 1:
            found.twice.append(f"{count} files of case {case_id}")
    found.half_done += [f"file {each}, never told" for each in rows.keys() - world.told.files.keys()]


async def _codes(session: AsyncSession, world: World, found: Found) -> None:
    valid = Counter(
        await session.scalars(select(Verification.single_use).where(Verification.outcome == "valid"))
    )
    found.twice += [f"code {each!r} let in {count} times" for each, count in valid.items() if count > 1]
    found.twice += [
        f"code {each}: {count} told valid" for each, count in world.told.valid.items() if count > 1
    ]
    if valid.total() != world.told.valid.total():
        found.lost.append(f"{world.told.valid.total()} let in, {valid.total()} recorded")


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
