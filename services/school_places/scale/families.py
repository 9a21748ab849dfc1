"""The families of a made-up enrolment: what each handed in, and what the registers said of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from haiyiban.loads import moment, uuid_text
from haiyiban.population import Person, World
from services.school_places.scale.ground import DAY_MS, opens_ms, school_count, school_key, school_near

_CHOICES = (0, 1, -1, 2, -2)
"""The school of one's own village, and those beside it."""


class Handed(NamedTuple):
    """An application of the made-up enrolment; instants in milliseconds since 1970."""

    key: bytes
    father: Person
    mother: Person
    child: Person
    opened_ms: int
    submitted_ms: int
    accepted_ms: int


def case_key(world: World, number: int) -> bytes:
    """The id of an application's case as 16 bytes."""
    return world.key(b"case", number, at_ms=opened_ms(world, number))


def handed(world: World, number: int) -> Handed:
    """The application of the how-manieth child who starts school: accepted on the day after it was opened."""
    pupil = world.pupil(number)
    father, mother, child = world.people(range(pupil - 2, pupil + 1))
    opened = opened_ms(world, number)
    return Handed(
        case_key(world, number), father, mother, child, opened, submitted_ms(world, number), opened + DAY_MS
    )


def form_of(world: World, number: int, one: Handed) -> dict[str, Any]:
    """What the family handed in: at home where they are registered, and five schools around it."""
    assert one.child.home is not None, "a resident"
    home, count = one.child.home, school_count(world.sizes)
    own = school_near(world.sizes, home.village)
    return {
        "child": _who(one.child),
        "guardian": {**_who(one.father), "phone": one.father.phone, "relation": "parent"},
        "hukou": {"address": home.address, "division": home.division, "since": f"{one.child.birth}"},
        "home": _home(number, one),
        "category": "public",
        "choices": [uuid_text(school_key(world, (own + step) % count)) for step in _CHOICES],
    }


def facts_of(number: int, one: Handed) -> dict[str, Any]:
    """What the registers said of them: who bore whom, where they are registered, and the home is theirs."""
    assert one.child.home is not None, "a resident"
    at = moment(one.opened_ms).isoformat()
    parents, child = [_who(one.father), _who(one.mother)], _who(one.child)
    said: dict[str, dict[str, Any]] = {
        "birth/subject": {"parents": parents, "children": []},
        "birth/applicant": {"parents": [], "children": [child]},
        "household/subject": {
            "address": one.child.home.address,
            "division": one.child.home.division,
            "since": f"{one.child.birth}",
            "members": [{**parent, "relation": "parent"} for parent in parents]
            + [{**child, "relation": "self"}],
        },
        "property/applicant": {"homes": [_home(number, one)]},
        "special_group/subject": {},
        "residence_permit/applicant": {},
        "social_insurance/applicant": {},
    }
    return {
        name: {"state": "known", "source": "示例登记", "at": at, "data": data} for name, data in said.items()
    }


def _home(number: int, one: Handed) -> dict[str, Any]:
    assert one.child.home is not None, "a resident"
    return {
        "id": home_id(number),
        "address": one.child.home.address,
        "division": one.child.home.division,
        "title": "owned",
        "share": 100,
        "since": f"{one.child.birth}",
    }


def home_id(number: int) -> str:
    """What the registers call the home of an application."""
    return f"EXAMPLE-HOME-{number:07d}"


def _who(person: Person) -> dict[str, str]:
    return {"name": person.name, "idNumber": person.id_number}


def opened_ms(world: World, number: int) -> int:
    """When its case was opened: evenly over the first eight days."""
    return opens_ms(world) + number * 8 * DAY_MS // world.sizes.applications


def submitted_ms(world: World, number: int) -> int:
    """When it was handed in."""
    return opened_ms(world, number) + 120_000
