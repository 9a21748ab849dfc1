"""The monthly run: each grant with a month due is checked by the registers and paid, held or suspended.

It runs each hour and not once a month: what a silent register, a missing declaration or a dead worker left
undone is found and done by the next one, and what is done is not done again.
Source: docs/domain.md §7.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, cast
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, notices, registers
from haiyiban.db import database
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from haiyiban.notices import Told
from haiyiban.registers import Question, RegisterAnswer, RegisterName
from services.unemployment.estimate import ASKED, day, situation_of
from services.unemployment.models import BankAccount, Declaration, Grant, Payment
from services.unemployment.payments import rules, suspending
from services.unemployment.payments.rules import Against, Event, Said
from services.unemployment.rules import monthly_fen
from services.unemployment.schedule import label, month_of
from services.unemployment.standards import standards

AT_ONCE = 100
"""Grants judged in one transaction."""
RECHECKED: tuple[RegisterName, ...] = (*ASKED, "deregistration", "custody")
"""Employment, insurance and pension, and those who tell of death, service, moving abroad and prison."""

Answers = Mapping[RegisterName, RegisterAnswer]


class _Candidate(NamedTuple):
    grant_id: UUID
    id_number: str
    id_type: str


async def run(_: bytes = b"") -> None:
    """Judge every grant with a month due, part after part."""
    await suspending.stop_what_nobody_objected_to()
    after: UUID | None = None
    while True:
        async with database().reading() as look:
            found = await _candidates(look, after, today=clock.today())
        if not found:
            return
        after = found[-1].grant_id
        answers = await _asked(found)
        async with database().transaction() as session:
            await _judge(session, answers, now=clock.now())


async def _candidates(session: AsyncSession, after: UUID | None, *, today: date) -> Sequence[_Candidate]:
    """The next grants that may have a month due: running ones, and those whose last payment came back."""
    query = (
        select(Grant.id, Person)
        .join(Person, Person.id == Grant.person_id)
        .where(
            Grant.suspended_on.is_(None),
            Grant.used < Grant.months,
            or_(Grant.ended_on.is_(None), Grant.ended_because == "used_up"),
            Grant.starts_on <= today,
        )
        .order_by(Grant.id)
        .limit(AT_ONCE)
    )
    if after is not None:
        query = query.where(Grant.id > after)
    return [_Candidate(id_, person.id_number, person.id_type) for id_, person in await session.execute(query)]


async def _asked(found: Sequence[_Candidate]) -> dict[UUID, Answers]:
    """What the registers say of a part, in a few calls of each."""
    said = await registers.current().ask_crowd(
        {
            (one.grant_id, name): Question(name, one.id_number, one.id_type)
            for one in found
            for name in RECHECKED
        }
    )
    return {one.grant_id: {name: said[one.grant_id, name] for name in RECHECKED} for one in found}


async def _judge(session: AsyncSession, answers: Mapping[UUID, Answers], *, now: datetime) -> None:
    today = clock.local_date(now)
    grants = (
        await session.scalars(
            select(Grant)
            .where(Grant.id.in_(answers), Grant.suspended_on.is_(None))
            .order_by(Grant.id)
            .with_for_update()
        )
    ).all()
    books = await _books(session, grants)
    reminders: dict[str, list[Told]] = {"unemployment.declare": [], "unemployment.give-account": []}
    for grant in grants:
        check = rules.recheck(_said(answers[grant.id], today=today), set_aside=_set_aside(grant))
        if check == "unknown":
            continue
        if check != "clear":
            await suspending.suspend(session, grant, check, now=now)
            continue
        reminder = _pay(session, grant, books, now=now)
        if reminder is not None and grant.reminded_for != today.replace(day=1):
            grant.reminded_for = today.replace(day=1)
            reminders[reminder].append(Told(grant.person_id, grant.id, {"month": label(today)}))
    for template, told in reminders.items():
        await notices.tell_persons(session, template, told)


def _said(answers: Answers, *, today: date) -> Said:
    """What each register says against a grant, in its own words; a day that is none counts as not said."""
    situation = situation_of(answers, today=today)
    data = {name: answer.data for name, answer in answers.items() if answer.state == "known"}
    employed_since = (data.get("employment", {}).get("employment") or {}).get("since")
    holds: dict[Against, tuple[bool | None, object]] = {
        "employed": (situation.is_employed, employed_since),
        "insured": (situation.is_insured, None),
        "pension": (situation.draws_pension, data.get("pension", {}).get("since")),
    }
    said: dict[str, Event | Literal["clear", "unknown"]] = {
        against: "unknown" if is_so is None else Event(against, day(since)) if is_so else "clear"
        for against, (is_so, since) in holds.items()
    }
    for register in ("deregistration", "custody"):
        said[register] = "unknown" if answers[register].state == "unknown" else "clear"
    if gone := data.get("deregistration"):
        said["deregistration"] = Event(gone["reason"], day(gone["on"]))
    if held := data.get("custody"):
        until = day(held.get("until"))
        if until is None or until >= today:
            said["custody"] = Event("imprisoned", day(held["since"]))
    return said


def _set_aside(grant: Grant) -> Event | None:
    return Event(cast("Against", grant.set_aside), grant.set_aside_since) if grant.set_aside else None


class _Books(NamedTuple):
    """What is known of some grants: their payments, the months declared for, whose account is known."""

    payments: Mapping[UUID, Sequence[Payment]]
    declared: frozenset[tuple[UUID, date]]
    accounts: Mapping[UUID, datetime]


async def _books(session: AsyncSession, grants: Sequence[Grant]) -> _Books:
    ids = [grant.id for grant in grants]
    payments: dict[UUID, list[Payment]] = {}
    for payment in await session.scalars(select(Payment).where(Payment.grant_id.in_(ids))):
        payments.setdefault(payment.grant_id, []).append(payment)
    declared = await session.execute(
        select(Declaration.grant_id, Declaration.month).where(Declaration.grant_id.in_(ids))
    )
    accounts = await session.execute(
        select(BankAccount.person_id, BankAccount.changed_at).where(
            BankAccount.person_id.in_([grant.person_id for grant in grants])
        )
    )
    return _Books(
        payments, frozenset((row[0], row[1]) for row in declared), {row[0]: row[1] for row in accounts}
    )


def _pay(session: AsyncSession, grant: Grant, books: _Books, *, now: datetime) -> str | None:
    """Make the payments of every month that is due. Returns what to remind the person of, if anything."""
    today = clock.local_date(now)
    mine = books.payments.get(grant.id, ())
    account_since = books.accounts.get(grant.person_id)
    for number in range(grant.months):
        month = month_of(grant.starts_on, number)
        if rules.due_on(month) > today:
            return None
        attempts = [each for each in mine if each.number == number]
        if any(each.state != "returned" for each in attempts):
            continue
        came_back = max((each.settled_at for each in attempts if each.settled_at), default=None)
        if account_since is None or (came_back is not None and account_since <= came_back):
            return "unemployment.give-account"
        # The application itself says it for the first month.
        if number and (grant.id, month) not in books.declared:
            return "unemployment.declare"
        amount = monthly_fen(grant.division, paid_on=today, standards=standards())
        if amount is None:
            return None
        session.add(
            Payment(
                id=new_id(),
                grant_id=grant.id,
                number=number,
                attempt=len(attempts),
                month=month,
                amount_fen=amount,
                state="due",
                made_at=now,
            )
        )
    return None
