"""What each register says about a person, as strictly as we are ready to believe it.

Only the members named here are kept, so a register that grows tells us nothing that we did not ask for.
Dates are ISO, divisions codes of 6, 9 or 12 digits, shares percent.
Source: docs/domain.md §6.2 "Verified facts".
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from haiyiban.forms import Json

Text = Annotated[str, Meta(min_length=1, max_length=200)]
IdNumber = Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9X]\Z")]
Division = Annotated[str, Meta(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})\Z")]
Place = Annotated[str, Meta(pattern=r"^([0-9]{6}|[A-Z]{3})\Z")]
"""Where somebody travelled from or to: a division of 6 digits (710000, 810000 and 820000 among them), or a
country by the three letters of ISO 3166-1."""
Instant = Annotated[datetime, Meta(tz=True)]
Few = Meta(max_length=100)


class Record(msgspec.Struct, rename="camel"):
    """What one register says about one person."""

    def is_about(self, id_number: str) -> bool:  # noqa: ARG002 - most registers do not repeat the number
        """Whether this can be the answer to that question; a mix-up at the register is no answer."""
        return True


class Who(Record):
    name: Text
    id_number: IdNumber


class Hukou(Record):
    """Where a person is registered to live (户籍)."""

    address: Text
    division: Division
    since: date


class Population(Who):
    """人口库."""

    sex: Literal["male", "female"]
    birth_date: date
    hukou: Hukou
    division: Division

    def is_about(self, id_number: str) -> bool:
        return self.id_number == id_number


class Member(Who):
    """One person of a booklet; `relation` is what they are to the person asked about."""

    relation: Literal["self", "spouse", "parent", "child", "grandparent", "grandchild", "sibling", "other"]


class Household(Hukou):
    """户口簿: the address and everybody registered in the booklet."""

    members: Annotated[list[Member], Few]

    def is_about(self, id_number: str) -> bool:
        return any(member.id_number == id_number for member in self.members)


class Home(Record):
    """One title to a home; `since` is when it was registered, None where the register does not know."""

    id: Text
    address: Text
    division: Division
    title: Literal["owned", "public_rental", "registered_lease", "grandparents", "collective"]
    share: Annotated[int, Meta(ge=0, le=100)]
    since: date | None = None


class Property(Record):
    """不动产登记、公租房和租赁备案."""

    homes: Annotated[list[Home], Few]


class ResidencePermit(Record):
    """居住证, valid on both days named."""

    since: date
    until: date
    division: Division | None = None
    address: Text | None = None
    number: Text | None = None


class TransferredIn(Record):
    """关系转入: the letter of the province that somebody moved from, and the months of benefit left."""

    letter: Text
    from_: Place = msgspec.field(name="from")
    months_left: Annotated[int, Meta(ge=0, le=24)]
    on: date


class SocialInsurance(Record):
    """参保记录: months paid at the last insured place; `stopped_on` None while insured."""

    months: Annotated[int, Meta(ge=0, le=1200)]
    division: Division
    stopped_on: date | None = None
    stop_reason: Text | None = None
    consecutive: bool = True
    transferred_in: TransferredIn | None = None


class Born(Who):
    certificate_number: Text


class Birth(Record):
    """出生医学证明: of whom this person was born, and who was born to them."""

    parents: Annotated[list[Who], Few]
    children: Annotated[list[Born], Few]
    certificate_number: Text | None = None


class SpecialGroup(Record):
    """优待对象名单, one's own or a parent's, such as 军人."""

    group: Text


class Employment(Record):
    """就业登记, in the register's own shape."""

    employment: dict[str, Any]


class Pension(Record):
    """基本养老保险待遇: since when it is drawn."""

    since: date


class Deregistration(Record):
    """户口注销: why somebody's registration was struck off, and from which day on."""

    reason: Literal["died", "military_service", "moved_abroad"]
    on: date


