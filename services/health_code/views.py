"""The code as its holder reads it."""

from __future__ import annotations

from datetime import date, datetime

from msgspec.structs import replace

from haiyiban import divisions
from haiyiban.clock import SHANGHAI, local_date
from haiyiban.codes import showing
from haiyiban.codes.kinds import name_in_code
from haiyiban.codes.signing import code_keys
from haiyiban.context import current
from haiyiban.errors import Words
from haiyiban.registers import REGISTERS
from haiyiban.wire import Output
from services.health_code.code_kind import HEALTH, Row, showable
from services.health_code.itinerary import visited
from services.health_code.models import Status
from services.health_code.rules import Colour
from services.health_code.service import MANUAL, Held
from services.health_code.standards import province, rules_on, standards
from services.health_code.windows import window


class ColourReasonRead(Output):
    """Why the colour is what it is: the rule's id and its plain words."""

    code: str
    text: str


class VisitedRead(Output):
    """A prefecture or country visited of late. `name`: of the prefecture here, of the province elsewhere;
    null of a country."""

    division: str
    name: str | None
    asterisk: bool


class RulesRead(Output):
    """The version of the rules in force: since when, who says so, how sure that is."""

    id: str
    effective_from: date
    source: str
    confidence: str


class RuleDaysRead(Output):
    """A number of days that a rule sets: since when, who says so, how sure that is."""

    days: int
    effective_from: date
    source: str
    confidence: str


class DoseRead(Output, omit_defaults=False):
    """One dose (接种): what was given, and on which day where the register says so."""

    product: str
    text: str
    on: date | None


class HealthCodeRead(Output):
    """A health code: `text` is the QR of one minute; colours are green, yellow, red and grey."""

    name: str
    """Whose it is."""
    colour: Colour
    golden: bool
    reasons: list[ColourReasonRead]
    text: str
    expires_at: datetime
    as_of: datetime
    """When the colour was decided, by answers from every register that counts for it."""
    is_current: bool
    """False: a register could not be asked, and this is the colour of `asOf`."""
    rules: RulesRead
    itinerary_of: RuleDaysRead
    """How many days the itinerary goes back."""
    reminder: str | None = None
    negative_within_hours: int | None = None
    vaccinations: list[DoseRead] | None = None
    """Every dose, the first given first; left out where the register of vaccinations could not be asked."""
    itinerary: list[VisitedRead] | None = None
    """Left out where the register of trips could not be asked."""


_REMINDER = Words(
    "您尚未完成全程接种，请尽快预约接种", "Your vaccination is not complete yet; please make an appointment"
)
_BY_HAND = Words("经人工核实更正", "Corrected by hand after a check")
_NONE = Words("没有需要红码或黄码的情形", "Nothing on record calls for red or yellow")


def code_read(held: Held, *, now: datetime) -> HealthCodeRead:
    """Sign a code of what is held, and say why."""
    status, person, language = held.status, held.person, current().language
    row = Row(
        person.id,
        person.ref,
        person.name_sealed,
        status.colour,
        status.golden,
        status.negative_at,
        status.decided_at,
        status.asked_at,
    )
    found = showable(row, now)
    found = found._replace(body=replace(found.body, name=name_in_code(found.body.name)))
    shown = showing.show(HEALTH, found, keys=code_keys(now), now=now)
    table, standard = rules_on(local_date(now)), standards().on(local_date(now))
    return HealthCodeRead(
        name=person.name,
        colour=Colour(status.colour),
        golden=status.golden,
        reminder=_REMINDER.in_language(language) if status.reminder else None,
        reasons=[
            ColourReasonRead(code=code, text=words.in_language(language)) for code, words in _reasons(held)
        ],
        text=shown.text,
        expires_at=shown.expires_at,
        negative_within_hours=window(status.negative_at, now=now),
        as_of=status.decided_at,
        is_current=held.is_current,
        vaccinations=_doses(held),
        itinerary=_itinerary(held, local_date(now)),
        itinerary_of=RuleDaysRead(
            standard.itinerary_days, standard.effective_from, standard.source, standard.confidence
        ),
        rules=RulesRead(
            id=table.id,
            effective_from=table.effective_from,
            source=table.source,
            confidence=table.confidence,
        ),
    )


def reasons_of(status: Status) -> list[ColourReasonRead]:
    """The rules that gave a colour when it was asked for last, in words; a correction by hand among them."""
    language = current().language
    by = _rules_of(status) + ([(MANUAL, _BY_HAND)] if MANUAL in status.reasons else [])
    return [ColourReasonRead(code=code, text=words.in_language(language)) for code, words in by]


def _rules_of(status: Status) -> list[tuple[str, Words]]:
    table = rules_on(local_date(status.asked_at))
    return [(rule.id, rule.reason.words) for rule in table.rules if rule.id in status.reasons]


def _reasons(held: Held) -> list[tuple[str, Words]]:
    """Why: the rules that hold; then, where a register is silent, that it is and how old the colour is."""
    by = _rules_of(held.status)
    if held.change is not None and MANUAL in held.status.reasons:
        until = held.change.until.isoformat()
        words = Words(f"经人工核实更正，有效至 {until}", f"Corrected by hand after a check, until {until}")
        by.append((MANUAL, words))
    if held.decision.unanswered:
        by.append(_silence(held))
    return by or [("none", _NONE)]


def _silence(held: Held) -> tuple[str, Words]:
    titles = [REGISTERS[name].title for name in held.known.silent]
    zh, en = "、".join(title.zh for title in titles), ", ".join(title.en for title in titles)
    if held.is_current:
        return "unanswered", Words(
            f"{zh}暂时无法查询，请稍后刷新；就医不受影响",
            f"{en} cannot be asked at the moment; refresh later; medical care stays open to you",
        )
    at = held.status.decided_at.astimezone(SHANGHAI)
    return "last-known", Words(
        f"{zh}暂时无法查询，显示的是 {at:%Y-%m-%d %H:%M} 的颜色",
        f"{en} cannot be asked at the moment; this is the colour as of {at:%Y-%m-%d %H:%M}",
    )


def _doses(held: Held) -> list[DoseRead] | None:
    if held.known.vaccinations is None:
        return None
    return [
        DoseRead(
            product=dose.product,
            text=_PRODUCTS.get(dose.product, _OTHER).in_language(current().language),
            on=dose.on,
        )
        for dose in held.known.vaccinations
        if dose.product
    ]


_PRODUCTS = {
    "inactivated": Words("灭活疫苗", "Inactivated vaccine"),
    "recombinant_protein": Words("重组蛋白疫苗", "Recombinant protein vaccine"),
    "adenovirus_vector": Words("腺病毒载体疫苗", "Adenovirus vector vaccine"),
}
_OTHER = Words("其他疫苗", "Another vaccine")


def _itinerary(held: Held, today: date) -> list[VisitedRead] | None:
    if held.known.trips is None:
        return None
    held_now = standards()
    return [
        VisitedRead(division=place.division, name=_name(place.division), asterisk=place.asterisk)
        for place in visited(held.known.trips, today=today, standard=held_now.on(today), areas=held_now.areas)
    ]


def _name(place: str) -> str | None:
    division = divisions.find(place) if place.isdecimal() else None
    words = Words(division.name, division.name_en) if division else province(place)
    return words.in_language(current().language) if words else None
