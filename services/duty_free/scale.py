"""The vouchers of a made-up province: a year of campaigns, their vouchers claimed, used in shops or expired,
and books that balance."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from haiyiban.clock import SHANGHAI
from haiyiban.loads import FALSE, Load, bigint, instant_ms, local_day, row
from haiyiban.population import Sizes, World
from haiyiban.verifiers.scale import SHOPS, shop_key
from services.duty_free.vouchers.claiming import SIGNS, key_of
from services.duty_free.vouchers.models import Campaign, CampaignDay, CampaignShop, Voucher
from services.duty_free.vouchers.settlement_models import Redemption, SettlementEntry

CAMPAIGNS = 12
LAST = CAMPAIGNS - 1
"""The campaign that is still open; the others are over and their vouchers used or expired."""
_DAY_MS = 86_400_000
_APART_DAYS, _CLAIMED_DAYS, _GOOD_DAYS, _LAST_GOOD_DAYS = 30, 20, 20, 90
_FACE_FEN, _THRESHOLD_FEN = 20_000, 200_000
_USED_PERCENT, _LAST_USED_PERCENT = 80, 40
_STRIDE = 1_000_003
"""A prime: the claimants of a campaign are spread over all households, and nobody comes twice."""
_NUMBERS = 1 << 58
_SCRAMBLE = 0x9E3779B97F4A7C15 % _NUMBERS | 1
"""Odd, so that no two vouchers have one number."""


class Made(NamedTuple):
    """A voucher of the made-up province; instants in milliseconds since 1970."""

    campaign: int
    person: int
    claimed_ms: int
    valid_until_ms: int
    state: str
    used_ms: int
    """When it was used, if it was."""


def campaign_key(world: World, campaign: int) -> bytes:
    """The id of a campaign, whose number is below CAMPAIGNS, as 16 bytes."""
    return world.key(b"campaign", campaign, at_ms=_opens_ms(world, campaign))


def voucher_key(world: World, number: int, made: Made) -> bytes:
    """The id of a voucher: of the instant of its claim, for the hall counts by ids."""
    return world.key(b"voucher", number, at_ms=made.claimed_ms)


def voucher(world: World, number: int) -> Made:
    """What became of a voucher."""
    campaign, place = divmod(number, _each(world.sizes))
    adult = (place * _STRIDE + campaign * 977) % world.sizes.adults
    claimed_ms = _claimed_ms(world, campaign, place)
    valid_until_ms = claimed_ms + (_LAST_GOOD_DAYS if campaign == LAST else _GOOD_DAYS) * _DAY_MS
    used_ms = (claimed_ms + min(valid_until_ms, world.at_ms)) // 2
    is_used = number * _SCRAMBLE % 100 < (_LAST_USED_PERCENT if campaign == LAST else _USED_PERCENT)
    state = "redeemed" if is_used else "claimed" if campaign == LAST else "expired"
    return Made(campaign, world.adult(adult), claimed_ms, valid_until_ms, state, used_ms)


def campaigns(world: World, numbers: range) -> Iterator[bytes]:
    """One a month; a twentieth of the last one's vouchers are left."""
    for number in numbers:
        claimed = _count(world.sizes, number)
        left = 1 + claimed // 20 if number == LAST else 0
        opens_ms = _opens_ms(world, number)
        days = 2 * _APART_DAYS if number == LAST else _CLAIMED_DAYS
        yield row(
            (
                campaign_key(world, number),
                f"EXAMPLE-{world.number}-{number + 1:02d}".encode(),
                f"示例消费券第 {number + 1} 期".encode(),
                f"Example vouchers, round {number + 1}".encode(),
                instant_ms(opens_ms),
                instant_ms(opens_ms + days * _DAY_MS),
                bigint(_FACE_FEN),
                bigint(_THRESHOLD_FEN),
                bigint(claimed + left),
                bigint(left),
                bigint(1),
                bigint(1),
                bigint((_LAST_GOOD_DAYS if number == LAST else _GOOD_DAYS) * 24),
                b"open" if number == LAST else b"closed",
                FALSE,
                b"L3",
                FALSE,
                bigint(1),
            )
        )


def campaign_shops(world: World, numbers: range) -> Iterator[bytes]:
    """Every campaign is for every shop."""
    for number in numbers:
        for shop in range(SHOPS):
            yield row((campaign_key(world, number), shop_key(world, shop)))


def campaign_days(world: World, numbers: range) -> Iterator[bytes]:
    """How many were claimed on each day in Hainan."""
    for number in numbers:
        places = range(_count(world.sizes, number))
        before, midnight_ms = 0, _midnight_before_ms(_opens_ms(world, number))
        while before < len(places):
            day, midnight_ms = local_day(midnight_ms), midnight_ms + _DAY_MS
            past = bisect_left(places, midnight_ms, key=lambda place: _claimed_ms(world, number, place))
            if past > before:
                yield row((campaign_key(world, number), day, bigint(past - before)))
            before = past


