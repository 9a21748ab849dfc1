"""Which matters a deployment takes from residents of others, published signed and read signed.

The handling place's version, time limits, fees and form apply (docs/domain.md §9), so the receiving place
shows what the handling place last published, and with each application says which version it was made for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from haiyiban import clock
from haiyiban.bilingual import Text
from haiyiban.errors import FieldError, NotFound, Words
from haiyiban.forms import FormSchema, overlapping
from haiyiban.forms.formats import formats
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Material, Matter, PrefillRule
from services.cross_province.models import Neighbour

ACROSS = frozenset({"全国", "跨省"})
"""The 通办范围 that reach other provinces. Source: docs/domain.md §3.3 (handle_area)."""


class NotOffered(NotFound):
    """The other place takes no such matter from us, or has not told us of it yet."""

    type = "cross-province/matter-not-offered"
    title = Words(
        "该事项暂不能跨省办理，请查看可跨省办理的事项", "That matter cannot be done across provinces yet"
    )


class OfferedMatter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A matter as another place may apply for it, with its form."""

    code: str
    version: int
    name: Text
    summary: Text
    agency: str
    task_code: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{31}$")]
    modes: tuple[int, ...]
    promise_days: int
    law_days: int | None
    fee_fen: int
    accept_condition: str
    form_id: str
    form: dict[str, Any]
    prefill: tuple[PrefillRule, ...] = ()
    materials: tuple[Material, ...] = ()


class OfferList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a deployment offers, and when it said so."""

    division: str
    at: datetime
    matters: tuple[OfferedMatter, ...]


def is_offered(matter: Matter) -> bool:
    """Whether a matter of ours is for residents of other provinces: for oneself, decided by a clerk."""
    return (
        not ACROSS.isdisjoint(matter.item.handle_area)
        and matter.subject == "self"
        and matter.decided_by == "clerk"
        and matter.commitment is None
        and matter.renewal is None
    )


def own_offer(division: str, *, now: datetime) -> OfferList:
    """What we take from others."""
    found = [matter for matter in catalogue().across() if is_offered(matter)]
    return OfferList(division=division, at=now, matters=tuple(map(_offered, found)))


def offers_of(row: Neighbour) -> list[OfferedMatter]:
    """What a neighbour last said that it takes; nothing before it has said so."""
    return list(msgspec.convert(row.offer, OfferList).matters) if row.offer else []


def offered(row: Neighbour, code: str) -> OfferedMatter:
    """One of them. Raises NotOffered."""
    found = next((one for one in offers_of(row) if one.code == code), None)
    if found is None:
        raise NotOffered
    return found


def errors_in(matter: OfferedMatter, form: dict[str, Any]) -> list[FieldError]:
    """What is wrong with a form, as far as the receiving place can tell: what the handling place's registers
    fill in may be missing."""
    schema = FormSchema(matter.form_id, matter.form, checkers=formats(clock.today))
    theirs = [rule.pointer for rule in matter.prefill]
    return [one for one in schema.validate(form) if not overlapping([one.pointer], theirs)] + [
        one for one in schema.validate_draft(form) if overlapping([one.pointer], theirs)
    ]


def _offered(matter: Matter) -> OfferedMatter:
    item = matter.item
    modes = (1, 2) if item.is_online and item.online_handle_depth == "IV" else (2,)
    return OfferedMatter(
        code=matter.code,
        version=matter.version,
        name=matter.name,
        summary=matter.summary,
        agency=matter.handled_by.agency,
        task_code=item.task_code,
        modes=modes,
        promise_days=item.promise_day,
        law_days=item.anticipate_day,
        fee_fen=sum(fee.amount_fen for fee in item.fees),
        accept_condition=item.accept_condition,
        form_id=matter.form,
        form=FormSchema.load(matter.form).document,
        prefill=matter.prefill,
        materials=matter.materials,
    )
