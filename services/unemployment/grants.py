"""Grants: what an approval brings about, and what it leaves when it is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, certificates
from haiyiban.cases.handlers import CannotApprove
from haiyiban.cases.models import Case
from haiyiban.clock import local_date
from haiyiban.errors import FieldError, Words
from haiyiban.identity import persons
from haiyiban.ids import new_id
from services.unemployment import schedule
from services.unemployment.estimate import situation_in, unused_letter
from services.unemployment.models import Grant, Move
from services.unemployment.rules import months, reasons
from services.unemployment.standards import standards

CERTIFICATE = "unemployment-benefit"


async def running(session: AsyncSession, person_id: UUID) -> Grant | None:
    """The grant that a person draws now."""
    found: Grant | None = await session.scalar(
        select(Grant).where(Grant.person_id == person_id, Grant.ended_on.is_(None))
    )
    return found


async def of_person(session: AsyncSession, person_id: UUID) -> Sequence[Grant]:
    """All grants of a person, newest first; nobody has many."""
    rows = await session.scalars(select(Grant).where(Grant.person_id == person_id).order_by(Grant.id.desc()))
    return rows.all()


async def left_over(session: AsyncSession, person_id: UUID) -> int:
    """Months of ended grants that were never paid and not carried into a later one yet.

    Only the newest ended grant counts: what earlier ones left went into it. What moved to another province is
    not left here. Source: 社会保险法 art. 46, 52.
    """
    newest = await newest_ended(session, person_id)
    if newest is None:
        return 0
    moved = select(Move.id).where(Move.grant_id == newest, Move.state != "decided").exists()
    left = await session.scalar(select(Grant.months - Grant.used).where(Grant.id == newest, ~moved))
    return left or 0


async def newest_ended(session: AsyncSession, person_id: UUID) -> UUID | None:
    """The grant that a person drew last and draws no more."""
    found: UUID | None = await session.scalar(
        select(Grant.id)
        .where(Grant.person_id == person_id, Grant.ended_on.is_not(None))
        .order_by(Grant.id.desc())
        .limit(1)
    )
    return found


async def award(session: AsyncSession, case: Case, *, now: datetime) -> UUID:
    """Grant what the registers say the person has earned, with its certificate, whose id is returned.

    Raises CannotApprove where a condition fails, or where the contributions or the place are not known.
    """
    assert case.submitted_at is not None, "what is approved was handed in"
    today = local_date(now)
    held = standards()
    table = held.month_table(today)
    situation = await unused_letter(session, situation_in(case.facts or {}, today=today))
    failed = [reason for reason in reasons(situation, table, held) if reason.state == "not_met"]
    if failed:
        raise CannotApprove(errors=[FieldError("", reason.words) for reason in failed])
    if situation.paid_months is None or situation.division is None:
        raise CannotApprove(
            errors=[
                FieldError(
                    "/insurance/months",
                    Words(
                        "参保缴费记录还没有查到，系统每分钟会再查；查到后再批准",
                        "The record of contributions has not answered yet and is asked again every minute; "
                        "approve when it has",
                    ),
                )
            ]
        )
    if await running(session, case.applicant_id) is not None:
        raise CannotApprove(errors=[FieldError("", DRAWS_ALREADY)])
    moved_in = situation.moved_in
    carried = await left_over(session, case.applicant_id) + (moved_in.months_left if moved_in else 0)
    length = months(situation.paid_months, table, left=carried)
    starts_on = local_date(case.submitted_at)
    person = await persons.get(session, case.applicant_id)
    certificate = await certificates.issue(
        session,
        CERTIFICATE,
        holder_id=person.id,
        keeper_id=person.id,
        claims={
            "name": person.name,
            "idNumber": person.id_number,
            "division": situation.division,
            "months": length,
            "from": schedule.label(starts_on),
            "until": schedule.label(schedule.month_of(starts_on, length - 1)),
        },
        case_id=case.id,
        # It proves nothing after the last month that is paid for.
        valid_until=schedule.month_of(starts_on, length) - timedelta(days=1),
        agency=case.agency,
        division=case.division,
        now=now,
    )
    session.add(
        Grant(
            id=new_id(),
            case_id=case.id,
            person_id=person.id,
            certificate_id=certificate.id,
            division=situation.division,
            paid_months=situation.paid_months,
            carried=min(carried, length),
            letter=moved_in.letter if moved_in else None,
            months=length,
            used=0,
            starts_on=starts_on,
            granted_at=now,
        )
    )
    await session.flush()
    await _record(session, case, "grant")
    return certificate.id


async def take_back(session: AsyncSession, case: Case) -> None:
    """The approval was undone within its minute, before anything could be paid: no grant is left."""
    gone = await session.scalar(
        delete(Grant).where(Grant.case_id == case.id, Grant.used == 0).returning(Grant.id)
    )
    if gone is not None:
        await _record(session, case, "take-grant-back")


def ends_on(grant: Grant) -> date:
    """The first day of the last month that a grant pays for."""
    return schedule.month_of(grant.starts_on, grant.months - 1)


DRAWS_ALREADY = Words(
    "您已在领取失业保险金，不能重复申领；可在「我的失业保险金」查看",
    "You draw unemployment benefit already and cannot apply for it twice; see it under your grants",
)


async def _record(session: AsyncSession, case: Case, act: str) -> None:
    await audit.record(
        session,
        f"unemployment.{act}",
        subject=case.applicant_id,
        object_kind="case",
        object_id=case.id,
        reason=case.matter,
    )
