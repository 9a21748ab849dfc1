"""How a family of the demo world is written down; the families are in cast_by_class.py and cast_special.py.

Names are 示例, 虚构 and their like, so that nobody takes them for real. Adults are always the same; the birth
dates of children, and so their identity numbers, follow from the day of the first start, because only they
decide who is in the cohort. Source: division codes as of 2023-06-30, docs/domain.md §2.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

import msgspec

from haiyiban_sandbox.identity import identity_number
from haiyiban_sandbox.people import (
    Child,
    Fact,
    Home,
    Hukou,
    MedicalBill,
    MedicalPolicy,
    ResidencePermit,
    Resident,
    SocialInsurance,
    Title,
    Trip,
)

COMMUNITIES = {
    "椰风": ("海秀街道", "460105002"),
    "观澜": ("海秀街道", "460105002"),
    "秀港": ("秀英街道", "460105001"),
    "晴川": ("秀英街道", "460105001"),
    "白榕": ("长流镇", "460105100"),
    "听潮": ("西秀镇", "460105101"),
    "木棉": ("海秀镇", "460105102"),
    "角梅": ("海秀镇", "460105102"),
}
"""Communities (小区) of the demo with their street or town; school catchments are made of them."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """One adult and what the registers say. `number` makes phone and identity number unique; odd is male."""

    name: str
    number: int
    born: date
    hukou: Hukou
    area: str = "460105"
    division: str = "460105"
    home: Home | None = None
    children: tuple[Child, ...] = ()
    residence_permit: ResidencePermit | None = None
    social_insurance: SocialInsurance | None = None
    special_group: str | None = None
    employment: Fact | None = None
    trips: tuple[Trip, ...] = ()
    tests: tuple[Fact, ...] = ()
    vaccinations: tuple[Fact, ...] = ()
    medical_bills: tuple[MedicalBill, ...] = ()
    medical_policy: MedicalPolicy | None = None
    about: str = ""

    def resident(self) -> Resident:
        """This family as the registers take it in."""
        return Resident(
            name=self.name,
            id_number=identity_number(self.area, self.born, sequence=self.number),
            phone=f"1380000{self.number:04d}",
            division=self.division,
            hukou=self.hukou,
            home=self.home,
            children=list(self.children),
            residence_permit=self.residence_permit,
            social_insurance=self.social_insurance,
            special_group=self.special_group,
            employment=self.employment,
            trips=msgspec.to_builtins(self.trips) or None,
            tests=list(self.tests) or None,
            vaccinations=list(self.vaccinations) or None,
            medical_bills=list(self.medical_bills) or None,
            medical_policy=self.medical_policy,
        )


def home(community: str, flat: str, *, title: Title = "owned", share: int = 100, since: date) -> Home:
    """A home in one of the communities. `flat`: building-room, such as 3-502."""
    street, division = COMMUNITIES[community]
    building, room = flat.split("-")
    return Home(
        id=f"{division}-{community}-{flat}",
        address=f"海南省海口市秀英区{street}{community}小区{building}栋{room}室",
        division=division,
        title=title,
        share=share,
        since=since,
    )


def hukou_at(place: Home, *, since: date) -> Hukou:
    """Registered where one lives (人户一致)."""
    return Hukou(address=place.address, division=place.division, since=since)


def child(name: str, born: date, *, sequence: int, area: str = "460105") -> Child:
    return Child(name=name, id_number=identity_number(area, born, sequence=sequence))


def flight(on: date, origin: str, to: str, *, number: str) -> Trip:
    """A flight of three hours and a half that left at noon."""
    departed = datetime.combine(on, time(12), tzinfo=timezone(timedelta(hours=8)))
    arrived = departed + timedelta(hours=3, minutes=30)
    return Trip(from_=origin, to=to, departed_at=departed, arrived_at=arrived, mode="flight", number=number)