def vouchers(world: World, numbers: range) -> Iterator[bytes]:
    """In the order in which they were claimed."""
    campaigns = [campaign_key(world, campaign) for campaign in range(CAMPAIGNS)]
    for number in numbers:
        made = voucher(world, number)
        person, campaign = world.person_key(made.person), campaigns[made.campaign]
        yield row(
            (
                voucher_key(world, number, made),
                _signs(number * _SCRAMBLE % _NUMBERS),
                campaign,
                person,
                bigint(1),
                key_of(UUID(bytes=person), UUID(bytes=campaign), f"example-{number}"),
                instant_ms(made.claimed_ms),
                local_day(made.claimed_ms),
                instant_ms(made.valid_until_ms),
                bigint(_FACE_FEN),
                bigint(_THRESHOLD_FEN),
                made.state.encode(),
            )
        )


def redemptions(world: World, numbers: range) -> Iterator[bytes]:
    """One voucher an order, each order at its threshold or above."""
    for number in numbers:
        made = voucher(world, number)
        if made.state == "redeemed":
            yield row(
                (
                    _redemption_key(world, number, made),
                    voucher_key(world, number, made),
                    shop_key(world, number % SHOPS),
                    f"EXAMPLE-{number:010d}".encode(),
                    bigint(_THRESHOLD_FEN + number % 997 * 100),
                    bigint(_FACE_FEN),
                    b"redeemed",
                    world.key(b"verification", number, at_ms=made.used_ms),
                    instant_ms(made.used_ms),
                    local_day(made.used_ms),
                )
            )


def entries(world: World, numbers: range) -> Iterator[bytes]:
    """What the shop is owed for each."""
    for number in numbers:
        made = voucher(world, number)
        if made.state == "redeemed":
            yield row(
                (
                    world.key(b"settlement", number, at_ms=made.used_ms),
                    shop_key(world, number % SHOPS),
                    local_day(made.used_ms),
                    instant_ms(made.used_ms),
                    b"redemption",
                    _redemption_key(world, number, made),
                    bigint(_FACE_FEN),
                )
            )


def _redemption_key(world: World, number: int, made: Made) -> bytes:
    return world.key(b"redemption", number, at_ms=made.used_ms)


def _each(sizes: Sizes) -> int:
    """Vouchers of a campaign."""
    return -(-sizes.vouchers // CAMPAIGNS)


def _count(sizes: Sizes, campaign: int) -> int:
    """The same; the last campaign has what is left."""
    return min(_each(sizes), sizes.vouchers - campaign * _each(sizes))


def _opens_ms(world: World, campaign: int) -> int:
    return world.at_ms - (CAMPAIGNS - campaign) * _APART_DAYS * _DAY_MS


def _claimed_ms(world: World, campaign: int, place: int) -> int:
    """When the how-manieth of a campaign went out: evenly over its days."""
    window_ms = (_APART_DAYS if campaign == LAST else _CLAIMED_DAYS) * _DAY_MS
    return _opens_ms(world, campaign) + place * window_ms // _count(world.sizes, campaign)


def _midnight_before_ms(at_ms: int) -> int:
    moment = datetime.fromtimestamp(at_ms / 1000, SHANGHAI)
    return int(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def _signs(value: int) -> bytes:
    signs = ""
    for _ in range(12):
        value, at = divmod(value, len(SIGNS))
        signs += SIGNS[at]
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}".encode()


LOADS = (
    Load(
        table=Campaign.__tablename__,
        columns="id, code, name, name_en, opens_at, closes_at, face_fen, threshold_fen, stock, "
        "stock_left, per_person, per_person_day, valid_hours, state, four_eyes, min_level, "
        "for_visitors, stack_most",
        items=lambda _sizes: CAMPAIGNS,
        rows=campaigns,
        item_bytes=1000,
    ),
    Load(
        table=CampaignShop.__tablename__,
        columns="campaign_id, merchant_id",
        items=lambda _sizes: CAMPAIGNS,
        rows=campaign_shops,
        item_bytes=10_000,
    ),
    Load(
        table=CampaignDay.__tablename__,
        columns="campaign_id, day, claimed",
        items=lambda _sizes: CAMPAIGNS,
        rows=campaign_days,
        item_bytes=5_000,
    ),
    Load(
        table=Voucher.__tablename__,
        columns="id, number, campaign_id, person_id, slot, request_key, claimed_at, day, valid_until, "
        "face_fen, threshold_fen, state",
        items=lambda sizes: sizes.vouchers,
        rows=vouchers,
        item_bytes=475,
    ),
    Load(
        table=Redemption.__tablename__,
        columns="id, voucher_id, merchant_id, order_number, order_amount_fen, face_fen, state, "
        "verification_id, at, day",
        items=lambda sizes: sizes.vouchers,
        rows=redemptions,
        item_bytes=245,
    ),
    Load(
        table=SettlementEntry.__tablename__,
        columns="id, merchant_id, day, at, kind, redemption_id, amount_fen",
        items=lambda sizes: sizes.vouchers,
        rows=entries,
        item_bytes=215,
    ),
)
