"""Identity codes, in both forms: a masked name and nothing more."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from haiyiban import clock
from haiyiban.audit.models import AuditRecord, AuditSubject
from haiyiban.codes.claims import Claims, Kind, PlainBody
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.envelope import parse, parse_capsule, sign_form_a
from haiyiban.codes.models import Verification
from haiyiban.codes.signing import code_keys
from haiyiban.db import Database
from haiyiban.identity import persons
from haiyiban.identity.models import Account, Person
from tests import builders
from tests.phone import Phone

Headers = dict[str, str]


@pytest.fixture
async def counter(accredit) -> Headers:
    """A counter that may see identity codes."""
    return await accredit("counter", "gate", name="政务窗口")


async def test_everybody_shows_a_masked_name_of_their_own(api, phone) -> None:
    answer = await api.post("/codes", json={"kind": "identity"}, headers=phone.headers)
    assert answer.status_code == 201
    said = parse(answer.json()["text"]).claims
    assert (said.kind, said.exp - said.iat, said.body) == (Kind.IDENTITY, 60, PlainBody(name="陈*"))


async def test_a_phone_shows_it_for_twelve_hours_by_itself(phone) -> None:
    await phone.bind("identity")
    said = parse_capsule(phone.capsule).claims
    assert (said.kind, said.exp - said.iat, said.body) == (Kind.IDENTITY, 12 * 3600, PlainBody(name="陈*"))


@pytest.mark.parametrize("form", ["a", "b"])
async def test_a_verifier_reads_the_masked_name_and_is_offered_a_look_at_the_face(
    api, phone, scan, counter, form
) -> None:
    answer = await scan(await text_in(form, api, phone), by=counter, purpose="counter")
    assert set(answer) == {"id", "outcome", "reason", "advice", "verifiedAt", "kind", "holder", "portrait"}
    assert (answer["outcome"], answer["kind"], answer["holder"]) == ("valid", "identity", {"name": "陈*"})


@pytest.mark.parametrize("form", ["a", "b"])
async def test_it_works_once_and_is_answered_again_word_for_word(
    api, phone, scan, counter, database: Database, form
) -> None:
    text = await text_in(form, api, phone)
    asked = {"by": counter, "purpose": "counter"}
    first = await scan(text, key="first", **asked)
    other = await scan(text, key="other", **asked)
    assert (first["outcome"], other["outcome"]) == ("valid", "already_used")
    assert "holder" not in other
    # Even after the person took another name.
    async with database.transaction() as session:
        person = await session.get_one(Person, await person_of(database, phone))
        await persons.rename(session, person, "林大海")
    assert await scan(text, key="first", **asked) == first
    assert (await api.get(f"/verifications/{first['id']}", headers=counter)).json() == first


async def test_the_holder_finds_the_look_in_the_access_log(api, phone, scan, counter) -> None:
    found = await scan(await text_in("b", api, phone), by=counter, purpose="counter")
    looks = (await api.get("/me/access-log", headers=phone.headers)).json()["items"]
    assert any(look["at"] == found["verifiedAt"] for look in looks), looks


async def test_what_was_shown_is_kept_sealed_and_the_record_says_whom(
    api, phone, scan, counter, database: Database
) -> None:
    found = await scan(await text_in("a", api, phone), by=counter, purpose="counter")
    async with database.reading() as session:
        row = await session.get_one(Verification, UUID(found["id"]))
        record = await session.get_one(AuditRecord, UUID(found["id"]))
        person_id = await person_of(database, phone)
        subject = await session.scalar(
            select(AuditSubject.pseudonym).where(AuditSubject.person_id == person_id)
        )
    assert row.certificate_id is None
    assert "陈".encode() not in (row.shown_sealed or b"")
    assert row.shown == {"name": "陈*", "subject": None}
    assert record.subject == subject


async def test_who_may_not_see_identities_sees_no_name(api, phone, scan, school) -> None:
    answer = await scan(await text_in("a", api, phone), by=school)
    assert answer["outcome"] == "not_entitled"
    assert "holder" not in answer


async def test_a_gate_needs_presence_of_identity_codes_too(api, phone, scan, counter) -> None:
    by_phone = await scan(await text_in("b", api, phone), by=counter, purpose="gate")
    assert (by_phone["outcome"], "在场" in by_phone["reason"]) == ("not_entitled", True)
    fresh = await scan(await text_in("a", api, phone), by=counter, purpose="gate")
    assert fresh["outcome"] == "valid"


async def test_a_code_of_nobody_cannot_be_judged(scan, counter) -> None:
    now = clock.now()
    keys = code_keys(now)
    cti = keys.cti.seal(new_code_id(Kind.IDENTITY, 2**40 - 1, now=now))
    at = int(now.timestamp())
    said = Claims(
        iss=keys.issuer, iat=at, exp=at + 60, cti=cti, kind=Kind.IDENTITY, body=PlainBody(name="吉*")
    )
    answer = await scan(sign_form_a(said, keys.signer(now)), by=counter, purpose="counter")
    assert answer["outcome"] == "unavailable"


async def test_its_state_is_the_holders_alone(api, sandbox, phone) -> None:
    shown = await api.post("/codes", json={"kind": "identity"}, headers=phone.headers)
    path = f"/codes/{shown.json()['id']}"
    state = await api.get(path, headers=phone.headers)
    assert (state.json()["kind"], state.json()["state"]) == ("identity", "shown")
    picture = await api.get(f"{path}/image.svg", headers=phone.headers)
    assert picture.status_code == 200
    stranger = await builders.resident(api, sandbox)
    assert (await api.get(path, headers=stranger)).status_code == 404


async def text_in(form: str, api, phone: Phone) -> str:
    if form == "b":
        await phone.bind("identity")
        return phone.show(int(clock.now().timestamp()))
    answer = await api.post("/codes", json={"kind": "identity"}, headers=phone.headers)
    return str(answer.json()["text"])


async def person_of(database: Database, phone: Phone) -> UUID:
    async with database.reading() as session:
        account = await session.get_one(Account, phone.account_id)
    assert account.person_id is not None
    return account.person_id
