"""The operator's side of campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.wire import Input, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.duty_free.vouchers import campaigning
from services.duty_free.vouchers.campaigning import Known
from services.duty_free.vouchers.claiming import CampaignMissing
from services.duty_free.vouchers.models import Campaign

Instant = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Fen = Annotated[int, Meta(ge=1, le=10**9)]
Stock = Annotated[int, Meta(ge=0, le=10**9)]
Count = Annotated[int, Meta(ge=1, le=1000)]
_AWAITING = "Waits for the second person"
Shops = Annotated[list[UUID], Meta(max_length=1000)]


class CampaignCreate(Input):
    """A campaign to make, as a draft that nobody sees. `shops`: ids of verifiers with the purpose `shop`.
    `fourEyes`: opened by two persons; a deployment may ask for that of every campaign."""

    code: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Name
    name_en: Name
    opens_at: Instant
    closes_at: Instant
    face_fen: Fen
    threshold_fen: Fen
    stock: Stock
    valid_hours: Annotated[int, Meta(ge=1, le=24 * 366)]
    stock_per_day: Stock | None = None
    per_person: Count = 1
    per_person_per_day: Count = 1
    min_level: Literal["L2", "L3"] = "L3"
    for_visitors: bool = True
    stack_most: Annotated[int, Meta(ge=1, le=20)] = 1
    four_eyes: bool = False
    shops: Shops = msgspec.field(default_factory=list)


class CampaignChange(Input):
    """What to change; the rest stays. Of a campaign that has been open: name, nameEn, closesAt, stock,
    stockPerDay (null: no limit by the day) and shops."""

    name: Name | UnsetType = UNSET
    name_en: Name | UnsetType = UNSET
    opens_at: Instant | UnsetType = UNSET
    closes_at: Instant | UnsetType = UNSET
    face_fen: Fen | UnsetType = UNSET
    threshold_fen: Fen | UnsetType = UNSET
    stock: Stock | UnsetType = UNSET
    valid_hours: Annotated[int, Meta(ge=1, le=24 * 366)] | UnsetType = UNSET
    stock_per_day: Stock | UnsetType | None = UNSET
    per_person: Count | UnsetType = UNSET
    per_person_per_day: Count | UnsetType = UNSET
    min_level: Literal["L2", "L3"] | UnsetType = UNSET
    for_visitors: bool | UnsetType = UNSET
    stack_most: Annotated[int, Meta(ge=1, le=20)] | UnsetType = UNSET
    shops: Shops | UnsetType = UNSET


class CampaignDeskRead(Output, omit_defaults=False):
    """A campaign as the operator sees it."""

    id: UUID
    code: str
    state: str
    """draft, open, paused, closed."""
    name: str
    name_en: str
    opens_at: datetime
    closes_at: datetime
    face_fen: int
    threshold_fen: int
    stock: int
    claimed: int
    stock_per_day: int | None
    claimed_today: int
    per_person: int
    per_person_per_day: int
    valid_hours: int
    min_level: str
    for_visitors: bool
    stack_most: int
    four_eyes: bool
    opening_awaits_second_person: bool
    shops: list[UUID]


class CampaignFigures(Output, omit_defaults=False):
    """What became of a campaign's vouchers: `unused` are still good, `returned` came back by a refund."""

    claimed: int
    redeemed: int
    unused: int
    expired: int
    returned: int
    saved_fen: int
    """What the redeemed ones took off prices."""


