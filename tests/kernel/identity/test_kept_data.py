"""What identity leaves behind: an audit of every step, and no personal value in the clear."""

from __future__ import annotations

import httpx
from sqlalchemy import select, text

from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.db import Base, Database
from haiyiban.identity import persons
from haiyiban.identity.terms import TERMS
from tests.people import Resident, at_level_three, give_real_name, pass_face_check, sign_in, step_by_step
from tests.retention import delete_due


async def test_every_step_is_audited_under_a_pseudonym(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, _ = await step_by_step(api, sandbox)
    second = await sign_in(api, sandbox, Resident().phone)
    await give_real_name(api, second, resident)
    await pass_face_check(api, second)
    async with database.reading() as look:
        person = await persons.by_id_number(look, resident.id_number)
        assert person is not None
        pseudonym = await look.scalar(
            select(AuditSubject.pseudonym).where(AuditSubject.person_id == person.id)
        )
        assert pseudonym not in {None, person.id}
        actions = await look.scalars(
            select(AuditRecord.action).where(AuditRecord.subject == pseudonym).order_by(AuditRecord.id)
        )
    assert list(actions) == [
        "identity.create-person",
        "identity.raise-level",
        "identity.begin-face-check",
        "identity.finish-face-check",
        "identity.raise-level",
        "identity.claim-person",
        "identity.begin-face-check",
        "identity.finish-face-check",
        "identity.unbind-person",
        "identity.raise-level",
    ]


async def test_no_table_holds_a_name_a_number_a_phone_or_a_token_in_the_clear(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident = await Resident("司马青衫").register(sandbox)
    _, session = await at_level_three(api, sandbox, resident)
    secrets = (
        resident.name,
        resident.id_number,
        resident.phone,
        session.answer["refreshToken"],
        session.answer["deviceToken"],
    )
    async with database.reading() as look:
        for table in Base.metadata.sorted_tables:
            rows = await look.scalars(text(f'SELECT t::text FROM "{table.name}" AS t'))
            for row in rows:
                for secret in secrets:
                    assert secret not in row, table.name
                    assert secret.encode().hex() not in row, table.name


async def test_forgetting_keeps_what_is_alive(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    for term in TERMS:
        if term.ending is not None:
            await delete_due(term)
    answer = await api.post("/auth/sessions/refresh", json={"refreshToken": session.answer["refreshToken"]})
    assert answer.status_code == 200
