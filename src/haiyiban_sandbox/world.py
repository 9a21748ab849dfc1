"""The demo world in the registers, and its people as demo.json shows them."""

from datetime import date

from msgspec import Struct

from haiyiban_sandbox import bank, enterprises
from haiyiban_sandbox.cast_by_class import families_by_class
from haiyiban_sandbox.cast_special import outside_the_cohort, people_for_other_services, special_families
from haiyiban_sandbox.cast_visitors import visitors
from haiyiban_sandbox.identity import RESIDENT
from haiyiban_sandbox.people import Person
from haiyiban_sandbox.store import Store


class Named(Struct, rename="camel"):
    """A child by name and number."""

    name: str
    id_number: str


class Demo(Struct, rename="camel", omit_defaults=True):
    """One entry of demo.json's `residents`. `about`: what this person is there to show; `idType` only of a
    visitor's document."""

    name: str
    id_number: str
    phone: str | None
    children: list[Named]
    about: str
    id_type: str = "111"


OUT_OF_WORK = "罗待业"
DEMO_CARD = "6228480402564890018"
"""A card of the demo's unemployed person, so that there is somewhere to pay to."""


def load_world(store: Store, *, today: date) -> None:
    """Put every family into every register. Who has no `about` (spouses, grandparents) is not shown."""
    cast = [
        *families_by_class(today),
        *special_families(today),
        *outside_the_cohort(today),
        *people_for_other_services(today),
    ]
    for family in cast:
        resident = family.resident()
        store.add(resident)
        if family.about:
            store.execute("INSERT INTO demo_resident VALUES (?, ?)", resident.key, family.about)
        if resident.name == OUT_OF_WORK:
            bank.keep(store, bank.BankAccount(number=DEMO_CARD, name=resident.name))
    bank.keep_funds(store)
    enterprises.load(store, today=today)
    for resident, about in visitors(today):
        store.add(resident)
        store.execute("INSERT INTO demo_resident VALUES (?, ?)", resident.key, about)


def demo_residents(store: Store) -> list[Demo]:
    """Who a visitor of the demo can be, as the registers know them now."""
    offered = []
    for id_number, about in store.rows("SELECT id_number, about FROM demo_resident ORDER BY rowid"):
        id_type, _, number = id_number.rpartition(":")
        person = store.person(number, id_type or RESIDENT)
        if person is not None:
            offered.append(_demo(person, store.children(person), about))
    return offered


def _demo(person: Person, children: list[Person], about: str) -> Demo:
    named = [Named(name=child.name, id_number=child.id_number) for child in children]
    return Demo(
        name=person.name,
        id_number=person.id_number,
        phone=person.phone,
        children=named,
        about=about,
        id_type=person.id_type,
    )
