"""Issuing, correcting and ending certificates in the database."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from haiyiban import certificates, clock
from haiyiban.certificates import (
    Certificate,
    CertificateMissing,
    Identifier,
    InvalidClaims,
    NotInForce,
    UnknownCertificateType,
)
from haiyiban.certificates.models import REF_MOST
from haiyiban.db import Database, violated
from tests.kernel.certificates.family import audited, family, issue, notice_claims


async def reread(database: Database, certificate: Certificate) -> Certificate:
    async with database.reading() as session:
        return await session.get_one(Certificate, certificate.id)


async def test_a_new_certificate_has_its_identifier_and_everything_of_its_type(database: Database) -> None:
    made = (await family(database)).certificate
    kept = await reread(database, made)
    identifier = Identifier.parse(kept.identifier)
    assert (identifier.type_code, identifier.issuer_code) == ("11460100MB1E0A010D001", "11460100MB1E0A010D")
    assert (identifier.serial, identifier.version, kept.version) == (kept.serial, 1, 1)
    assert (kept.issuer, kept.type_version, kept.status) == ("海口市教育局", 1, "valid")
    assert kept.issued_on == kept.valid_from == clock.today()
    assert kept.valid_until is not None
    assert (kept.valid_until.month, kept.valid_until.day) == (9, 30)
    assert kept.claims == made.claims
    assert kept.holder_masked == "䶮*****提"
    assert 0 < kept.ref <= REF_MOST


async def test_issuing_is_recorded_by_field_names_alone(database: Database) -> None:
    made = (await family(database)).certificate
    [record] = await audited(database, made.id, "certificates.issue")
    assert record.fields == ["idNumber", "name", "school", "schoolYear"]
    assert record.subject is not None
    assert made.claims["name"] not in str(tuple(record))


async def test_no_name_number_or_claim_is_in_the_table_in_clear(database: Database) -> None:
    made = (await family(database)).certificate
    async with database.transaction() as session:
        await certificates.revoke(
            session, made.id, reason=f"监护人{made.claims['name']}申请", now=clock.now()
        )
    async with database.reading() as session:
        dump = await session.scalar(
            text("SELECT row_to_json(c)::text FROM certificates_certificate c WHERE id = :id"),
            {"id": made.id},
        )
        raw = await session.scalar(
            text("SELECT claims_sealed || status_reason_sealed FROM certificates_certificate WHERE id = :id"),
            {"id": made.id},
        )
    assert made.identifier in dump
    assert len(raw) > 100
    for secret in (made.claims["name"], made.claims["idNumber"], made.claims["school"], "监护人"):
        assert secret not in dump
        assert secret.encode() not in raw
        assert secret.encode("unicode-escape") not in raw


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/claims/name"),
        ({"idNumber": "460105202106150018"}, "/claims/idNumber"),
        ({"school": None}, "/claims/school"),
        ({"schoolYear": "2027"}, "/claims/schoolYear"),
        ({"reportFrom": "2027-02-29"}, "/claims/reportFrom"),
        ({"favouriteColour": "red"}, "/claims/favouriteColour"),
    ],
)
async def test_claims_that_do_not_fit_the_schema_are_refused_by_name(
    database: Database, changes: dict[str, Any], pointer: str
) -> None:
    somebody = uuid4()
    async with database.reading() as session:
        with pytest.raises(InvalidClaims) as refused:
            await issue(session, somebody, somebody, notice_claims(**changes))
    assert pointer in [error.pointer for error in refused.value.errors]


async def test_every_missing_claim_is_named_at_once(database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(InvalidClaims) as refused:
            await issue(session, uuid4(), uuid4(), {})
    assert [error.pointer for error in refused.value.errors] == [
        "/claims/name",
        "/claims/idNumber",
        "/claims/school",
        "/claims/schoolYear",
    ]


async def test_only_published_types_are_issued(database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(UnknownCertificateType):
            await certificates.issue(
                session, "moon-pass", holder_id=uuid4(), keeper_id=uuid4(), claims={}, case_id=None,
                now=clock.now(),
            )  # fmt: skip


async def test_an_end_that_is_given_goes_before_the_type_s(database: Database) -> None:
    end = date(2099, 12, 31)
    assert (await family(database, valid_until=end)).certificate.valid_until == end


async def test_a_correction_is_the_next_version_and_ends_the_old_one(database: Database) -> None:
    old = (await family(database)).certificate
    async with database.transaction() as session:
        new = await certificates.correct(
            session,
            old.id,
            claims=old.claims | {"school": "海口市滨海小学"},
            reason="校名有误",
            now=clock.now(),
        )
    before, after = await reread(database, old), await reread(database, new)
    assert (before.status, before.status_reason) == ("superseded", "校名有误")
    assert (after.status, after.version, after.serial) == ("valid", 2, before.serial)
    assert after.supersedes_id == before.id
    assert after.claims["school"] == "海口市滨海小学"
    assert before.claims["school"] == old.claims["school"]
    assert Identifier.parse(after.identifier).version == 2
    assert (after.valid_until, after.keeper_id) == (before.valid_until, before.keeper_id)
    [record] = await audited(database, new.id, "certificates.correct")
    assert record.fields == ["school"]


async def test_a_correction_that_does_not_fit_leaves_the_old_one_valid(database: Database) -> None:
    old = (await family(database)).certificate
    with pytest.raises(InvalidClaims):
        async with database.transaction() as session:
            await certificates.correct(session, old.id, claims={}, reason="校名有误", now=clock.now())
    assert (await reread(database, old)).status == "valid"


async def test_of_two_corrections_at_once_one_wins(database: Database) -> None:
    old = (await family(database)).certificate

    async def correct(school: str) -> Certificate:
        async with database.transaction() as session:
            return await certificates.correct(
                session, old.id, claims=old.claims | {"school": school}, reason="校名有误", now=clock.now()
            )

    results = await asyncio.gather(*(correct(f"第{n}小学") for n in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Certificate", *["NotInForce"] * 3]
    async with database.reading() as session:
        versions = await session.scalars(
            select(Certificate.version).where(Certificate.serial == old.serial, Certificate.status == "valid")
        )
        assert list(versions) == [2]


async def test_the_database_itself_keeps_two_versions_from_being_in_force(database: Database) -> None:
    old = (await family(database)).certificate
    async with database.transaction() as session:
        await certificates.correct(session, old.id, claims=old.claims, reason="重新制发", now=clock.now())
    with pytest.raises(IntegrityError) as refused:
        async with database.transaction() as session:
            await session.execute(update(Certificate).where(Certificate.id == old.id).values(status="valid"))
    assert violated(refused.value) == "uq_certificates_certificate_in_force"


async def test_a_suspended_certificate_can_be_reinstated_and_a_revoked_one_cannot(database: Database) -> None:
    made = (await family(database)).certificate
    now = clock.now()
    async with database.transaction() as session:
        assert (await certificates.suspend(session, made.id, reason="核查中", now=now)).status == "suspended"
        with pytest.raises(NotInForce):
            await certificates.correct(session, made.id, claims=made.claims, reason="更正", now=now)
        assert (await certificates.reinstate(session, made.id, reason="已核清", now=now)).status == "valid"
        assert (await certificates.revoke(session, made.id, reason="误发", now=now)).status == "revoked"
        for verb in (certificates.reinstate, certificates.suspend, certificates.revoke):
            with pytest.raises(NotInForce):
                await verb(session, made.id, reason="再试", now=now)
    for verb_name in ("suspend", "reinstate", "revoke"):
        assert len(await audited(database, made.id, f"certificates.{verb_name}")) == 1


async def test_what_does_not_exist_cannot_be_revoked(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(CertificateMissing):
            await certificates.revoke(session, uuid4(), reason="误发", now=clock.now())


async def test_only_the_keeper_shows_a_child_s_certificate(database: Database) -> None:
    at_home = await family(database)
    async with database.reading() as session:
        kept = await certificates.kept(session, at_home.certificate.id, at_home.guardian)
        assert kept.id == at_home.certificate.id
        for other in (at_home.child, uuid4()):
            with pytest.raises(CertificateMissing):
                await certificates.kept(session, at_home.certificate.id, other)
        found = await certificates.by_ref(session, kept.ref)
        assert found is not None
        assert found.id == kept.id
        assert await certificates.by_ref(session, REF_MOST) is None


def test_status_follows_the_date_of_hainan() -> None:
    today = clock.today()
    assert certificates.status_on("valid", today, today=today) == "valid"
    assert certificates.status_on("valid", today, today=today + timedelta(days=1)) == "expired"
