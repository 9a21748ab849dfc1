"""What the registers know about a person, and the form in which a test adds one.

Dates are ISO dates, divisions codes of 6, 9 or 12 digits, shares percent.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from haiyiban_sandbox.identity import birth_date, parse_identity_number, parse_phone
from haiyiban_sandbox.wire import Wire

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Division = Annotated[str, Meta(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})\Z")]
Title = Literal["owned", "public_rental", "registered_lease", "grandparents", "collective"]
Place = Annotated[str, Meta(pattern=r"^([0-9]{6}|[A-Z]{3})\Z")]
"""A division of 6 digits, or a country by the three letters of ISO 3166-1."""
Instant = Annotated[datetime, Meta(tz=True)]
Fact = dict[str, Any]
"""A fact whose shape belongs to its register (employment, tests, vaccinations): kept as it came. Of trips,
those with a `departedAt` are records and must be a `Trip`."""


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


class SocialInsurance(Wire):
    """Paid months (参保缴费月数) at the last insured place."""

    months: Annotated[int, Meta(ge=0, le=1200)]
    division: Division
    stopped_on: date | None = None
    stop_reason: Text | None = None
    consecutive: bool = True


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


class Person(Wire, kw_only=True):
    """All facts about one person, as stored. No phone: known only as somebody's child."""

    name: Text
    id_number: str
    phone: str | None = None
    division: Division
    hukou: Hukou
    home: Home | None = None
    residence_permit: ResidencePermit | None = None
    social_insurance: SocialInsurance | None = None
    special_group: Text | None = None
    employment: Fact | None = None
    trips: list[Fact] | None = None
    tests: list[Fact] | None = None
    vaccinations: list[Fact] | None = None


class Resident(Person, kw_only=True):
    """A person to add to every register, with the children born to them."""

    phone: str
    children: list[Child] | None = None

    def __post_init__(self) -> None:
        self.id_number = parse_identity_number(self.id_number)
        self.phone = parse_phone(self.phone)
        numbers = [child.id_number for child in self.children or []]
        if len(set(numbers)) < len(numbers):
            raise ValueError("children must differ from each other")
        if any(birth_date(number) <= birth_date(self.id_number) for number in numbers):
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