class CampaignDeskController(Controller):
    """Campaigns at the operator's desk."""

    path = "/zones/duty-free/desk/campaigns"
    tags = ["duty-free"]
    guards = [staff("operator")]

    @get(summary="Campaigns at the desk", responses=problems(NotSignedIn, NotAllowed, Malformed))
    async def campaigns_at_desk(
        self,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[CampaignDeskRead]:
        """Drafts and closed ones too, the newest first."""
        most, after = page_limit(limit), after_cursor(cursor)
        statement = select(Campaign).order_by(Campaign.id.desc()).limit(most + 1)
        if after is not None:
            statement = statement.where(Campaign.id < after)
        rows = (await session.scalars(statement)).all()
        shown = rows[:most]
        return Page(
            items=[_read(await campaigning.known(session, row, today=clock.today())) for row in shown],
            next=cursor_of(shown[-1].id) if len(rows) > most else None,
        )

    @post(
        status_code=201,
        summary="Make a campaign",
        responses=problems(
            NotSignedIn, NotAllowed, Malformed, campaigning.CampaignRefused, campaigning.CampaignExists
        ),
    )
    async def create(
        self, session: NamedDependency[AsyncSession], data: JSONBody[CampaignCreate]
    ) -> CampaignDeskRead:
        """A draft; nobody sees it before it is opened."""
        fields = msgspec.structs.asdict(data)
        shops = fields.pop("shops")
        return _read(await campaigning.create(session, fields, shops))

    @get(
        "/{campaign_id:uuid}",
        summary="A campaign at the desk",
        responses=problems(NotSignedIn, NotAllowed, CampaignMissing),
    )
    async def campaign_at_desk(
        self, session: NamedDependency[AsyncSession], campaign_id: FromPath[UUID]
    ) -> CampaignDeskRead:
        """In any state."""
        return _read(await campaigning.read(session, campaign_id, today=clock.today()))

    @get(
        "/{campaign_id:uuid}/figures",
        summary="What became of a campaign's vouchers",
        responses=problems(NotSignedIn, NotAllowed, CampaignMissing),
    )
    async def figures(
        self, session: NamedDependency[AsyncSession], campaign_id: FromPath[UUID]
    ) -> CampaignFigures:
        """Counted anew at each look, over all vouchers of the campaign."""
        found = await campaigning.figures(session, campaign_id)
        return CampaignFigures(
            claimed=sum(each.number for each in found.values()),
            redeemed=found["redeemed"].number,
            unused=found["claimed"].number,
            expired=found["expired"].number,
            returned=found["returned"].number,
            saved_fen=found["redeemed"].face_fen,
        )

    @patch(
        "/{campaign_id:uuid}",
        summary="Change a campaign",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            Malformed,
            CampaignMissing,
            campaigning.TermsFixed,
            campaigning.PauseFirst,
            campaigning.CampaignRefused,
            campaigning.StockBelowClaimed,
        ),
    )
    async def change(
        self,
        session: NamedDependency[AsyncSession],
        campaign_id: FromPath[UUID],
        data: JSONBody[CampaignChange],
    ) -> CampaignDeskRead:
        """A stock is never less than what was claimed of it; more of it is given out within a second. With
        four eyes an open campaign is paused first."""
        fields: dict[str, Any] = {
            name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET
        }
        shops = fields.pop("shops", None)
        return _read(await campaigning.change(session, campaign_id, fields, shops, today=clock.today()))

    @post(
        "/{campaign_id:uuid}/opening",
        status_code=200,
        summary="Open a campaign, or go on after a pause",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            CampaignMissing,
            campaigning.WrongCampaignState,
            campaigning.CampaignRefused,
        )
        | {202: ResponseSpec(CampaignDeskRead, generate_examples=False, description=_AWAITING)},
    )
    async def open(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], campaign_id: FromPath[UUID]
    ) -> Response[CampaignDeskRead]:
        """Vouchers are given out from its opening time on. It must have a shop, and its end must be ahead.
        With four eyes the first operator's call answers 202 and another's opens it."""
        moved = await self._move(request, session, campaign_id, "open")
        return Response(moved, status_code=202 if moved.opening_awaits_second_person else 200)

    @post(
        "/{campaign_id:uuid}/pause",
        status_code=200,
        summary="Pause a campaign",
        responses=problems(NotSignedIn, NotAllowed, CampaignMissing, campaigning.WrongCampaignState),
    )
    async def pause(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], campaign_id: FromPath[UUID]
    ) -> CampaignDeskRead:
        """Nothing is given out until it is opened again; vouchers that are out stay good."""
        return await self._move(request, session, campaign_id, "paused")

    @post(
        "/{campaign_id:uuid}/closure",
        status_code=200,
        summary="Close a campaign for good",
        responses=problems(NotSignedIn, NotAllowed, CampaignMissing, campaigning.WrongCampaignState),
    )
    async def close(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], campaign_id: FromPath[UUID]
    ) -> CampaignDeskRead:
        """Vouchers that are out stay good to their end."""
        return await self._move(request, session, campaign_id, "closed")

    async def _move(
        self, request: StaffRequest, session: AsyncSession, campaign_id: UUID, state: str
    ) -> CampaignDeskRead:
        moved = await campaigning.move(
            session, campaign_id, state, by=request.user.staff_id, now=clock.now(), today=clock.today()
        )
        return _read(moved)


def _read(known: Known) -> CampaignDeskRead:
    row = known.campaign
    return CampaignDeskRead(
        id=row.id,
        code=row.code,
        state=row.state,
        name=row.name,
        name_en=row.name_en,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        face_fen=row.face_fen,
        threshold_fen=row.threshold_fen,
        stock=row.stock,
        claimed=row.stock - row.stock_left,
        stock_per_day=row.stock_day,
        claimed_today=known.claimed_today,
        per_person=row.per_person,
        per_person_per_day=row.per_person_day,
        valid_hours=row.valid_hours,
        min_level=row.min_level,
        for_visitors=row.for_visitors,
        stack_most=row.stack_most,
        four_eyes=row.four_eyes,
        opening_awaits_second_person=row.opening_asked_by is not None,
        shops=known.shops,
    )
