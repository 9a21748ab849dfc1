"""What people and shops see of the allowance: figures, rules and orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from msgspec import structs
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Words
from haiyiban.identity.models import Person
from haiyiban.identity.persons import birth_of
from services.duty_free.allowance.models import Order, Year
from services.duty_free.allowance.rule_table import MODE_NAMES, Collect, Mode, RuleSet, allowance_table
from services.duty_free.allowance.rules import Answer, is_old_enough
from services.duty_free.allowance.wire import (
    AllowanceRead,
    ConditionRead,
    MyOrderRead,
    OrderRead,
    PerTripRead,
    PickUpRead,
    RuleRead,
    UnsetRead,
)
from services.duty_free.parcels.models import Parcel

_YEAR = Words("按购买日所在公历年度（北京时间）计算", "by calendar year of purchase (Asia/Shanghai)")


async def allowance(
    session: AsyncSession, person: Person, rules: RuleSet, *, today: date, language: str
) -> AllowanceRead:
    """A person's allowance of this year, and whether they may buy at all."""
    year = await session.get(Year, (person.id, today.year))
    used, reserved = (year.consumed_fen, year.reserved_fen) if year else (0, 0)
    old_enough = is_old_enough(birth_of(person, today=today), on=today, rules=rules)
    return AllowanceRead(
        year=today.year,
        quota_fen=rules.yearly_quota_fen,
        used_fen=used,
        reserved_fen=reserved,
        remaining_fen=max(0, rules.yearly_quota_fen - used - reserved),
        eligible=old_enough,
        reasons=[
            ConditionRead(
                code="minimum-age", met=old_enough, message=_age(old_enough, rules).in_language(language)
            )
        ],
        rule=rule_read(rules, language=language),
    )


async def orders(
    session: AsyncSession, person_id: UUID, *, after: UUID | None, limit: int
) -> list[tuple[Order, str | None]]:
    """A buyer's orders with the numbers of their parcels, the newest first; one more than `limit` where there
    are more."""
    wanted = (
        select(Order, Parcel.number)
        .outerjoin(Parcel, Parcel.order_id == Order.id)
        .where(Order.person_id == person_id)
        .order_by(Order.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        wanted = wanted.where(Order.id < after)
    return [(order, number) for order, number in await session.execute(wanted)]


def order_read(order: Order, *, language: str) -> OrderRead:
    """An order as its buyer and its shop see it."""
    return OrderRead(
        id=order.id,
        merchant=order.merchant_name,
        order_number=order.order_number,
        state=order.state,
        pick_up=order.pick_up,
        pick_up_name=MODE_NAMES[Mode(order.pick_up)].in_language(language),
        purchased_at=order.purchased_at,
        total_fen=order.total_fen,
        free_fen=order.free_fen,
        excess_fen=order.excess_fen,
        tax_fen=order.tax_fen,
        departs_at=order.departs_at,
        collect_by=order.collect_by,
        leave_by=order.leave_by,
        lines=[
            line | {"freePieces": within}
            for line, within in zip(order.basket["lines"], order.basket["within"], strict=True)
        ],
    )


def my_order_read(order: Order, parcel: str | None, *, language: str) -> MyOrderRead:
    """The same, with the number of the parcel."""
    return MyOrderRead(**structs.asdict(order_read(order, language=language)), parcel=parcel)


def rule_read(rules: RuleSet, *, language: str) -> RuleRead:
    """The rules of a day in words."""
    categories = allowance_table().categories
    return RuleRead(
        from_=rules.from_,
        source=rules.source,
        confidence=rules.confidence,
        minimum_age=rules.minimum_age,
        year=_YEAR.in_language(language),
        year_confidence=rules.year_confidence,
        per_trip=[
            PerTripRead(
                category=limit.category,
                name=categories[limit.category],
                most=limit.most,
                unit=limit.unit,
            )
            for limit in rules.per_trip
        ],
        pick_up=list(_ways(rules, language)),
        unset=[
            UnsetRead(figure=unset.figure, message=unset.words.in_language(language)) for unset in rules.unset
        ],
    )


def _ways(rules: RuleSet, language: str) -> Iterator[PickUpRead]:
    for way in rules.pick_up:
        yield PickUpRead(
            mode=way.mode.value,
            name=MODE_NAMES[way.mode].in_language(language),
            confidence=way.confidence,
            residents_only=way.residents_only,
            unit_from_fen=way.unit_from_fen,
            unit_below_fen=way.unit_below_fen,
            categories=list(way.categories) if way.categories is not None else None,
            leave_within_days=way.leave_within_days,
            counted_from=way.counted_from if way.leave_within_days else None,
            keeps_for=_kept(way.collect).in_language(language) if way.collect else None,
        )


def _kept(collect: Collect) -> Words:
    amount = (
        Words(f"{collect.months} 个月", f"{collect.months} months")
        if collect.months
        else Words(f"{collect.days} 天", f"{collect.days} days")
    )
    after = Words("购买后", "after the purchase")
    if collect.after == "departure":
        after = Words("离岛后", "after the departure")
    ours = Words("（本平台的约定）", " (our own choice)") if collect.confidence == "design" else Words("", "")
    return Words(f"{after.zh} {amount.zh}{ours.zh}", f"{amount.en} {after.en}{ours.en}")


def _age(answer: Answer, rules: RuleSet) -> Words:
    if answer == "unknown":
        return Words(
            "暂时无法从证件登记中得知您的年龄，请重新实名一次",
            "No register has told your age yet; please give your real name again",
        )
    if answer == "no":
        return Words(
            f"购买离岛免税商品须年满 {rules.minimum_age} 周岁",
            f"One must be {rules.minimum_age} or older to buy free of duty",
        )
    return Words(f"已年满 {rules.minimum_age} 周岁", f"You are {rules.minimum_age} or older")
