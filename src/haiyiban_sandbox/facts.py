"""What each register says about a person: read from the store, None when there is nothing to say."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from haiyiban_sandbox.identity import RESIDENT, birth_date, sex
from haiyiban_sandbox.people import Fact, Person, trip_records
from haiyiban_sandbox.store import Store

Facts = dict[str, Any]


def population(_: Store, person: Person) -> Facts | None:
    """人口库: of the people with an identity card."""
    if person.hukou is None or person.id_type != RESIDENT:
        return None
    return {
        **_who(person),
        "sex": sex(person.id_number),
        "birthDate": birth_date(person.id_number),
        "hukou": person.hukou,
        "division": person.division,
    }


def household(store: Store, person: Person) -> Facts | None:
    """户口簿: relatives by birth registered at the same address are one booklet."""
    if person.hukou is None:
        return None
    booklet = {person.id_number: person}
    waiting = [person]
    while waiting:
        member = waiting.pop()
        for relative in store.parents(member) + store.children(member):
            lives_at = relative.hukou.address if relative.hukou else None
            if relative.id_number not in booklet and lives_at == person.hukou.address:
                booklet[relative.id_number] = relative
                waiting.append(relative)
    relation = _relations(store, person)
    return {
        "address": person.hukou.address,
        "division": person.hukou.division,
        "since": person.hukou.since,
        "members": [
            {**_who(member), "relation": relation.get(number, "other")} for number, member in booklet.items()
        ],
    }


def _relations(store: Store, person: Person) -> dict[str, str]:
    """What each relative is to the person asked about, nearest relation last so that it wins."""
    parents, children = store.parents(person), store.children(person)
    relations: dict[str, str] = {}

    def note(relation: str, people: Sequence[Person]) -> None:
        relations.update(dict.fromkeys((one.id_number for one in people), relation))

    for parent in parents:
        note("grandparent", store.parents(parent))
        note("sibling", store.children(parent))
    for child in children:
        note("grandchild", store.children(child))
        note("spouse", store.parents(child))
    note("parent", parents)
    note("child", children)
    note("self", [person])
    return relations


def homes(_: Store, person: Person) -> Facts | None:
    """不动产登记、公租房和租赁备案."""
    return {"homes": [person.home]} if person.home else None


def birth(store: Store, person: Person) -> Facts | None:
    """出生医学证明: asked by parent or by child."""
    parents, children = store.parents(person), store.children(person)
    if not parents and not children:
        return None
    return {
        "certificateNumber": _birth_certificate(person) if parents else None,
        "parents": [_who(parent) for parent in parents],
        "children": [{**_who(child), "certificateNumber": _birth_certificate(child)} for child in children],
    }


def special_group(store: Store, person: Person) -> Facts | None:
    """优待对象名单: a child is on it through a parent."""
    groups = [one.special_group for one in (person, *store.parents(person)) if one.special_group]
    return {"group": groups[0]} if groups else None


def residence_permit(_: Store, person: Person) -> Facts | None:
    """居住证."""
    return msgspec.to_builtins(person.residence_permit) if person.residence_permit else None


def social_insurance(_: Store, person: Person) -> Facts | None:
    """参保记录."""
    return msgspec.to_builtins(person.social_insurance) if person.social_insurance else None


def employment(_: Store, person: Person) -> Facts | None:
    """就业登记."""
    return {"employment": person.employment} if person.employment else None


def pension(_: Store, person: Person) -> Facts | None:
    """养老待遇."""
    return msgspec.to_builtins(person.pension) if person.pension else None


def deregistration(_: Store, person: Person) -> Facts | None:
    """户口注销."""
    return msgspec.to_builtins(person.deregistration) if person.deregistration else None


def custody(_: Store, person: Person) -> Facts | None:
    """服刑."""
    return msgspec.to_builtins(person.custody) if person.custody else None


def trips(_: Store, person: Person) -> Facts | None:
    """进出岛行程."""
    return None if person.trips is None else {"trips": trip_records(person.trips)}


def tests(_: Store, person: Person) -> Facts | None:
    """检测记录."""
    return _listed("tests", person.tests)


def vaccinations(_: Store, person: Person) -> Facts | None:
    """接种记录."""
    return _listed("vaccinations", person.vaccinations)


def contacts(_: Store, person: Person) -> Facts | None:
    """流行病学调查."""
    return _listed("contacts", person.contacts)


def medical_bills(_: Store, person: Person) -> Facts | None:
    """就医地医疗费用."""
    return {"bills": msgspec.to_builtins(person.medical_bills)} if person.medical_bills else None


def medical_policy(_: Store, person: Person) -> Facts | None:
    """参保地待遇政策."""
    return msgspec.to_builtins(person.medical_policy) if person.medical_policy else None


def _listed(name: str, facts: list[Fact] | None) -> Facts | None:
    return None if facts is None else {name: facts}


def _who(person: Person) -> Facts:
    return {"name": person.name, "idNumber": person.id_number}


def _birth_certificate(person: Person) -> str:
    """One letter and nine digits, always the same for the same person. Source: docs/domain.md §1.2."""
    digest = hashlib.sha256(person.id_number.encode()).digest()
    return f"W{int.from_bytes(digest[:8]) % 10**9:09d}"
