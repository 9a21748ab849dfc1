"""The ledger (台账) of a village agent: everything done in a day, for whom, under which paper.

It is read off what was done and never written by hand, so it cannot differ from it.
Source: docs/domain.md §0 (六个一: 一本台账).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import spreadsheet
from haiyiban.cases.models import Case, CaseEvent
from haiyiban.cases.states import By
from haiyiban.clock import SHANGHAI
from haiyiban.delegations import Delegation
from haiyiban.errors import Words
from haiyiban.identity.models import Person
from haiyiban.masking import mask_name
from haiyiban.matters import catalogue

ACTS = {
    "recorded": Words("登记委托", "Consent recorded"),
    "ended": Words("解除委托", "Consent ended"),
    "opened": Words("代为发起申请", "Case opened"),
    "submission": Words("代为提交", "Handed in"),
    "withdrawal": Words("代为撤回", "Withdrawn"),
}
COLUMNS = (
    "序号",
    "时间",
    "委托人",
    "事项",
    "办件编号",
    "代办内容",
    "委托书存放处",
    "委托书摘要值",
    "委托编号",
)


class Entry(NamedTuple):
    """One line."""

    at: datetime
    act: str
    """A key of ACTS."""
    giver: str
    """Masked."""
    matter: str | None
    number: str | None
    """办件编号, once handed in."""
    reference: str
    """Where the paper is filed."""
    document_hash: str
    delegation_id: UUID


async def of_day(session: AsyncSession, agent_id: UUID, day: date) -> list[Entry]:
    """What an agent did on a day in Hainan, the earliest first."""
    begins = datetime.combine(day, time(), tzinfo=SHANGHAI)
    ends = begins + timedelta(days=1)
    made = await _consents(session, agent_id, begins, ends)
    return sorted([*made, *await _acts(session, agent_id, begins, ends)], key=lambda entry: entry.at)


async def _consents(session: AsyncSession, agent_id: UUID, begins: datetime, ends: datetime) -> list[Entry]:
    rows = await session.execute(
        select(Delegation, Person)
        .join(Person, Person.id == Delegation.giver_id)
        .where(
            Delegation.agent_id == agent_id,
            Delegation.made_at.between(begins, ends) | Delegation.ended_at.between(begins, ends),
        )
    )
    entries = []
    for delegation, giver in rows:
        for act, at in (("recorded", delegation.made_at), ("ended", delegation.ended_at)):
            if at is not None and begins <= at < ends:
                entries.append(_entry(delegation, giver, at=at, act=act))
    return entries


async def _acts(session: AsyncSession, agent_id: UUID, begins: datetime, ends: datetime) -> list[Entry]:
    rows = await session.execute(
        select(CaseEvent.at, CaseEvent.verb, Case, Delegation, Person)
        .join(Case, Case.id == CaseEvent.case_id)
        .join(Delegation, Delegation.id == Case.delegation_id)
        .join(Person, Person.id == Delegation.giver_id)
        .where(
            Delegation.agent_id == agent_id,
            CaseEvent.by_id == agent_id,
            CaseEvent.by_kind == By.APPLICANT.value,
            CaseEvent.at >= begins,
            CaseEvent.at < ends,
        )
    )
    return [
        _entry(delegation, giver, at=at, act=verb, case=case) for at, verb, case, delegation, giver in rows
    ]


def _entry(
    delegation: Delegation, giver: Person, *, at: datetime, act: str, case: Case | None = None
) -> Entry:
    return Entry(
        at=at,
        act=act,
        giver=mask_name(giver.name),
        matter=catalogue().version(case.matter, case.matter_version).name.zh if case else None,
        number=case.number if case else None,
        reference=delegation.paper["reference"],
        document_hash=delegation.paper["documentHash"],
        delegation_id=delegation.id,
    )


def as_csv(entries: Sequence[Entry]) -> bytes:
    """The ledger as a table for any spreadsheet."""
    return spreadsheet.as_csv(
        COLUMNS,
        (
            [
                serial,
                entry.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
                entry.giver,
                entry.matter or "",
                entry.number or "",
                ACTS[entry.act].zh,
                entry.reference,
                entry.document_hash,
                str(entry.delegation_id),
            ]
            for serial, entry in enumerate(entries, 1)
        ),
    )
