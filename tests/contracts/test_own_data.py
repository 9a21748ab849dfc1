"""Whatever table keeps something of a person, the person is told of it: by the export, or by a reason here.

A new table that names a person, or hangs on one that does, fails until its folder tells of it (`Zone.about`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from sqlalchemy import Column, Table, Uuid, func, or_, select

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.certificates.models import Certificate
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.db import Base, Database
from haiyiban.identity import closing
from haiyiban.identity.models import Account, Person
from haiyiban.own_data import folders
from haiyiban.own_data.export import gather
from haiyiban.own_data.page import page
from haiyiban.runtime import discovery
from tests import builders, queries
from tests.contracts import flow, unemployment_flow
from tests.people import SignedIn, at_level_three
from tests.zones.school_places.conftest import MakeRound, SignInStaff

PEOPLE = {"identity_person", "identity_account"}
NAMES_A_PERSON = {
    "person_id",
    "account_id",
    "holder_id",
    "keeper_id",
    "applicant_id",
    "subject_id",
    "giver_id",
    "taker_id",
    "guardian_id",
    "child_id",
    "child",
}
NOT_TOLD = {
    "identity_refresh_token": "a hash of a secret, of a session that is told",
    "identity_revocation": "which sessions are refused for some minutes; the sessions are told",
    "enterprises_enterprise": "an enterprise is a person in law; its role holders are told of their roles",
    "codes_printed": "the place of a certificate in a status list; the certificate is told",
    "school_places_home_use": "blind indexes alone: who holds them finds nobody",
    "duty_free_settlement_entry": "what is owed to a shop; the redemption behind it is told",
}
"""Table → why the export says nothing of it."""


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    discovery.import_models()
    return dict(Base.metadata.tables)


def names_a_person(column: Column[Any]) -> bool:
    return column.name in NAMES_A_PERSON or any(
        key.target_fullname.split(".")[0] in PEOPLE for key in column.foreign_keys
    )


def of_people(tables: dict[str, Table]) -> set[str]:
    """Tables that name a person, and those that hang on them."""
    found = {name for name, table in tables.items() if any(map(names_a_person, table.columns))} | PEOPLE
    while True:
        more = {
            name
            for name, table in tables.items()
            if name not in found
            and any(key.target_fullname.split(".")[0] in found for key in table.foreign_keys)
        }
        if not more:
            return found
        found |= more


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[set[str]]:
    """The tables that statements read meanwhile, once they are read."""
    seen: set[str] = set()
    async with queries.heard(database) as statements:
        yield seen
    seen.update(re.findall(r"(?:FROM|JOIN) (\w+)", "\n".join(statements)))


async def told_to(database: Database, person_id: UUID) -> str:
    async with database.reading() as session:
        told = await gather(session, person_id)
    return msgspec.json.encode({each.folder.name: each.kinds for each in told}).decode()


async def test_every_table_of_people_is_told_or_has_a_reason(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, tables: dict[str, Table]
) -> None:
    _, session = await at_level_three(api, sandbox)
    async with reading(database) as seen:
        answer = await api.get("/me/export", headers=session.headers)
    assert answer.status_code == 200, answer.text
    concerned = of_people(tables)
    assert len(concerned) > 35, "the walk finds what it looks for"
    assert concerned - seen - NOT_TOLD.keys() == set(), "a table of people that nobody is told of"
    assert NOT_TOLD.keys() - concerned == set(), "a reason for a table that needs none"


async def test_every_row_of_everybody_is_told_to_them_alone(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    tables: dict[str, Table],
    make_round: MakeRound,
    sign_in_staff: SignInStaff,
    accredit: flow.Accredit,
) -> None:
    async with database.reading() as session:
        # Families of other tests type each other's numbers into forms, which are theirs to have.
        before = set(await session.scalars(select(Person.id)))
    gone = await flow.go(api, sandbox, make_round=make_round, employ=sign_in_staff, accredit=accredit)
    async with database.reading() as session:
        everybody = await session.scalars(select(Person).where(Person.id_type != CREDIT_CODE))
        people = [person for person in everybody if person.id not in before]
        accounts = {row.person_id: row for row in await session.scalars(select(Account))}
    parent = next(person for person in people if person.id_number == gone.parent.id_number)
    kin = await _kin(database)
    filled = set()
    for person in people:
        told = await told_to(database, person.id)
        filled |= await _require_rows(database, tables, person.id, accounts.get(person.id), told)
        own = [one for one in people if one.id in kin[person.id] | {person.id}]
        for other in people:
            if other in own:
                continue
            assert other.id_number not in told, "another's number"
            assert other.name in {one.name for one in own} or other.name not in told, "another's name"
            account = accounts.get(other.id)
            assert account is None or account.phone is None or account.phone not in told, "another's phone"
    assert filled >= FILLED
    everything = await told_to(database, parent.id)
    for value in (gone.parent.name, gone.parent.id_number, gone.parent.phone, gone.parent.address):
        assert value in everything
    async with database.reading() as session:
        told_folders = await gather(session, parent.id)
    shown = page(told_folders, made_at=clock.now())
    for title in ("身份", "办件", "离岛免税专区", "健康码"):
        assert f"<h2>{title} " in shown
    assert "<script" not in shown


FILLED = {
    "cases_case",
    "certificates_certificate",
    "codes_capsule",
    "codes_consent",
    "cross_province_case",
    "delegations_delegation",
    "duty_free_order",
    "duty_free_voucher",
    "health_code_appeal",
    "health_code_declaration",
    "identity_account",
    "identity_device",
    "identity_session",
    "school_places_roll_entry",
}
"""Tables of which the flow leaves somebody a row: without them this would prove nothing."""


STAYS = {
    "audit_subject": "the pseudonym by which the audit may be read, for three years; then deleted",
    "cases_case": "was handed in",
    "certificates_certificate": "is its authority's document",
    "codes_capsule": "told to offline terminals until a week after its end, then deleted",
    "codes_consent": "what a verifier was allowed to see; part of the log, deleted after three years",
    "cross_province_case": "was handed in to another province",
    "delegations_delegation": "proves who might act for whom",
    "duty_free_order": "a sale",
    "duty_free_voucher": "a sale",
    "duty_free_year": "the allowance is the person's, by the year",
    "identity_document": "by it the same person is known again",
    "identity_revocation": "refuses the account's last tokens for some minutes, then deleted",
    "identity_session": "an empty row; withdrawn capsules refer to it",
    "school_places_roll_entry": "a public draw stays open to checking",
    "unemployment_grant": "the fund's accounts",
    "unemployment_move": "the fund's accounts",
}
"""Table → why rows that name a person stay when the account is closed; docs/your-data.md says it."""


async def test_what_stays_after_an_account_is_closed_has_a_reason(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    tables: dict[str, Table],
    make_round: MakeRound,
    sign_in_staff: SignInStaff,
    accredit: flow.Accredit,
) -> None:
    gone = await flow.go(api, sandbox, make_round=make_round, employ=sign_in_staff, accredit=accredit)
    parent = gone.parent
    session = SignedIn.by(await builders.arrive(parent.name, parent.id_number, parent.phone))
    async with database.reading() as look:
        account = await look.get_one(Account, UUID(session.answer["accountId"]))
        assert account.person_id is not None
        person_id = account.person_id
        case = await look.scalar(
            select(Case.id).where(Case.applicant_id == person_id, Case.number.is_not(None))
        )
        notice = await look.scalar(select(Certificate.id).where(Certificate.keeper_id == person_id))
    assert case is not None
    assert notice is not None
    await unemployment_flow.grant_and_batch(person_id, case, notice)
    refused = await api.post("/me/deletion", json={}, headers=session.headers)
    assert refused.status_code == 409, refused.text
    found = refused.json()["inTheWay"]
    assert {"/unemployment", "/duty-free/orders"} <= {each["link"] for each in found}
    assert all(each["what"] and each["wayOut"] for each in found)
    # As if all of that were over: what each folder forgets, in the order of the operation.
    async with database.transaction() as work:
        for folder in reversed(folders.installed()):
            if folder.forget is not None:
                await folder.forget(work, person_id)
        await closing.close(work, await closing.hold(work, account.id, person_id), now=clock.now())
    left = await _left(database, tables, [person_id, account.id])
    assert left - STAYS.keys() - PEOPLE == set(), "rows of a person that nobody says the reason of"
    assert not left & {"health_code_status", "health_code_guardian", "identity_device", "identity_face_check"}


async def _kin(database: Database) -> dict[UUID, set[UUID]]:
    """Parents and children: what one of them is told may name the other."""
    kin: dict[UUID, set[UUID]] = defaultdict(set)
    async with database.reading() as session:
        for query in (
            select(Case.applicant_id, Case.subject_id).where(Case.subject_id.is_not(None)),
            select(Certificate.keeper_id, Certificate.holder_id),
        ):
            for one, other in (await session.execute(query)).all():
                kin[one].add(other)
                kin[other].add(one)
    return kin


async def _left(database: Database, tables: dict[str, Table], ids: list[UUID]) -> set[str]:
    left = set()
    async with database.reading() as session:
        for name, table in tables.items():
            columns = [c for c in table.columns if names_a_person(c) and isinstance(c.type, Uuid)]
            if columns and name not in PEOPLE | {"enterprises_enterprise"}:
                named = or_(*(column.in_(ids) for column in columns))
                if await session.scalar(select(func.count()).select_from(table).where(named)):
                    left.add(name)
    return left


async def _require_rows(
    database: Database, tables: dict[str, Table], person_id: UUID, account: Account | None, told: str
) -> set[str]:
    """Each row that names this person stands in what they are told, by its key."""
    ids = [person_id] + ([account.id] if account is not None else [])
    filled = set()
    for name, table in tables.items():
        [key, *_] = table.primary_key.columns
        columns = [column for column in table.columns if names_a_person(column) and not column.primary_key]
        if name in NOT_TOLD or not columns or key.name in NAMES_A_PERSON or not isinstance(key.type, Uuid):
            continue
        if name == "identity_claim":
            continue  # its key is another's session
        async with database.reading() as session:
            named = or_(*(column.in_(ids) for column in columns if isinstance(column.type, Uuid)))
            found = (await session.scalars(select(key).where(named))).all()
        for row in found:
            filled.add(name)
            assert str(row) in told, f"{name}: a row of the person is missing"
    return filled
