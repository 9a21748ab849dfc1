"""The people of a made-up province: who lives together, who visits, and what each is known by. Pure.

Residents come in blocks of twenty households and sixty people, of two to five people each; one household of
a block has a child who starts school next. Visitors come alone. Everything that differs between people is
drawn from a keyed hash of their place in the row.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from haiyiban import divisions
from haiyiban.population import names
from haiyiban.population.names import Home
from haiyiban.residents import Sex, resident_check_character, resident_weighed

_HOUSEHOLDS = (3, 2, 4, 3, 2, 3, 5, 2, 3, 3, 2, 4, 3, 2, 5, 3, 2, 3, 4, 2)
"""People in each household of a block; the first household has the child who starts school."""
_STARTS = (0, *accumulate(_HOUSEHOLDS))
BLOCK = _STARTS[-1]
_HOUSEHOLD_AT = tuple(place for place, size in enumerate(_HOUSEHOLDS) for _ in range(size))
ACCOUNT_AGE = 14
"""Who is younger acts through a parent and has no account. Source: docs/domain.md §1.6."""
_SCHOOL_AGE = 6
"""Source: 义务教育法 art. 11; docs/domain.md §6.1."""
_DAYS = tuple((date(2001, 1, 1) + timedelta(days=day)).strftime("%m%d") for day in range(365))
_SCHOOL_YEAR_ENDS = "0831"
_PLACES = 100
"""Place codes of a province that were never given out: …9900 to …9999. No card carries one."""
_SEQUENCES = 500
"""Three digits, of which the last tells the sex."""
_OTHERS = tuple(
    str(code)
    for code in (
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
    )
    if str(code) != divisions.PROVINCE[:2]
)
"""First digits of the provinces that visitors come from."""
_DRAWS, _KEY = struct.Struct(">8Q"), struct.Struct(">2Q")


class Sizes(NamedTuple):
    """How much there is of everything."""

    residents: int
    holders: int
    """Of a health code: residents and visitors."""
    vouchers: int
    applications: int
    """For a place at school, in one enrolment."""
    matters: int
    """Of the catalogue, over all divisions."""

    @property
    def households(self) -> int:
        return self.residents // BLOCK * len(_HOUSEHOLDS)

    @property
    def adults(self) -> int:
        """Residents who head a household, two of each."""
        return self.households * 2


SIZES = {
    "hamlet": Sizes(1_020, 3_300, 1_214, 15, 20),
    "city": Sizes(1_020_000, 3_300_000, 1_214_000, 15_000, 1_972),
    "province": Sizes(10_200_000, 33_000_000, 12_140_000, 150_000, 19_723),
}
"""The province is Hainan's founding figures; a city is a tenth of it, a hamlet a ten-thousandth to try things
out. Source: docs/domain.md §0; residents [mem M]."""


class Person(NamedTuple):
    """Somebody who does not exist."""

    number: int
    """Their place in the row of people, residents first."""
    name: str
    sex: Sex
    id_number: str
    phone: str | None
    """Of those who have an account."""
    home: Home | None
    """Of residents."""

    @property
    def birth(self) -> date:
        """As the number has it."""
        number = self.id_number
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


class World:
    """A made-up province at an instant; the same `number`, `sizes` and `at` give the same one."""

    def __init__(self, number: int, sizes: Sizes, *, at: datetime) -> None:
        self.number, self.sizes, self.at = number, sizes, at
        self.at_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        self.school_year = at.year + (f"{at:%m%d}" > _SCHOOL_YEAR_ENDS)
        """In which the children enrolling now start school."""
        self._key = number.to_bytes(8)
        self._begun: dict[tuple[bytes, int], blake2b] = {}
        """Hashes that have taken their key, by kind and size: taking it is most of a draw."""
        self._other_provinces = len(_OTHERS) * _PLACES * _SEQUENCES

    def person(self, index: int) -> Person:
        """Anybody: residents first, then visitors."""
        if index >= self.sizes.residents:
            return self.visitor(index)
        block, place = divmod(index, BLOCK)
        household = block * len(_HOUSEHOLDS) + _HOUSEHOLD_AT[place]
        return self.household(household)[place - _STARTS[_HOUSEHOLD_AT[place]]]

    def people(self, indexes: range) -> Iterator[Person]:
        """The same one after the other; each household is drawn once."""
        index = indexes.start
        while index < min(indexes.stop, self.sizes.residents):
            block, place = divmod(index, BLOCK)
            at = _HOUSEHOLD_AT[place]
            members = self.household(block * len(_HOUSEHOLDS) + at)
            first = place - _STARTS[at]
            for member in members[first : first + indexes.stop - index]:
                yield member
                index += 1
        for visitor in range(index, indexes.stop):
            yield self.visitor(visitor)

    def adult(self, place: int) -> int:
        """The index of one of those who head a household."""
        household, second = divmod(place, 2)
        return self.first_of(household) + second

    def pupil(self, place: int) -> int:
        """The index of a child who starts school: one in each block. Both parents come right before it."""
        return place * BLOCK + 2

    def first_of(self, household: int) -> int:
        """The index of a household's first member."""
        block, at = divmod(household, len(_HOUSEHOLDS))
        return block * BLOCK + _STARTS[at]

    def household(self, household: int) -> list[Person]:
        """A man and a woman, their children, and with five a grandmother; nobody but these."""
        block, at = divmod(household, len(_HOUSEHOLDS))
        size = _HOUSEHOLDS[at]
        draws = self.draws(b"household", household)
        living = names.home(draws[0])
        if size == 2:
            eldest, man = 0, 24 + draws[1] % 65
        else:
            eldest = _SCHOOL_AGE if at == 0 else 3 + draws[1] % 24
            man = eldest + 24 + draws[2] % 16
        woman = man - 4 + draws[3] % 8 if man > 27 else man
        births: list[tuple[Sex, int]] = [("male", man), ("female", woman)]
        if size > 2:
            births.append((_sex(draws[4]), eldest))
        if size > 3:
            births.append((_sex(draws[4] >> 1), eldest - 1 - draws[5] % 2))
        if size > 4:
            births.append(("female", man + 21 + draws[6] % 12))
        family, other = names.surname(draws[7]), names.surname(draws[7] >> 16)
        first = block * BLOCK + _STARTS[at]
        members = []
        for place, (sex, age) in enumerate(births):
            called = (other if place in (1, 4) else family) + names.given_name(draws[place] >> 24)
            starts_school = at == 0 and place == 2
            members.append(self._resident(first + place, called, sex, age, living, starts_school))
        return members

    def visitor(self, index: int) -> Person:
        """Somebody of another province, known by their identity card; without an account."""
        draws = self.draws(b"visitor", index)
        sex = _sex(draws[0])
        round_, rest = divmod(index - self.sizes.residents, self._other_provinces)
        province, rest = divmod(rest, _PLACES * _SEQUENCES)
        day = (round_ + (rest * 40_503 >> 4)) % 365
        year = self.at.year - 2 - draws[1] % 85
        name = names.surname(draws[2]) + names.given_name(draws[3])
        return self._known(index, name, sex, _OTHERS[province], rest, year, day, None, None)

    def _resident(
        self, index: int, name: str, sex: Sex, age: int, living: Home, starts_school: bool
    ) -> Person:
        # Two people whose number differs in nothing but the birth date are `residue` people apart, and so
        # one day of the year later each time: no number is given twice.
        residue = _PLACES * _SEQUENCES
        round_, rest = divmod(index, residue)
        day = (round_ + (rest * 40_503 >> 4)) % 365
        if starts_school:
            year = self.school_year - age - (_DAYS[day] > _SCHOOL_YEAR_ENDS)
        else:
            year = self.at.year - age
        phone = f"154{index:08d}" if age >= ACCOUNT_AGE else None
        return self._known(index, name, sex, divisions.PROVINCE[:2], rest, year, day, phone, living)

    def _known(
        self,
        index: int,
        name: str,
        sex: Sex,
        province: str,
        rest: int,
        year: int,
        day: int,
        phone: str | None,
        living: Home | None,
    ) -> Person:
        place, sequence = divmod(rest, _SEQUENCES)
        area, where = _digits(f"{province}99{place:02d}", 0)
        born, when = _digits(f"{year}{_DAYS[day]}", 6)
        order, which = _digits(f"{2 * sequence + (sex == 'male'):03d}", 14)
        check = resident_check_character(where + when + which)
        return Person(index, name, sex, area + born + order + check, phone, living)

    def person_id(self, index: int) -> UUID:
        """The id of somebody's row."""
        return UUID(bytes=self.person_key(index))

    def person_key(self, index: int) -> bytes:
        """The same as 16 bytes: in the order of the people, the last of them made just before `at`."""
        return self.key(b"person", index, at_ms=self.made_ms(index))

    def made_ms(self, index: int) -> int:
        """When somebody's row was made: each a millisecond after the one before."""
        return self.at_ms - self.sizes.holders + index

    def key(self, kind: bytes, index: int, *, at_ms: int) -> bytes:
        """A UUIDv7 of an instant, drawn and not random, so that it can be told again; as its 16 bytes,
        for making an object of it costs more than drawing it."""
        drawn = int.from_bytes(self._drawn(kind, index, 10))
        high, low = drawn >> 62 & 0xFFF, drawn & 0x3FFFFFFFFFFFFFFF
        return _KEY.pack(at_ms << 16 | 7 << 12 | high, 2 << 62 | low)

    def draws(self, kind: bytes, index: int) -> tuple[int, ...]:
        """Eight numbers of 64 bits."""
        return _DRAWS.unpack(self._drawn(kind, index, 64))

    def _drawn(self, kind: bytes, index: int, size: int) -> bytes:
        begun = self._begun.get((kind, size))
        if begun is None:
            begun = self._begun[kind, size] = blake2b(digest_size=size, key=self._key, person=kind)
        hashing = begun.copy()
        hashing.update(index.to_bytes(8))
        return hashing.digest()


@lru_cache(maxsize=100_000)
def _digits(digits: str, begin: int) -> tuple[str, int]:
    """Digits of an identity number, and what they add to its weighted sum: few are different."""
    return digits, resident_weighed(digits, begin)


def _sex(draw: int) -> Sex:
    return "male" if draw % 2 else "female"
