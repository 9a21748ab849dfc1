"""What is verified about a child and its family when priorities are worked out.

A fact is either `Known`, with the register that said so and when, or `Unknown`: asked and not answered.
`Unknown` is never "no": it keeps the class open until a clerk or a repair task closes it.
Source: docs/domain.md §6.2 (Verified facts).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

HomeTitle = Literal["owned", "public_rental", "registered_lease", "grandparents", "collective"]


@dataclass(frozen=True, slots=True)
class Known(Generic[T_co]):
    """A value a register answered, e.g. source "property"; `at` is when it was read."""

    value: T_co
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """A register that should know and has not answered yet (待核实); `at` is the last try."""

    source: str
    at: datetime


Fact: TypeAlias = Known[T] | Unknown


@dataclass(frozen=True, slots=True)
class Hukou:
    """Household registration (户口) of the child."""

    address: str
    division: str
    since: date


@dataclass(frozen=True, slots=True)
class Home:
    """The family's home (住房): `share` is what the family owns of it, 0–100; `since` its registration."""

    id: str
    address: str
    division: str
    title: HomeTitle
    share: int
    since: date | None


@dataclass(frozen=True, slots=True)
class HomeUse:
    """A place that was given on the strength of this home before (一户一生): to whose child, which year."""

    year: int
    guardians: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class ResidencePermit:
    """居住证 or its receipt; valid on both days named. `until` None: no end."""

    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the classes may look at. A `Known(None)` says: the register answered that there is none.

    `guardians` are opaque marks of the child's guardians, comparable with those of `HomeUse`;
    `siblings_at` the ids of schools which a sibling attends now; `social_insurance_months` consecutive.
    """

    guardians: AbstractSet[str]
    hukou: Fact[Hukou | None]
    home: Fact[Home | None]
    home_uses: Fact[tuple[HomeUse, ...]]
    residence_permit: Fact[ResidencePermit | None]
    social_insurance_months: Fact[int]
    siblings_at: Fact[frozenset[str]]
    privileged: Fact[bool]
