"""The holder's portrait in the wallet: whose face, for whom, and what it leaves behind."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from haiyiban import registers
from haiyiban.db import Database
from haiyiban.identity import persons
from haiyiban.registers import RegisterClient
from haiyiban_sandbox import portraits as drawn
from tests import builders
from tests.kernel.certificates.family import Family, audited, issue, notice_claims


@pytest.fixture
async def client(sandbox_url: str):
    """Fresh lines to the registers, which no other test has worn out."""
    await registers.close()
    registers.install(RegisterClient(sandbox_url, key="sandbox"))
    yield
    await registers.close()


async def certified(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, *, born: date | None = None
) -> Family:
    """Somebody signed in with a certificate: their own, or of somebody who was `born` then."""
    keeper = builders.Somebody()
    headers = await builders.resident(api, sandbox, keeper)
    speaks_of = keeper
    if born is not None:
        speaks_of = builders.Somebody(name="陈小海", id_number=builders.id_number(born))
        known = await sandbox.post("/residents", json=speaks_of.document())
        assert known.status_code < 300, known.text
    claims = notice_claims(name=speaks_of.name, idNumber=speaks_of.id_number)
    async with database.transaction() as session:
        guardian = await persons.find_or_create(session, keeper.name, id_number=keeper.id_number)
        holder = await persons.find_or_create(session, speaks_of.name, id_number=speaks_of.id_number)
        made = await issue(session, guardian.id, holder.id, claims)
    return Family(guardian.id, holder.id, made, headers, keeper.phone)


def face_of(family: Family) -> bytes:
    """What the register holds of the certificate's holder."""
    return drawn.portrait(family.certificate.claims["idNumber"])


async def look(api: httpx.AsyncClient, family: Family, headers: dict[str, str] | None = None):
    by = family.headers if headers is None else headers
    return await api.get(f"/certificates/{family.certificate.id}/portrait", headers=by)


async def test_the_holder_sees_their_own_face_and_nothing_keeps_it(api, sandbox, database, client) -> None:
    mine = await certified(api, sandbox, database)
    read = (await api.get(f"/certificates/{mine.certificate.id}", headers=mine.headers)).json()
    assert read["portrait"] == f"/api/v1/certificates/{mine.certificate.id}/portrait"
    answer = await look(api, mine)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == face_of(mine)
    assert await audited(database, mine.certificate.id, "certificates.read-portrait") == []


async def test_a_guardian_sees_the_child_s_face_and_the_look_is_recorded(
    api, sandbox, database, client
) -> None:
    family = await certified(api, sandbox, database, born=builders.school_age())
    answer = await look(api, family)
    assert (answer.status_code, answer.content) == (200, face_of(family))
    [record] = await audited(database, family.certificate.id, "certificates.read-portrait")
    assert (record.fields, record.reason) == (["portrait"], "admission-notice")


async def test_a_grown_up_s_face_is_not_shown_to_who_keeps_the_certificate(
    api, sandbox, database, client
) -> None:
    family = await certified(api, sandbox, database, born=date(1990, 1, 1))
    answer = await look(api, family)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/certificates/portrait-missing")
    assert "证照照常有效" in answer.json()["title"]


async def test_without_a_portrait_the_register_away_or_a_stranger_nothing_is_shown(
    api, sandbox, database, client
) -> None:
    mine = await certified(api, sandbox, database)
    assert (await look(api, mine, {})).status_code == 401
    other = await look(api, mine, await builders.resident(api, sandbox))
    assert (other.status_code, other.json()["type"]) == (404, "/problems/certificates/not-found")
    await sandbox.post("/faults", json={"register": "population", "mode": "error"})
    try:
        away = await look(api, mine)
    finally:
        await sandbox.post("/faults", json={"register": "population", "mode": "off"})
    assert (away.status_code, away.json()["type"]) == (503, "/problems/certificates/portrait-unavailable")
    assert int(away.headers["retry-after"]) > 0
    # Somebody of whom we hold a certificate and the register knows nothing.
    claims = notice_claims()
    async with database.transaction() as session:
        unknown = await persons.find_or_create(session, claims["name"], id_number=claims["idNumber"])
        made = await issue(session, mine.guardian, unknown.id, claims)
    missing = await look(api, Family(mine.guardian, unknown.id, made, mine.headers))
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/certificates/portrait-missing")
