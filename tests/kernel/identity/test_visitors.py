"""Visitors: from a passport, a pass, a permit or a residence card to a live face, and one person for all."""

from __future__ import annotations

import asyncio
import secrets
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.identity import persons
from haiyiban.identity.models import Account, Person
from haiyiban_sandbox.identity import check_character, identity_number
from tests import builders
from tests.people import Resident, SignedIn, Visitor, at_level_three, pass_face_check, sign_in, slug

DAY = timedelta(days=1)


def permit(area: str = "810000", *, born: date = date(1992, 3, 15)) -> str:
    """A fresh number of a residence permit for Hong Kong, Macao and Taiwan residents."""
    return identity_number(area, born, sequence=builders.FIRST_FREE + secrets.randbelow(800))


def residence_card(country: str = "840", *, born: str | None = None) -> str:
    """A fresh number of a permanent residence card as issued since 2023-12, never the demo visitor's."""
    born = (
        born
        or f"{1950 + secrets.randbelow(38)}{1 + secrets.randbelow(12):02d}{1 + secrets.randbelow(28):02d}"
    )
    digits = f"946{country}{born}{builders.FIRST_FREE + secrets.randbelow(800)}"
    return digits + check_character(digits)


def eight() -> str:
    return f"{secrets.randbelow(10**8):08d}"


async def give(api: httpx.AsyncClient, session: SignedIn, **document: str) -> httpx.Response:
    return await api.post("/me/real-name", json=document, headers=session.headers)


def document(visitor: Resident, **changes: str) -> dict[str, str]:
    return {"name": visitor.name, "idType": visitor.id_type, "idNumber": visitor.id_number} | changes


async def person_of(database: Database, session: SignedIn) -> Person:
    async with database.reading() as look:
        account = await look.get_one(Account, UUID(session.answer["accountId"]))
        assert account.person_id is not None
        return await persons.get(look, account.person_id)


@pytest.mark.parametrize(
    ("id_type", "number", "name"),
    [
        ("414", lambda: f"E{eight()}", "LI MING"),
        ("414", lambda: f"L{eight()}", "JOHN SMITH"),
        ("516", lambda: f"H{eight()}", "陈大文"),
        ("516", lambda: f"M{eight()}01", "何小姐"),
        ("511", eight, "林志明"),
        ("154", permit, "陈大文"),
        ("154", lambda: permit("830000"), "林志明"),
        ("553", residence_card, "ANNA KOWALSKI"),
        ("553", lambda: f"USA{secrets.randbelow(10**12):012d}", "ANNA KOWALSKI"),
    ],
)
async def test_a_visitor_comes_to_l3_by_their_own_document(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, id_type: str, number: Any, name: str
) -> None:
    """Source: docs/domain.md §1.2."""
    visitor = await Visitor(name, id_type=id_type, id_number=number()).register(sandbox)
    session = await sign_in(api, sandbox, visitor.phone)
    assert (await give(api, session, **document(visitor))).json() == {"assurance": "L2"}
    assert await pass_face_check(api, session) == {"assurance": "L3"}
    shown = (await api.get("/me", headers=session.headers)).json()["person"]
    assert shown["idType"] == id_type
    assert visitor.id_number not in str(shown)
    assert name not in str(shown)


@pytest.mark.parametrize(
    ("id_type", "id_number"),
    [
        ("154", "810000199203150043"),  # check digit
        ("154", "460105199003070017"),  # a mainland card
        ("553", "946840198801010012"),  # check digit
        ("553", "US1123456789012"),
        ("414", "E 123"),
        ("414", "护照12345"),
        ("516", "A12345678"),
        ("516", "H1234567"),
        ("511", "1234567"),
        ("511", "123456789"),
    ],
)
async def test_a_number_that_cannot_be_of_its_kind_is_refused_before_any_register(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, id_type: str, id_number: str
) -> None:
    """Source: docs/domain.md §1.2 (vectors, one character changed)."""
    await sandbox.post("/faults", json={"register": "exit_entry", "mode": "error"})
    session = await sign_in(api, sandbox, Visitor().phone)
    answer = await give(api, session, name="A B", idType=id_type, idNumber=id_number)
    assert (answer.status_code, slug(answer)) == (422, "invalid-id-number")
    assert answer.json()["errors"][0]["pointer"] == "/idNumber"
    assert id_number not in answer.text


