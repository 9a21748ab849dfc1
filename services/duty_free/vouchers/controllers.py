"""Campaigns, claims and my vouchers over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import BigInteger, Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.db import database
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn, Problem, Unavailable, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.identity.tokens import InvalidToken
from haiyiban.lean import Encoded
from haiyiban.prepared import Prepared
from haiyiban.verifiers.models import Verifier
from haiyiban.wire import LAST, OWN_ANSWERS, Output, Page, after_cursor, cursor_of, page_limit, problems
from services.duty_free.allowance.controllers import person_of
from services.duty_free.vouchers import claiming, turned_away
from services.duty_free.vouchers.models import Campaign, CampaignShop, Voucher
from services.duty_free.vouchers.rules import state_now

KEY_LENGTH_MOST = 128


class CampaignRead(Output, omit_defaults=False):
    """A campaign. `stockPerDay` null: no limit by the day."""

    id: UUID
    code: str
    name: str
    opens_at: datetime
    closes_at: datetime
    is_open: bool
    face_fen: int
    threshold_fen: int
    stock: int
    stock_left: int
    stock_per_day: int | None
    per_person: int
    per_person_per_day: int
    valid_hours: int
    min_level: str
    """From which level of assurance on one may claim; using a voucher takes L3."""
    for_visitors: bool
    """Whether those may claim who are known by another document than the identity card."""
    stack_most: int
    """How many vouchers an order may have with one of these."""
    shops: list[str]
    """Where its vouchers can be used."""


class ClaimRead(Output):
    """A voucher of mine that was claimed just now, or by the same Idempotency-Key before."""

    voucher_id: UUID
    number: str
    face_fen: int
    threshold_fen: int
    valid_until: datetime


class VoucherRead(Output):
    """A voucher of mine."""

    id: UUID
    number: str
    campaign_id: UUID
    name: str
    state: str
    """claimed, redeemed, expired; returned: refunded when its time was over."""
    face_fen: int
    threshold_fen: int
    claimed_at: datetime
    valid_until: datetime


class CampaignsController(Controller):
    """Voucher campaigns."""

    path = "/zones/duty-free/campaigns"
    tags = ["duty-free"]

    @get("/", summary="Voucher campaigns")
    async def campaigns(self, replica_reader: NamedDependency[AsyncSession]) -> Page[CampaignRead]:
        """Those that are open or will be, the first to close first; one that is paused is not open.
        `stockLeft` may soon be gone."""
        now = clock.now()
        statement = (
            select(Campaign)
            .where(Campaign.closes_at > now, Campaign.state.in_(["open", "paused"]))
            .order_by(Campaign.closes_at, Campaign.id)
        )
        rows = (await replica_reader.scalars(statement)).all()
        shops = await _shops(replica_reader, [row.id for row in rows], current().language)
        return Page(
            items=[_campaign(row, shops.get(row.id, []), current().language, now=now) for row in rows],
            next=None,
        )

    @post(
        "/{campaign_id:uuid}/claims",
        status_code=201,
        opt=OWN_ANSWERS,
        summary="Claim a voucher",
        security=[{"resident": []}],
        responses=problems(
            NotSignedIn,
            InvalidToken,
            StepUpNeeded,
            NotAllowed,
            Malformed,
            claiming.CampaignMissing,
            claiming.SoldOut,
            claiming.AlreadyClaimed,
            claiming.NotOpen,
            claiming.LimitReached,
            claiming.NotForVisitors,
            claiming.TooManyWaiting,
            Unavailable,
        ),
    )
    async def claim(self, request: ResidentRequest, campaign_id: FromPath[UUID]) -> Encoded[ClaimRead]:
        """201 only once the voucher is committed. With an Idempotency-Key a repeated claim gets the voucher
        of the first, also after the campaign; without one it is a new claim.

        429: too many are waiting, and nothing was taken. Retry-After is 1 + waiting / 512 seconds.
        """
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= KEY_LENGTH_MOST:
            raise Malformed(
                Words("Idempotency-Key 须为 1 到 128 个字符", "Idempotency-Key must be 1 to 128 characters")
            )
        # Asked here and not by a guard, for Litestar copies the handler for each request that has one.
        await _RESIDENT(request, request.route_handler)
        queue = claiming.queue_of(campaign_id) or await _opened(campaign_id)
        try:
            await _ENOUGH[queue.level](request, request.route_handler)
        except StepUpNeeded as problem:
            turned_away.saw(campaign_id, problem)
            raise
        person_id, context = person_of(request), current()
        asked = claiming.Asked(
            person_id,
            claiming.key_of(person_id, campaign_id, key),
            request.user.account_id,
            context.request_id,
            context.address,
            is_new=key is None,
        )
        try:
            voucher = await queue.claim(asked)
        except Problem as problem:
            turned_away.saw(campaign_id, problem)
            if problem.is_recorded:
                raise
            return Encoded.refusal(problem, context.language)
        return Encoded(
            ClaimRead(
                voucher_id=voucher.id,
                number=voucher.number,
                face_fen=voucher.face_fen,
                threshold_fen=voucher.threshold_fen,
                valid_until=voucher.valid_until,
            ),
            status=201,
        )


class VouchersController(Controller):
    """My vouchers."""

    path = "/zones/duty-free/vouchers"
    tags = ["duty-free"]
    guards = [resident(Level.L3)]

    @get("/", summary="My vouchers", responses=problems(NotSignedIn, StepUpNeeded, Malformed))
    async def vouchers(
        self,
        request: ResidentRequest,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[VoucherRead]:
        """The newest first, those that expired among them."""
        most, after, now = page_limit(limit), after_cursor(cursor), clock.now()
        rows = await _MINE.rows(person=person_of(request), before=after or LAST, limit=most + 1)
        language = current().language
        return Page(
            items=[
                VoucherRead(
                    id=row.id,
                    number=row.number,
                    campaign_id=row.campaign_id,
                    name=Words(row.name, row.name_en).in_language(language),
                    state=state_now(row.state, row.valid_until, now=now),
                    face_fen=row.face_fen,
                    threshold_fen=row.threshold_fen,
                    claimed_at=row.claimed_at,
                    valid_until=row.valid_until,
                )
                for row in rows[:most]
            ],
            next=cursor_of(rows[most - 1].id) if len(rows) > most else None,
        )


_MINE = Prepared(
    select(
        Voucher.id,
        Voucher.number,
        Voucher.campaign_id,
        Campaign.name,
        Campaign.name_en,
        Voucher.state,
        Voucher.face_fen,
        Voucher.threshold_fen,
        Voucher.claimed_at,
        Voucher.valid_until,
    )
    .join(Campaign, Campaign.id == Voucher.campaign_id)
    .where(
        Voucher.person_id == bindparam("person", type_=Uuid()), Voucher.id < bindparam("before", type_=Uuid())
    )
    .order_by(Voucher.id.desc())
    .limit(bindparam("limit", type_=BigInteger()))
)


async def _opened(campaign_id: UUID) -> claiming.Queue:
    async with database().reading() as look:
        campaign = await look.get(Campaign, campaign_id)
        if campaign is None or campaign.state == "draft":
            raise claiming.CampaignMissing
    return claiming.open_queue(campaign_id, Level(campaign.min_level))


_RESIDENT = resident()
_ENOUGH = {level: resident(level) for level in (Level.L2, Level.L3)}
"""By the level that a campaign asks for."""


async def _shops(session: AsyncSession, campaigns: Sequence[UUID], language: str) -> dict[UUID, list[str]]:
    rows = await session.execute(
        select(CampaignShop.campaign_id, Verifier.name_zh, Verifier.name_en)
        .join(Verifier, Verifier.id == CampaignShop.merchant_id)
        .where(CampaignShop.campaign_id.in_(campaigns))
        .order_by(Verifier.name_zh)
    )
    found: dict[UUID, list[str]] = {}
    for campaign_id, zh, en in rows:
        found.setdefault(campaign_id, []).append(Words(zh, en).in_language(language))
    return found


def _campaign(row: Campaign, shops: list[str], language: str, *, now: datetime) -> CampaignRead:
    return CampaignRead(
        id=row.id,
        code=row.code,
        name=Words(row.name, row.name_en).in_language(language),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        is_open=row.state == "open" and row.opens_at <= now < row.closes_at,
        face_fen=row.face_fen,
        threshold_fen=row.threshold_fen,
        stock=row.stock,
        stock_left=row.stock_left,
        stock_per_day=row.stock_day,
        per_person=row.per_person,
        per_person_per_day=row.per_person_day,
        valid_hours=row.valid_hours,
        min_level=row.min_level,
        for_visitors=row.for_visitors,
        stack_most=row.stack_most,
        shops=shops,
    )