class Custody(Record):
    """服刑: since when a sentence is served, and until when where it is over."""

    since: date
    until: date | None = None


class Trip(Record):
    """One journey that was made (行程); `arrived_at` None while it lasts, the rest None where not known."""

    from_: Place = msgspec.field(name="from")
    to: Place
    departed_at: Instant
    arrived_at: Instant | None = None
    mode: Literal["flight", "train", "ferry"] | None = None
    number: Text | None = None
    """Of the flight, the train or the crossing."""


class Trips(Record):
    """进出岛行程: who travelled when."""

    trips: Annotated[list[Trip], Meta(max_length=1000)]


class Tests(Record):
    """检测记录, each in the register's own shape."""

    tests: Annotated[list[dict[str, Any]], Meta(max_length=1000)]


class Vaccinations(Record):
    """接种记录, each in the register's own shape."""

    vaccinations: Annotated[list[dict[str, Any]], Few]


class Contact(Record):
    """One finding of contact tracing (流调): a case, a contact of one, an arrival in isolation, an exposure.

    `released_on`: the day isolation ended, None while it lasts and of an exposure; `minutes` of an exposure.
    """

    kind: Literal[
        "confirmed", "suspected", "asymptomatic", "close_contact", "inbound", "fever_clinic", "exposure"
    ]
    since: date
    released_on: date | None = None
    minutes: Annotated[int, Meta(ge=0)] | None = None


class Contacts(Record):
    """流行病学调查."""

    contacts: Annotated[list[Contact], Few]


class MedicalBill(Record):
    """One stay or visit that was billed (医疗费用结算单): where, when, and by whose catalogue how much."""

    number: Text
    hospital: Text
    division: Place
    place: Text
    kind: Literal["inpatient", "outpatient"]
    from_: date = msgspec.field(name="from")
    until: date
    total_fen: Annotated[int, Meta(ge=0, le=10**12)]
    outside_fen: Annotated[int, Meta(ge=0, le=10**12)]
    """What the catalogue of the treating place does not hold (目录外费用)."""


class MedicalBills(Record):
    """就医地医疗费用: the bills of treatment outside the insured place."""

    bills: Annotated[list[MedicalBill], Few]


class Filing(Record):
    """异地就医备案: where somebody may be treated on their insurance, and how long."""

    kind: Literal["temporary", "long_term"]
    division: Place
    since: date
    until: date | None = None


class MedicalPolicy(Record):
    """参保地待遇政策: what the insured place pays for treatment elsewhere, and the filings."""

    division: Place
    place: Text
    deductible_fen: Annotated[int, Meta(ge=0, le=10**12)]
    """起付线 of one stay or visit."""
    ratio_percent: Annotated[int, Meta(ge=0, le=100)]
    cap_fen: Annotated[int, Meta(ge=0, le=10**12)]
    """封顶线: the most that is left of this year."""
    filings: Annotated[list[Filing], Few]


class Licence(Record):
    """A licence of an enterprise (许可证), valid on both days named."""

    number: Text
    issued_on: date
    valid_until: date
    scope: Text


class MarketEntity(Record):
    """市场主体登记: who an enterprise is, who speaks for it, which licences it holds.

    `term_until`: the last day of the business term, None without an end; `licences` by kind.
    """

    credit_code: Annotated[str, Meta(pattern=r"^[0-9A-Z]{18}\Z")]
    name: Text
    kind: Literal["company", "sole_trader", "cooperative"]
    division: Division
    address: Text
    status: Literal["in_business", "revoked", "cancelled"]
    registered_on: date
    representative: Who
    term_until: date | None = None
    licences: Annotated[dict[str, Licence], Few] = {}

    def is_about(self, id_number: str) -> bool:
        return self.credit_code == id_number


def members_of(record: Record) -> dict[str, Json]:
    """The record as JSON, under the names it has on the wire: what prefill rules point into."""
    members: dict[str, Json] = msgspec.to_builtins(record)
    return members
