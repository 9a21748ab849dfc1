"""The allowance and its orders as they cross the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.wire import Input, Output
from services.duty_free.allowance.basket import Line
from services.duty_free.allowance.order_rules import Delivery, Departure
from services.duty_free.allowance.rule_table import Mode


class OrderCreate(Input):
    """Goods that a shop sells, with the buyer's identity code: showing it is the buyer's consent.

    `challenge`: base64url of the 8 bytes that the counter showed, for a code that the phone drew by itself.
    `excess`: what to do with what lies over the allowance; `refuse` takes no order then.
    """

    text: str
    order_number: Annotated[str, Meta(min_length=1, max_length=64)]
    pick_up: Mode
    departure: Departure
    lines: Annotated[list[Line], Meta(min_length=1, max_length=100)]
    delivery: Delivery | None = None
    excess: Literal["tax", "refuse"] = "tax"
    challenge: Annotated[str, Meta(max_length=20)] | None = None
    place: Annotated[str, Meta(max_length=100)] | None = None


class OrderRead(Output, omit_defaults=False):
    """An order. `taxFen` null: a rate is not known, and the customs decide."""

    id: UUID
    merchant: str
    order_number: str
    state: str
    pick_up: str
    pick_up_name: str
    purchased_at: datetime
    total_fen: int
    free_fen: int
    excess_fen: int
    tax_fen: int | None
    departs_at: datetime
    collect_by: date | None
    """The last day on which the goods are kept; null where they were taken at once."""
    leave_by: date | None
    """Of goods taken at once, the last day to leave the island with them."""
    lines: list[dict[str, Any]]


class MyOrderRead(OrderRead, kw_only=True, omit_defaults=False):
    """An order as its buyer reads it."""

    parcel: str | None
    """The number of its parcel (物流单号), for `GET /zones/duty-free/parcels/{number}`, once it was sent."""


class PerTripRead(Output):
    """How much of a category is free on one trip."""

    category: int
    name: str
    most: int
    unit: str


class PickUpRead(Output):
    """A way of getting the goods, and its terms as far as they are known."""

    mode: str
    name: str
    confidence: str
    residents_only: bool = False
    unit_from_fen: int | None = None
    unit_below_fen: int | None = None
    categories: list[int] | None = None
    """The categories that are confirmed for it; where left out, all."""
    leave_within_days: int | None = None
    counted_from: str | None = None
    keeps_for: str | None = None


class UnsetRead(Output):
    """A figure that was not found; nothing is assumed in its place."""

    figure: str
    message: str


class RuleRead(Output):
    """The dated rules that hold today, with who says so and how sure we are."""

    from_: date
    source: str
    confidence: str
    """seen: read in the announcement or a report; memory: wants checking; design: our own choice."""
    minimum_age: int
    year: str
    year_confidence: str
    per_trip: list[PerTripRead]
    pick_up: list[PickUpRead]
    unset: list[UnsetRead]


class ConditionRead(Output):
    """One thing that is asked of a buyer, and whether it is so."""

    code: str
    met: Literal["yes", "no", "unknown"]
    message: str


class AllowanceRead(Output, omit_defaults=False):
    """What one may still buy free of duty in this calendar year, in fen."""

    year: int
    quota_fen: int
    used_fen: int
    """Handed over."""
    reserved_fen: int
    """Ordered, and not handed over yet."""
    remaining_fen: int
    eligible: Literal["yes", "no", "unknown"]
    reasons: list[ConditionRead]
    rule: RuleRead
