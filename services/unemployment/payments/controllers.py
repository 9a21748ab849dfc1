"""A person's side of the payments: the account, the monthly word, the payments, an objection."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.context import current
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.ids import new_id
from haiyiban.masking import mask_bank_card
from haiyiban.wire import Input, Output, problems
from services.unemployment import grants
from services.unemployment.models import BankAccount, Declaration, Payment
from services.unemployment.payments import rules, suspending
from services.unemployment.payments.rules import is_account_number
from services.unemployment.payments.suspending import (
    REASONS,
    GrantMissing,
    NotSuspended,
    ObjectionOver,
    WordsNeeded,
)
from services.unemployment.schedule import label, month_of

FRESH_FACE = timedelta(minutes=10)
"""Who changes where money goes has just shown the face."""

STATES = {
    "due": Words("应发，等待报送银行", "due, waits for the bank file"),
    "batched": Words("复核、报送银行中", "being checked and sent to the bank"),
    "paid": Words("已发放", "paid"),
    "returned": Words(
        "银行退回，更正账户后补发", "returned by the bank; paid again once the account is right"
    ),
}


class InvalidAccount(Problem):
    """The number is not a bank card's."""

    type = "unemployment/invalid-account"
    title = Words("银行卡号不正确，请核对", "This is not the number of a bank card; please check it")


class AccountMissing(NotFound):
    """No account was given yet."""

    type = "unemployment/account-not-found"
    title = Words("还没有填写收款银行卡", "No bank card was given yet")


class NoGrant(Conflict):
    """Nothing is drawn at present."""

    type = "unemployment/no-grant"
    title = Words("您现在没有在领取失业保险金", "You draw no unemployment benefit at present")


class AccountCreate(Input):
    """The number of my own bank card; blanks are left out."""

    number: Annotated[str, Meta(max_length=40)]


class AccountRead(Output):
    """Where I am paid, masked."""

    number: str
    changed_at: datetime


class DeclarationRead(Output):
    """The month that I declared for, `2026-12`."""

    month: str
    declared_at: datetime


class ObjectionCreate(Input):
    """What is wrong with the suspension, in my own words."""

    words: Annotated[str, Meta(max_length=2000)]


class PaymentRead(Output, omit_defaults=False):
    """One month's payment."""

    id: UUID
    month: str
    amount_fen: int
    state: str
    """due, batched, paid or returned."""
    words: str
    attempt: int
    """From 0; above it, paid once more after the bank gave it back."""
    settled_at: datetime | None


class SuspensionRead(Output, omit_defaults=False):
    """Why a grant is not paid now, and until when I may object."""

    since: date
    because: str
    words: str
    object_by: date | None
    has_objected: bool


class GrantPayments(Output, omit_defaults=False):
    """The payments of a grant, newest first, and what keeps it from being paid."""

    grant_id: UUID
    payments: list[PaymentRead]
    suspension: SuspensionRead | None
    ended_on: date | None
    ended_because: str | None


