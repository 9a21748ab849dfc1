"""What the registers know about a person, and the form in which a test adds one.

Dates are ISO dates, divisions codes of 6, 9 or 12 digits, shares percent.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from haiyiban_sandbox.identity import (
    RESIDENT,
    birth_date,
    key_of,
    parse_identity_number,
    parse_number,
    parse_phone,
)
from haiyiban_sandbox.wire import Wire

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Division = Annotated[str, Meta(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})\Z")]
IdType = Literal["111", "154", "414", "511", "516", "553"]
"""Kinds of document by GA/T 2000.156: identity card, residence permit of Hong Kong, Macao and Taiwan
residents, passport, passes of Taiwan and of Hong Kong and Macao residents, permanent residence card."""
Title = Literal["owned", "public_rental", "registered_lease", "grandparents", "collective"]
Place = Annotated[str, Meta(pattern=r"^([0-9]{6}|[A-Z]{3})\Z")]
"""A division of 6 digits, or a country by the three letters of ISO 3166-1."""
Instant = Annotated[datetime, Meta(tz=True)]
Fact = dict[str, Any]
"""A fact whose shape belongs to its register (employment, tests, vaccinations, contacts): kept as it came.
Of trips, those with a `departedAt` are records and must be a `Trip`."""


class Hukou(Wire):
    """Where a person is registered to live (户籍)."""

    address: Text
    division: Division
    since: date


class Home(Wire):
    """One title to a home (不动产权、公租房、租赁备案). `since`: when it was registered, if known."""

    id: Text
    address: Text
    division: Division
    title: Title
    share: Annotated[int, Meta(ge=0, le=100)] = 100
    since: date | None = None


class ResidencePermit(Wire):
    """Permit of a person whose hukou is elsewhere (居住证)."""

    since: date
    until: date
    division: Division | None = None
    address: Text | None = None
    number: Text | None = None


class TransferredIn(Wire):
    """What came along from another province (关系转入)."""

    letter: Text
    from_: Place = msgspec.field(name="from")
    months_left: Annotated[int, Meta(ge=0, le=24)]
    on: date


class SocialInsurance(Wire):
    """Paid months (参保缴费月数) at the last insured place."""

    months: Annotated[int, Meta(ge=0, le=1200)]
    division: Division
    stopped_on: date | None = None
    stop_reason: Text | None = None
    consecutive: bool = True
    transferred_in: TransferredIn | None = None


class MedicalBill(Wire):
    """One bill of treatment outside the insured place."""

    number: Text
    hospital: Text
    division: Place
    place: Text
    kind: Literal["inpatient", "outpatient"]
    from_: date = msgspec.field(name="from")
    until: date
    total_fen: Annotated[int, Meta(ge=0)]
    outside_fen: Annotated[int, Meta(ge=0)] = 0


class Filing(Wire):
    """Where somebody may be treated on their insurance (异地就医备案)."""

    kind: Literal["temporary", "long_term"]
    division: Place
    since: date
    until: date | None = None


class MedicalPolicy(Wire):
    """What the insured place pays for treatment elsewhere."""

    division: Place
    place: Text
    deductible_fen: Annotated[int, Meta(ge=0)]
    ratio_percent: Annotated[int, Meta(ge=0, le=100)]
    cap_fen: Annotated[int, Meta(ge=0)]
    filings: list[Filing] = []


class Pension(Wire):
    """A basic pension that is drawn (基本养老保险待遇)."""

    since: date


class Deregistration(Wire):
    """Why somebody's hukou was struck off (户口注销), and from which day on."""

    reason: Literal["died", "military_service", "moved_abroad"]
    on: date


class Custody(Wire):
    """A sentence that is served in prison (服刑). `until` is left out while it lasts."""

    since: date
    until: date | None = None


class Trip(Wire):
    """One journey (行程), to or from the island or elsewhere. `arrivedAt` is left out while it lasts."""

    from_: Place = msgspec.field(name="from")
    to: Place
    departed_at: Instant
    arrived_at: Instant | None = None
    mode: Literal["flight", "train", "ferry"] | None = None
    number: Text | None = None

    def __post_init__(self) -> None:
        if self.arrived_at is not None and self.arrived_at < self.departed_at:
            raise ValueError("a trip must arrive after it departs")


class Child(Wire):
    """A child named by a parent; registered at the parent's hukou unless one is given."""

    name: Text
    id_number: str
    hukou: Hukou | None = None

    def __post_init__(self) -> None:
        self.id_number = parse_identity_number(self.id_number)


class Document(Wire):
    """A further document of the same person, as the exit-entry register knows it."""

    id_type: IdType
    id_number: str
    name: Text | None = None
    valid_until: date | None = None

    def __post_init__(self) -> None:
        self.id_number = parse_number(self.id_type, self.id_number)


class Person(Wire, kw_only=True):
    """All facts about one person, as stored. No phone: known only as somebody's child.

    Who has no identity card has no hukou, and is known to the exit-entry register alone, with the facts that
    other registers keep under that document.
    """

    name: Text
    id_type: IdType = "111"
    id_number: str
    phone: str | None = None
    division: Division | None = None
    hukou: Hukou | None = None
    birth_date: date | None = None
    valid_until: date | None = None
    documents: list[Document] | None = None
    home: Home | None = None
    residence_permit: ResidencePermit | None = None
    social_insurance: SocialInsurance | None = None
    special_group: Text | None = None
    employment: Fact | None = None
    pension: Pension | None = None
    deregistration: Deregistration | None = None
    custody: Custody | None = None
    trips: list[Fact] | None = None
    tests: list[Fact] | None = None
    vaccinations: list[Fact] | None = None
    contacts: list[Fact] | None = None
    medical_bills: list[MedicalBill] | None = None
    medical_policy: MedicalPolicy | None = None

    @property
    def key(self) -> str:
        """What the registers keep this person under."""
        return key_of(self.id_type, self.id_number)

    @property
    def born(self) -> date:
        """As the number says it, else as it was given; of a visitor without either, an adult's."""
        if len(self.id_number) == 18:
            return birth_date(self.id_number)
        return self.birth_date or date(1990, 1, 1)


class Resident(Person, kw_only=True):
    """A person to add to every register, with the children born to them."""

    phone: str
    children: list[Child] | None = None

    def __post_init__(self) -> None:
        self.id_number = parse_number(self.id_type, self.id_number)
        self.phone = parse_phone(self.phone)
        if self.id_type == RESIDENT and (self.hukou is None or self.division is None):
            raise ValueError("a resident has a hukou and a division")
        numbers = [child.id_number for child in self.children or []]
        if len(set(numbers)) < len(numbers):
            raise ValueError("children must differ from each other")
        if self.hukou is None and any(child.hukou is None for child in self.children or []):
            raise ValueError("a child needs a hukou where the parent has none")
        if any(birth_date(number) <= self.born for number in numbers):
            raise ValueError("children must be born after their parent")
        trip_records(self.trips or [])

    def facts(self) -> Person:
        """The person alone; birth links are kept apart from the facts."""
        return Person(**{field: getattr(self, field) for field in Person.__struct_fields__})


def trip_records(trips: list[Fact]) -> list[Trip]:
    """What the register of trips holds. Older programs post trips without times; those are no records.

    ValueError where a record is not a `Trip`.
    """
    return [msgspec.convert(trip, Trip) for trip in trips if "departedAt" in trip]
