"""The ledger of a village agent over HTTP: as a list, and as CSV to print and file."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, context
from haiyiban.cases import ledger
from haiyiban.cases.ledger import ACTS, Entry
from haiyiban.delegations import AGENT_ROLE
from haiyiban.errors import Malformed
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Output, problems

Day = Annotated[date | None, QueryParameter(name="day")]


class LedgerEntry(Output, omit_defaults=False):
    """One line of the ledger; the villager is masked."""

    serial: int
    at: datetime
    act: str
    """recorded, ended, opened, submission or withdrawal."""
    what: str
    """The same in words."""
    giver: str
    matter: str | None
    number: str | None
    reference: str
    """Where the signed paper is filed."""
    document_hash: str
    delegation: UUID


class LedgerRead(Output, omit_defaults=False):
    """One day, complete; `next` is always null."""

    day: date
    items: list[LedgerEntry]
    next: str | None = None


class LedgerController(Controller):
    """My ledger (台账): what I did for villagers on a day."""

    path = "/desk"
    tags = ["delegations"]
    guards = [staff(AGENT_ROLE)]

    @get("/ledger", summary="My ledger of a day", responses=problems(Malformed))
    async def read(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], day: Day = None
    ) -> LedgerRead:
        """The earliest first; today unless `day` says otherwise."""
        wanted = day or clock.today()
        language = context.current().language
        return LedgerRead(
            day=wanted,
            items=[
                LedgerEntry(
                    serial=serial,
                    at=entry.at,
                    act=entry.act,
                    what=ACTS[entry.act].in_language(language),
                    giver=entry.giver,
                    matter=entry.matter,
                    number=entry.number,
                    reference=entry.reference,
                    document_hash=entry.document_hash,
                    delegation=entry.delegation_id,
                )
                for serial, entry in enumerate(await _entries(session, request, wanted), 1)
            ],
        )

    @get("/ledger.csv", summary="My ledger as a table", media_type="text/csv", responses=problems(Malformed))
    async def table(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], day: Day = None
    ) -> Response[bytes]:
        """The same as CSV (UTF-8 with its mark), to print and file."""
        wanted = day or clock.today()
        return Response(
            ledger.as_csv(await _entries(session, request, wanted)),
            media_type="text/csv",
            headers={"content-disposition": f'attachment; filename="ledger-{wanted.isoformat()}.csv"'},
        )


async def _entries(session: AsyncSession, request: StaffRequest, day: date) -> list[Entry]:
    """The lines of a day; that they were read is recorded."""
    entries = await ledger.of_day(session, request.user.staff_id, day)
    await audit.record(
        session,
        "delegations.read-ledger",
        object_kind="staff",
        object_id=request.user.staff_id,
        fields=["giver", "matter", "number"],
        reason=f"ledger of {day.isoformat()}",
    )
    return entries
