"""The agency's side of the payments: objections, batches to release, the books held against the bank."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, divisions
from haiyiban.errors import Malformed, NotAllowed, Unavailable, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.registers import RegisterUnavailable
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.unemployment.models import Batch, Grant
from services.unemployment.payments import batches, reconciling, suspending
from services.unemployment.payments.batches import AlreadyReleased, BatchMissing
from services.unemployment.payments.iso20022 import NotTheDocument
from services.unemployment.payments.suspending import GrantMissing, NotSuspended, WordsNeeded

AGENCY = "human-resources"


class BankUnavailable(Unavailable):
    """The bank does not answer."""

    type = "unemployment/bank-unavailable"
    title = Words("银行暂时没有答复，请稍后再试", "The bank does not answer just now; please try again later")


class ObjectionRead(Output, omit_defaults=False):
    """An objection that waits for a decision."""

    grant_id: UUID
    because: str
    since: date
    event_on: date | None
    object_by: date | None
    words: str


class ObjectionDecision(Input):
    """The grant goes on, or it stops from the month of the event; the person reads the note."""

    decision: Literal["resume", "stop"]
    note: Annotated[str, Meta(max_length=2000)]


class ObjectionDecided(Output):
    """What became of the grant: running or ended."""

    grant_id: UUID
    state: str


class PaymentBatchRead(Output, omit_defaults=False):
    """A file of payments."""

    id: UUID
    message_id: str
    state: str
    """made, released, sent or settled."""
    count: int
    total_fen: int
    made_at: datetime
    released_at: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None


class BatchPaymentRead(Output, omit_defaults=False):
    """One month of one grant in a file; whose it is stands in the grant, not here."""

    id: UUID
    grant_id: UUID
    month: date
    amount_fen: int
    attempt: int
    """0, and one more each time the bank gave it back."""
    state: str
    """batched, paid or returned."""
    reason: str | None
    """Why the bank gave it back, by its ISO 20022 code."""


class DifferenceRead(Output):
    """One thing that two books tell differently; amounts in fen, of a grant in months."""

    what: str
    id: UUID
    ours: int
    theirs: int


class ReconciliationRead(Output):
    """Our payments against the bank's statements."""

    paid_fen: int
    bank_fen: int
    differences: list[DifferenceRead]


class PaymentsDeskController(Controller):
    """Payments of unemployment benefit at the desk."""

    path = "/zones/unemployment"
    tags = ["unemployment"]

    @get(
        "/objections",
        summary="Objections to decide",
        guards=[staff("clerk", "officer")],
        responses=problems(NotAllowed),
    )
    async def objections(
        self, request: StaffRequest, session: NamedDependency[AsyncSession]
    ) -> Page[ObjectionRead]:
        """Of my division and below, the oldest first."""
        _require_agency(request.user)
        rows = await session.scalars(
            select(Grant)
            .where(
                Grant.objection_sealed.is_not(None),
                Grant.ended_on.is_(None),
                Grant.division.in_(divisions.subtree(request.user.division)),
            )
            .order_by(Grant.suspended_on, Grant.id)
            .limit(100)
        )
        items = [
            ObjectionRead(
                grant_id=row.id,
                because=row.suspended_because or "",
                since=row.suspended_on,
                event_on=row.event_on,
                object_by=row.object_by,
                words=row.objection,
            )
            for row in rows
            if row.suspended_on is not None
        ]
        return Page(items=items, next=None)

    @post(
        "/objections/{grant_id:uuid}/decision",
        status_code=200,
        summary="Decide an objection",
        guards=[staff("clerk", "officer")],
        responses=problems(NotAllowed, GrantMissing, NotSuspended, WordsNeeded),
    )
    async def decide(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        grant_id: FromPath[UUID],
        data: JSONBody[ObjectionDecision],
    ) -> ObjectionDecided:
        """Once; the person is told."""
        _require_agency(request.user)
        grant = await suspending.decide(
            session,
            grant_id,
            divisions.subtree(request.user.division),
            resume=data.decision == "resume",
            note=data.note,
            now=clock.now(),
        )
        return ObjectionDecided(grant_id=grant.id, state="running" if grant.ended_on is None else "ended")

    @get(
        "/batches",
        summary="Files of payments",
        guards=[staff("officer")],
        responses=problems(NotAllowed, Malformed),
    )
    async def batches(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[PaymentBatchRead]:
        """Newest first; `made` ones wait for an officer."""
        require_fund(request.user)
        size = page_limit(limit)
        rows = await batches.listed(session, after=after_cursor(cursor), limit=size + 1)
        items = [_batch(row) for row in rows[:size]]
        return Page(items=items, next=cursor_of(rows[size - 1].id) if len(rows) > size else None)

    @get(
        "/batches/{batch_id:uuid}/payments",
        summary="What is in a file of payments",
        guards=[staff("officer")],
        responses=problems(NotAllowed, Malformed, BatchMissing),
    )
    async def payments(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        batch_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[BatchPaymentRead]:
        """Each payment, and what the bank said of it."""
        require_fund(request.user)
        size = page_limit(limit)
        rows = await batches.inside(session, batch_id, after=after_cursor(cursor), limit=size + 1)
        items = [
            BatchPaymentRead(
                id=row.id,
                grant_id=row.grant_id,
                month=row.month,
                amount_fen=row.amount_fen,
                attempt=row.attempt,
                state=row.state,
                reason=row.reason,
            )
            for row in rows[:size]
        ]
        return Page(items=items, next=cursor_of(rows[size - 1].id) if len(rows) > size else None)

    @post(
        "/batches/{batch_id:uuid}/release",
        status_code=200,
        summary="Release a file to the bank",
        guards=[staff("officer")],
        responses=problems(NotAllowed, BatchMissing, AlreadyReleased),
    )
    async def release(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], batch_id: FromPath[UUID]
    ) -> PaymentBatchRead:
        """The platform makes a file, an officer releases it: nobody pays alone."""
        require_fund(request.user)
        return _batch(await batches.release(session, batch_id, by=request.user.staff_id, now=clock.now()))

    @get(
        "/reconciliation",
        summary="Our books against the bank's",
        guards=[staff("officer")],
        responses=problems(NotAllowed, BankUnavailable),
    )
    async def reconciliation(self, request: StaffRequest) -> ReconciliationRead:
        """To the fen; an empty list of differences means that both tell the same."""
        require_fund(request.user)
        try:
            found = await reconciling.reconcile()
        except (RegisterUnavailable, NotTheDocument):
            raise BankUnavailable from None
        return ReconciliationRead(
            paid_fen=found.paid_fen,
            bank_fen=found.bank_fen,
            differences=[
                DifferenceRead(what=each.what, id=each.id, ours=each.ours, theirs=each.theirs)
                for each in found.differences
            ],
        )


def _require_agency(caller: StaffCaller) -> None:
    if caller.agency != AGENCY:
        raise NotAllowed


def require_fund(caller: StaffCaller) -> None:
    """The fund is one for the province, so whoever releases its files is the province's officer."""
    _require_agency(caller)
    if caller.division != divisions.PROVINCE:
        raise NotAllowed


def _batch(row: Batch) -> PaymentBatchRead:
    return PaymentBatchRead(
        id=row.id,
        message_id=row.message_id,
        state=row.state,
        count=row.count,
        total_fen=row.total_fen,
        made_at=row.made_at,
        released_at=row.released_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
    )