async def test_a_document_is_taken_as_people_type_it(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    visitor = await Visitor("JOHN  SMITH", id_number=f"AB{eight()}").register(sandbox)
    session = await sign_in(api, sandbox, visitor.phone)
    typed = {"name": " john smith ", "idType": "passport", "idNumber": f" {visitor.id_number.lower()}"}
    assert (await give(api, session, **typed)).json() == {"assurance": "L2"}


async def test_a_name_of_somebody_else_a_number_of_nobody_and_another_kind_do_not_match(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    visitor = await Visitor().register(sandbox)
    session = await sign_in(api, sandbox, visitor.phone)
    for wrong in (
        document(visitor, name="JANE SMITH"),
        document(visitor, idNumber=f"Q{eight()}"),
        document(visitor, idType="511", idNumber=eight()),
    ):
        answer = await give(api, session, **wrong)
        assert (answer.status_code, slug(answer)) == (422, "identity-mismatch")
    assert (await give(api, session, **document(visitor))).status_code == 200


async def test_a_register_that_is_away_is_never_a_yes_and_costs_no_try(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    visitor = await Visitor().register(sandbox)
    session = await sign_in(api, sandbox, visitor.phone)
    await sandbox.post("/faults", json={"register": "exit_entry", "mode": "garbage"})
    for _ in range(4):
        answer = await give(api, session, **document(visitor))
        assert (answer.status_code, slug(answer)) == (503, "register-unavailable")
    await sandbox.post("/faults", json={"register": "exit_entry", "mode": "off"})
    assert (await give(api, session, **document(visitor))).json() == {"assurance": "L2"}


async def test_a_document_past_its_last_day_is_refused_and_one_on_it_is_not(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    today = clock.today()
    visitor = await Visitor().register(sandbox, validUntil=(today - DAY).isoformat())
    session = await sign_in(api, sandbox, visitor.phone)
    answer = await give(api, session, **document(visitor))
    assert (answer.status_code, slug(answer)) == (422, "document-expired")
    await visitor.register(sandbox, validUntil=today.isoformat())
    assert (await give(api, session, **document(visitor))).status_code == 200


async def test_a_child_with_a_passport_needs_a_guardian_too(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    born = clock.today().replace(day=1, year=clock.today().year - 13)
    visitor = await Visitor().register(sandbox, birthDate=born.isoformat())
    session = await sign_in(api, sandbox, visitor.phone)
    answer = await give(api, session, **document(visitor))
    assert (answer.status_code, slug(answer)) == (422, "needs-guardian")


async def test_two_documents_that_the_register_links_are_one_person(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """A pass at first, then the permit, which tells more and by which the person is shown from then on."""
    other = {"idType": "154", "idNumber": permit(), "name": "陈大文"}
    visitor = Visitor("陈大文", id_type="516", id_number=f"H{eight()}")
    await visitor.register(sandbox, documents=[other])
    _, session = await at_level_three(api, sandbox, visitor)
    first = await person_of(database, session)
    answer = await give(api, session, **other)
    assert (answer.status_code, answer.json()) == (200, {"assurance": "L3"})
    again = await person_of(database, session)
    assert (again.id, again.id_type, again.id_number) == (first.id, "154", other["idNumber"])
    answer = await give(api, session, **document(visitor))
    assert answer.json() == {"assurance": "L3"}
    kept = await person_of(database, session)
    assert (kept.id, kept.id_type) == (first.id, "154")
    async with database.reading() as look:
        changed = await look.scalars(
            select(AuditRecord.fields).where(
                AuditRecord.action == "identity.change-document", AuditRecord.object_id == first.id
            )
        )
        assert changed.all() == [["idType", "idNumber"]]


async def test_a_passport_leads_to_the_person_of_the_identity_card(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """And on another phone it needs that person's face, as any second account does."""
    passport = {"idType": "414", "idNumber": f"E{eight()}", "name": "WANG XIAOHAI"}
    resident = await Resident().register(sandbox, documents=[passport])
    _, session = await at_level_three(api, sandbox, resident)
    first = await person_of(database, session)
    elsewhere = await sign_in(api, sandbox, Resident().phone)
    answer = await give(api, elsewhere, **passport)
    assert answer.json() == {"assurance": "L1", "next": "face-check"}
    assert await pass_face_check(api, elsewhere) == {"assurance": "L3"}
    moved = await person_of(database, elsewhere)
    assert (moved.id, moved.id_type, moved.name) == (first.id, "111", resident.name)


async def test_two_documents_given_at_once_make_one_person(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    card = {"idType": "553", "idNumber": residence_card(), "name": "ANNA KOWALSKI"}
    visitor = await Visitor("ANNA KOWALSKI").register(sandbox, documents=[card])
    sessions = [await sign_in(api, sandbox, Visitor().phone) for _ in range(4)]
    given = [document(visitor), card, document(visitor), card]
    answers = await asyncio.gather(
        *(give(api, session, **each) for session, each in zip(sessions, given, strict=True))
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(answer.json()["assurance"] for answer in answers) == ["L1", "L1", "L1", "L2"]
    async with database.reading() as look:
        passport = await persons.by_id_number(look, visitor.id_number, id_type="414")
        residence = await persons.by_id_number(look, card["idNumber"], id_type="553")
    assert passport is not None
    assert residence is not None
    assert passport.id == residence.id


async def test_documents_that_became_one_only_afterwards_are_sent_to_a_counter(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    """Things stand under both, so nothing is brought together behind anybody's back."""
    visitor = await Visitor("陈大文", id_type="516", id_number=f"H{eight()}").register(sandbox)
    other = Visitor("陈大文", id_type="154", id_number=permit())
    await at_level_three(api, sandbox, await other.register(sandbox))
    await at_level_three(api, sandbox, visitor)
    await visitor.register(sandbox, documents=[document(other)])
    session = await sign_in(api, sandbox, Visitor().phone)
    answer = await give(api, session, **document(visitor))
    assert (answer.status_code, slug(answer)) == (409, "documents-of-two")


@pytest.mark.parametrize(("born", "expected"), [("1991-06-15", date(1991, 6, 15)), (None, date(1990, 1, 1))])
async def test_the_birth_date_of_a_passport_comes_from_the_register(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, born: str | None, expected: date
) -> None:
    visitor = await Visitor().register(sandbox, birthDate=born)
    _, session = await at_level_three(api, sandbox, visitor)
    person = await person_of(database, session)
    assert persons.birth_of(person, today=clock.today()) == expected


async def test_the_visitors_of_the_demo_can_be_confirmed(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    world = (await sandbox.get("/world")).json()["residents"]
    visitors = [one for one in world if "idType" in one]
    assert {one["idType"] for one in visitors} == {"414", "516", "511", "553"}
    for one in visitors:
        session = await sign_in(api, sandbox, one["phone"])
        answer = await give(api, session, **{name: one[name] for name in ("name", "idType", "idNumber")})
        assert answer.json() == {"assurance": "L2"}, one


async def test_a_visitor_who_opens_a_matter_of_residents_hears_of_no_crash(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    """The registers of residents keep nothing under a passport: absent, and not asked again and again."""
    _, session = await at_level_three(api, sandbox, await Visitor().register(sandbox))
    case = await api.post("/cases", json={"matter": "social-insurance.proof"}, headers=session.headers)
    assert case.status_code == 201, case.text
    assert case.json()["state"] == "draft"
    assert "months" not in case.json()["form"]