class PaymentsController(Controller):
    """My benefit as money."""

    path = "/zones/unemployment"
    tags = ["unemployment"]
    guards = [resident(Level.L3)]

    @get(
        "/bank-account",
        summary="Where I am paid",
        responses=problems(StepUpNeeded, AccountMissing),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def account(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> AccountRead:
        """My bank card, masked."""
        found = await session.get(BankAccount, request.user.person_id)
        if found is None:
            raise AccountMissing
        return AccountRead(number=mask_bank_card(found.number), changed_at=found.changed_at)

    @post(
        "/bank-account",
        status_code=200,
        summary="Say where to pay me",
        guards=[resident(Level.L3, fresh=FRESH_FACE)],
        responses=problems(StepUpNeeded, InvalidAccount),
    )
    async def give_account(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], data: JSONBody[AccountCreate]
    ) -> AccountRead:
        """The card must be my own: the bank compares the name. What came back is then paid again."""
        number = data.number.replace(" ", "").replace("-", "")
        if not is_account_number(number):
            raise InvalidAccount(errors=[FieldError("/number", InvalidAccount.title)])
        now = clock.now()
        found = await session.get(BankAccount, request.user.person_id, with_for_update=True)
        if found is None:
            found = BankAccount(person_id=_person(request), id=new_id())
            session.add(found)
        found.number = number
        found.changed_at = now
        await session.flush()
        await audit.record(
            session,
            "unemployment.change-account",
            subject=_person(request),
            object_kind="unemployment-account",
            object_id=found.id,
            fields=["number"],
        )
        return AccountRead(number=mask_bank_card(number), changed_at=now)

    @post(
        "/declarations",
        status_code=200,
        summary="I am still out of work",
        responses=problems(StepUpNeeded, NoGrant),
    )
    async def declare(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> DeclarationRead:
        """For this month, and for those of the grant before it that were not declared for: out of work and
        seeking. Said twice, the first word counts."""
        grant = await grants.running(session, _person(request))
        if grant is None:
            raise NoGrant
        now = clock.now()
        month = clock.local_date(now).replace(day=1)
        await session.execute(
            upsert(Declaration)
            .values(
                [
                    {"grant_id": grant.id, "month": each, "declared_at": now}
                    for each in rules.spoken_for(month, starts_on=grant.starts_on)
                ]
            )
            .on_conflict_do_nothing()
        )
        found = await session.get_one(Declaration, (grant.id, month))
        await audit.record(
            session,
            "unemployment.declare",
            subject=grant.person_id,
            object_kind="unemployment-grant",
            object_id=grant.id,
        )
        return DeclarationRead(month=label(month), declared_at=found.declared_at)

    @get(
        "/grants/{grant_id:uuid}/payments",
        summary="The payments of a grant of mine",
        responses=problems(StepUpNeeded, GrantMissing),
        cache_control=CacheControlHeader(no_store=True),
    )
    async def payments(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], grant_id: FromPath[UUID]
    ) -> GrantPayments:
        """Every month with its state, what the bank gave back, and a suspension with its reason."""
        return await _payments(session, grant_id, _person(request))

    @post(
        "/grants/{grant_id:uuid}/objection",
        status_code=200,
        summary="Object to a suspension",
        responses=problems(StepUpNeeded, GrantMissing, NotSuspended, ObjectionOver, WordsNeeded),
    )
    async def object_to(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        grant_id: FromPath[UUID],
        data: JSONBody[ObjectionCreate],
    ) -> GrantPayments:
        """Within ten working days; a clerk then decides, and nothing stops before."""
        await suspending.object_to(session, grant_id, _person(request), data.words, now=clock.now())
        return await _payments(session, grant_id, _person(request))


async def _payments(session: AsyncSession, grant_id: UUID, person_id: UUID) -> GrantPayments:
    found = [grant for grant in await grants.of_person(session, person_id) if grant.id == grant_id]
    if not found:
        raise GrantMissing
    grant, language = found[0], current().language
    rows = await session.scalars(
        select(Payment)
        .where(Payment.grant_id == grant_id, Payment.move_id.is_(None))
        .order_by(Payment.number.desc(), Payment.attempt.desc())
    )
    suspension = None
    words = REASONS.get(grant.suspended_because or "")
    if grant.suspended_on is not None and words is not None:
        suspension = SuspensionRead(
            since=grant.suspended_on,
            because=grant.suspended_because or "",
            words=words.in_language(language),
            object_by=grant.object_by,
            has_objected=grant.objection_sealed is not None,
        )
    return GrantPayments(
        grant_id=grant_id,
        payments=[
            PaymentRead(
                id=row.id,
                month=label(month_of(grant.starts_on, row.number)),
                amount_fen=row.amount_fen,
                state=row.state,
                words=STATES[row.state].in_language(language),
                attempt=row.attempt,
                settled_at=row.settled_at,
            )
            for row in rows
        ],
        suspension=suspension,
        ended_on=grant.ended_on,
        ended_because=grant.ended_because,
    )


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
