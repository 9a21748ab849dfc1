"""Making campaigns, opening, pausing and closing them, and changing how much they give out.

The row of a campaign is the lock that claims take too: a stock is changed between two batches, never within.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import any_, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.db import violated
from haiyiban.errors import Conflict, FieldError, Problem, Words
from haiyiban.ids import new_id
from haiyiban.settings import Settings
from haiyiban.verifiers.models import Verifier
from services.duty_free.vouchers import campaign_rules
from services.duty_free.vouchers.campaign_rules import Terms
from services.duty_free.vouchers.claiming import CampaignMissing
from services.duty_free.vouchers.models import Campaign, CampaignDay, CampaignShop, Voucher

SHOP_PURPOSE = "shop"
COLUMNS = {"stock_per_day": "stock_day", "per_person_per_day": "per_person_day"}
"""Fields whose columns are called otherwise."""


class CampaignRefused(Problem):
    """The campaign cannot be like this; each reason names its field."""

    type = "duty-free/campaign-refused"
    title = Words("活动设置有误", "The campaign cannot be like this")


class CampaignExists(Conflict):
    """There is a campaign of this code."""

    type = "duty-free/campaign-exists"
    title = Words("这个活动代码已使用", "There is a campaign of this code already")

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/code", self.title)])


class TermsFixed(Conflict):
    """The campaign has been open, and these of its terms stay as they are; or it is closed."""

    type = "duty-free/terms-fixed"
    title = Words(
        "活动开放后不能再改这些设置，请另建活动", "These cannot be changed any more; make another campaign"
    )

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(errors=[FieldError(f"/{_camel(name)}", self.title) for name in fields])


class PauseFirst(Conflict):
    """With four eyes what a campaign gives out is changed in a pause, and a second person opens it again."""

    type = "duty-free/pause-first"
    title = Words(
        "请先暂停活动再修改，改后由另一人重新开放",
        "Pause the campaign before changing this; another person then opens it again",
    )

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(errors=[FieldError(f"/{_camel(name)}", self.title) for name in fields])


class StockBelowClaimed(Problem):
    """Less than what has been given out already."""

    type = "duty-free/stock-below-claimed"
    title = Words("库存不能少于已领出的张数", "The stock cannot be less than what was claimed")


class WrongCampaignState(Conflict):
    """The campaign cannot go there from where it is; the member `state` says where that is."""

    type = "duty-free/wrong-campaign-state"
    title = Words("活动当前状态不能这样操作", "The campaign cannot do this as it stands")

    def __init__(self, state: str) -> None:
        super().__init__(members={"state": state})


class Known(NamedTuple):
    """A campaign with its shops and what it has given out today."""

    campaign: Campaign
    shops: list[UUID]
    claimed_today: int


async def create(session: AsyncSession, fields: Mapping[str, Any], shops: Sequence[UUID]) -> Known:
    """Make a draft; where the deployment asks for four eyes, it has them. Raises CampaignRefused,
    CampaignExists."""
    columns = {COLUMNS.get(name, name): value for name, value in fields.items()}
    columns["four_eyes"] = columns["four_eyes"] or Settings.from_env().four_eyes
    campaign = Campaign(id=new_id(), state="draft", stock_left=columns["stock"], **columns)
    _require(campaign_rules.faults(_terms(campaign)))
    await _require_shops(session, shops)
    session.add(campaign)
    try:
        await session.flush()
    except IntegrityError as error:
        if violated(error) == "uq_duty_free_campaign_code":
            raise CampaignExists from None
        raise
    await _set_shops(session, campaign, shops)
    await _record(session, campaign, "create", sorted(fields))
    return Known(campaign, list(shops), 0)


async def change(
    session: AsyncSession,
    campaign_id: UUID,
    fields: Mapping[str, Any],
    shops: Sequence[UUID] | None,
    *,
    today: date,
) -> Known:
    """Change a campaign; one that waits for a second person to open it is asked for anew.

    Raises CampaignMissing, TermsFixed, PauseFirst, CampaignRefused, StockBelowClaimed.
    """
    campaign = await _lock(session, campaign_id)
    wanted = [*fields, *(["shops"] if shops is not None else [])]
    if fixed := campaign_rules.fixed(wanted, state=campaign.state):
        raise TermsFixed(fixed)
    early = campaign_rules.to_pause_for(wanted, state=campaign.state, four_eyes=campaign.four_eyes)
    if early:
        raise PauseFirst(early)
    if set(wanted) - campaign_rules.WORDS:
        campaign.opening_asked_by = None
    if shops is not None:
        await _require_shops(session, shops)
        if campaign.state != "draft":
            _require(campaign_rules.without_shops(len(shops)))
    claimed = campaign.stock - campaign.stock_left
    claimed_today = await _claimed(session, campaign_id, today)
    for name, value in fields.items():
        setattr(campaign, COLUMNS.get(name, name), value)
    campaign.stock_left = campaign.stock - claimed
    short = list(
        campaign_rules.below_claimed(
            campaign.stock, campaign.stock_day, claimed=claimed, claimed_today=claimed_today
        )
    )
    if short:
        raise StockBelowClaimed(errors=short)
    _require(campaign_rules.faults(_terms(campaign)))
    if shops is not None:
        await _set_shops(session, campaign, shops)
    await _record(session, campaign, "change", wanted)
    return await known(session, campaign, today=today)


async def move(
    session: AsyncSession, campaign_id: UUID, state: str, *, by: UUID, now: datetime, today: date
) -> Known:
    """Open, pause or close a campaign; where it is there already nothing changes.

    With four eyes the first operator asks for the opening and another one opens; until then it stays.

    Raises CampaignMissing, WrongCampaignState, CampaignRefused for one that is not ready to be opened.
    """
    campaign = await _lock(session, campaign_id)
    found = await known(session, campaign, today=today)
    if campaign.state == state:
        return found
    if state not in campaign_rules.WAYS.get(campaign.state, ()):
        raise WrongCampaignState(campaign.state)
    if state == "open":
        _require(campaign_rules.not_ready(len(found.shops), closes_at=campaign.closes_at, now=now))
    if campaign_rules.needs_another(
        state, four_eyes=campaign.four_eyes, asked_by=campaign.opening_asked_by, by=by
    ):
        campaign.opening_asked_by = by
        await _record(session, campaign, "ask-opening", [])
        return found
    campaign.state, campaign.opening_asked_by = state, None
    await _record(session, campaign, state.removesuffix("d"), ["state"])
    return found


async def read(session: AsyncSession, campaign_id: UUID, *, today: date) -> Known:
    """A campaign in any state. Raises CampaignMissing."""
    campaign = await session.get(Campaign, campaign_id)
    if campaign is None:
        raise CampaignMissing
    return await known(session, campaign, today=today)


async def known(session: AsyncSession, campaign: Campaign, *, today: date) -> Known:
    """A campaign with what stands beside its row."""
    shops = await session.scalars(
        select(CampaignShop.merchant_id)
        .where(CampaignShop.campaign_id == campaign.id)
        .order_by(CampaignShop.merchant_id)
    )
    return Known(campaign, list(shops), await _claimed(session, campaign.id, today))


async def _lock(session: AsyncSession, campaign_id: UUID) -> Campaign:
    found: Campaign | None = await session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise CampaignMissing
    return found


async def _claimed(session: AsyncSession, campaign_id: UUID, day: date) -> int:
    found = await session.get(CampaignDay, (campaign_id, day), populate_existing=True)
    return found.claimed if found else 0


async def _require_shops(session: AsyncSession, shops: Sequence[UUID]) -> None:
    able = set(
        await session.scalars(
            select(Verifier.id).where(Verifier.id.in_(shops), any_(Verifier.purposes) == SHOP_PURPOSE)
        )
    )
    words = Words("不是可核销消费券的核验方", "is no verifier that may take vouchers")
    twice = Words("重复", "is named twice")
    _require(
        FieldError(f"/shops/{at}", twice if shop in shops[:at] else words)
        for at, shop in enumerate(shops)
        if shop not in able or shop in shops[:at]
    )


async def _set_shops(session: AsyncSession, campaign: Campaign, shops: Sequence[UUID]) -> None:
    await session.execute(delete(CampaignShop).where(CampaignShop.campaign_id == campaign.id))
    session.add_all(CampaignShop(campaign_id=campaign.id, merchant_id=shop) for shop in shops)
    await session.flush()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _terms(campaign: Campaign) -> Terms:
    return Terms(
        campaign.opens_at,
        campaign.closes_at,
        campaign.face_fen,
        campaign.threshold_fen,
        campaign.stock,
        campaign.stock_day,
        campaign.per_person,
        campaign.per_person_day,
    )


def _require(faults: Any) -> None:
    """Raises CampaignRefused for any fault."""
    if errors := list(faults):
        raise CampaignRefused(errors=errors)


async def _record(session: AsyncSession, campaign: Campaign, verb: str, fields: Sequence[str]) -> None:
    await audit.record(
        session,
        f"duty-free-campaigns.{verb}",
        object_kind="campaign",
        object_id=campaign.id,
        fields=fields,
    )
    await session.flush()


class Figure(NamedTuple):
    """Vouchers in one state: how many, and what they are worth together."""

    number: int = 0
    face_fen: int = 0


async def figures(session: AsyncSession, campaign_id: UUID) -> dict[str, Figure]:
    """A campaign's vouchers by state. Raises CampaignMissing."""
    if await session.get(Campaign, campaign_id) is None:
        raise CampaignMissing
    rows = await session.execute(
        select(Voucher.state, func.count(), func.sum(Voucher.face_fen))
        .where(Voucher.campaign_id == campaign_id)
        .group_by(Voucher.state)
    )
    found = {state: Figure(number, int(face)) for state, number, face in rows}
    return {state: found.get(state, Figure()) for state in ("claimed", "redeemed", "expired", "returned")}
