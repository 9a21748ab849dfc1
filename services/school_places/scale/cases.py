"""The cases of a made-up enrolment, as a clerk has accepted them, and what the enrolment notes of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import msgspec

from haiyiban import divisions
from haiyiban.cases.calendar import FIRST_YEAR, LAST_YEAR
from haiyiban.cases.clocks import DueDates, due_dates
from haiyiban.cases.models import Case, CaseEvent, Serial
from haiyiban.cases.numbers import case_number
from haiyiban.cases.states import By, State, Verb
from haiyiban.clock import local_date
from haiyiban.crypto import vault
from haiyiban.forms import leaves
from haiyiban.loads import (
    FALSE,
    TRUE,
    Load,
    bigint,
    day,
    instant_ms,
    jsonb,
    local_day,
    moment,
    row,
    texts,
    uuid_text,
)
from haiyiban.matters import catalogue
from haiyiban.population import World
from haiyiban.sealed import place
from haiyiban.workdays import Calendar, national_rows, published_years
from services.school_places.models import Application
from services.school_places.scale.families import Handed, facts_of, form_of, handed, home_id, submitted_ms
from services.school_places.scale.ground import AGENCY, enrolment_code, enrolment_key
from services.school_places.service.own_records import blind

MATTER = "education.school-place"
_CLERK = 7
"""The clerk who accepted them has a number and no row, for they are nobody."""


def cases(world: World, numbers: range) -> Iterator[bytes]:
    """Each child's case as a clerk has accepted it."""
    matter = catalogue().get(MATTER)
    seal, table, claim = vault().seal, Case.__tablename__, enrolment_code(world).encode()
    for number in numbers:
        one = handed(world, number)
        id_ = uuid_text(one.key)
        form, facts = form_of(world, number, one), facts_of(number, one)
        accepted_on = local_date(moment(one.accepted_ms))
        due = _due(accepted_on)
        filled = sorted(pointer for pointer, _ in leaves(form) if not pointer.startswith("/choices"))
        origin = {"source": "示例登记", "at": moment(one.opened_ms).isoformat(), "state": "known"}
        yield row(
            (
                one.key,
                _number(world, number).encode(),
                MATTER.encode(),
                bigint(matter.version),
                State.ACCEPTED.value.encode(),
                bigint(3),
                world.person_key(one.father.number),
                world.person_key(one.child.number),
                claim,
                AGENCY.encode(),
                form["home"]["division"].encode(),
                seal(msgspec.json.encode(form), where=place(table, "form_sealed", id_)),
                jsonb(dict.fromkeys(filled, origin)),
                texts(filled),
                seal(msgspec.json.encode(facts), where=place(table, "facts_sealed", id_)),
                FALSE,
                jsonb([]),
                instant_ms(one.opened_ms),
                instant_ms(one.accepted_ms),
                instant_ms(one.submitted_ms),
                day(accepted_on),
                day(due.promised),
                day(due.statutory) if due.statutory else None,
                TRUE if due.provisional else FALSE,
                bigint(0),
            )
        )


def events(world: World, numbers: range) -> Iterator[bytes]:
    """Opened, handed in, accepted."""
    clerk = world.key(b"clerk", _CLERK, at_ms=world.made_ms(0))
    for number in numbers:
        one = handed(world, number)
        father = world.person_key(one.father.number)
        steps: tuple[tuple[int, str, By, bytes, dict[str, Any]], ...] = (
            (one.opened_ms, "opened", By.APPLICANT, father, {}),
            (one.submitted_ms, Verb.SUBMISSION.value, By.APPLICANT, father, _before(one, State.DRAFT, 1)),
            (one.accepted_ms, Verb.ACCEPT.value, By.CLERK, clerk, _before(one, State.SUBMITTED, 2)),
        )
        for step, (at_ms, verb, by, by_key, before) in enumerate(steps):
            yield row(
                (
                    world.key(b"event", number * len(steps) + step, at_ms=at_ms),
                    one.key,
                    instant_ms(at_ms),
                    verb.encode(),
                    by.value.encode(),
                    by_key,
                    jsonb({}),
                    jsonb(before),
                )
            )


def applications(world: World, numbers: range) -> Iterator[bytes]:
    """What the enrolment notes of each case, so that two families with one home are seen."""
    enrolment = enrolment_key(world)
    for number in numbers:
        one = handed(world, number)
        marks = sorted(blind("guardian", parent.id_number).hex() for parent in (one.father, one.mother))
        yield row((one.key, enrolment, blind("home", home_id(number)), texts(marks)))


def serials(world: World, numbers: range) -> Iterator[bytes]:
    """The last number of each day, from which the platform would go on."""
    task_code = catalogue().get(MATTER).item.task_code.encode()
    last: dict[bytes, int] = {}
    for _ in numbers:
        for number in range(world.sizes.applications):
            last[local_day(submitted_ms(world, number))] = number + 1
    for on, serial in last.items():
        yield row((task_code, on, bigint(serial)))


def _before(one: Handed, state: State, version: int) -> dict[str, Any]:
    """What an undo would put back (cases/timeline.py)."""
    assert one.child.home is not None, "a resident"
    return {
        "version": version,
        "state": state.value,
        "agency": AGENCY,
        "division": one.child.home.division,
        "accepted_on": None,
        "promised_due_on": None,
        "statutory_due_on": None,
        "due_provisional": False,
        "extended_days": 0,
        "extension_asked_by": None,
        "resume_on": None,
        "correction_due_at": None,
        "outcome": None,
        "claim": None,
    }


def _number(world: World, number: int) -> str:
    on = local_date(moment(submitted_ms(world, number)))
    return case_number(catalogue().get(MATTER).item.task_code, on, number + 1)


@cache
def _due(accepted_on: date) -> DueDates:
    rows = national_rows(FIRST_YEAR, LAST_YEAR)
    calendar = Calendar(rows, {}, published_years(rows))
    item = catalogue().get(MATTER).item
    return due_dates(item, accepted_on, calendar=calendar, division=divisions.PROVINCE)


CASES = (
    Load(
        table=Case.__tablename__,
        columns="id, number, matter, matter_version, state, version, applicant_id, subject_id, claim, "
        "agency, division, form_sealed, prefill, locked, facts_sealed, has_open_facts, findings, "
        "created_at, updated_at, submitted_at, accepted_on, promised_due_on, statutory_due_on, "
        "due_provisional, extended_days",
        items=lambda sizes: sizes.applications,
        rows=cases,
        item_bytes=3800,
    ),
    Load(
        table=CaseEvent.__tablename__,
        columns="id, case_id, at, verb, by_kind, by_id, detail, before",
        items=lambda sizes: sizes.applications,
        rows=events,
        item_bytes=1340,
    ),
    Load(
        table=Application.__tablename__,
        columns="case_id, enrolment_id, home, guardians",
        items=lambda sizes: sizes.applications,
        rows=applications,
        item_bytes=400,
    ),
    Load(
        table=Serial.__tablename__,
        columns="task_code, day, last",
        items=lambda _sizes: 1,
        rows=serials,
        item_bytes=2000,
    ),
)
