"""Signing documents: what pyHanko's own validators say of them, on good days and on bad ones."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from unittest.mock import ANY

import httpx
import pytest
import typst
from asn1crypto import pem, x509
from asn1crypto.crl import CertificateList
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.ades import AdESWithTimeValidationResult, ades_with_time_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from haiyiban import clock
from haiyiban.certificates import DocumentsNotSigned, authority, demo_authority, signer, signing, stamping
from haiyiban.certificates.checking import Finding, Report, check
from haiyiban.certificates.signing import Level, Signed
from haiyiban.crypto import FileKeys
from haiyiban.registers.breaker import FAILURES, Circuit
from haiyiban.settings import Settings

PAGE = bytes(typst.compile(b'#set document(keywords: ("HYB1:X",))\n= a page', format="pdf"))


@pytest.fixture(autouse=True)
def _afresh(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """No evidence, circuit or signer of an earlier test."""
    monkeypatch.setattr(stamping, "_stamping", None)
    signer.forget()


def roots_of(settings: Settings) -> tuple[x509.Certificate, ...]:
    return signer.certificates_in(settings.keys_dir / signer.ROOTS_FILE)


async def signed() -> Signed:
    return await signing.sign(PAGE, reason="测试", now=clock.now())


@pytest.mark.es256_readers
async def test_a_signature_is_stamped_and_carries_its_evidence(
    settings: Settings, sandbox: httpx.AsyncClient
) -> None:
    made = await signed()
    assert made.level is Level.B_LT
    reader = PdfFileReader(BytesIO(made.pdf))
    (signature,) = reader.embedded_regular_signatures
    store = DocumentSecurityStore.read_dss(reader)
    assert len(store.crls) == 2
    context = ValidationContext(
        trust_roots=list(roots_of(settings)),
        crls=[one.get_object().data for one in store.crls],
        allow_fetching=False,
        revocation_mode="require",
        moment=clock.now(),
    )
    status = await async_validate_pdf_signature(signature, signer_validation_context=context)
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.docmdp_ok
    assert signature.docmdp_level is MDPPerm.NO_CHANGES
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.trusted
    assert abs(status.timestamp_validity.timestamp - clock.now()) < timedelta(seconds=60)


@pytest.mark.es256_readers
@pytest.mark.parametrize("days", [0, 20])
async def test_a_validator_as_the_standard_has_it_accepts_the_file_alone(
    settings: Settings, days: int
) -> None:
    made = await signed()
    result = await with_time(made.pdf, settings, clock.now() + timedelta(days=days))
    assert result.ades_subindic is AdESPassed.OK
    assert result.best_signature_time <= clock.now()


async def with_time(pdf: bytes, settings: Settings, moment: datetime) -> AdESWithTimeValidationResult:
    """What ETSI EN 319 102-1 §5.5 says of a file's signature at an instant, from the file alone."""
    reader = PdfFileReader(BytesIO(pdf))
    (signature,) = reader.embedded_regular_signatures
    store = DocumentSecurityStore.read_dss(reader)
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=list(roots_of(settings))),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
    )
    lists = [CertificateList.load(one.get_object().data) for one in store.crls]
    spec = SignatureValidationSpec(
        cert_validation_policy=policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=LocalKnowledge(
            known_crls=[CRLContainer(one) for one in lists], known_certs=list(store.load_certs())
        ),
    )
    return await ades_with_time_validation(
        signature.signed_data,
        spec,
        raw_digest=signature.compute_digest(),
        timing_info=ValidationTimingInfo(moment, moment, point_in_time_validation=True),
    )


def judged(pdf: bytes, settings: Settings, *, days: float = 0) -> Report:
    return check(pdf, roots=roots_of(settings), now=clock.now() + timedelta(days=days))


async def test_a_signer_whose_certificate_has_ended_is_still_good_after_its_stamp(settings: Settings) -> None:
    made = await signed()
    report = await asyncio.to_thread(judged, made.pdf, settings, days=4 * 365)
    assert report.is_good
    assert report.is_long_term
    unstamped = await without_stamp(settings)
    assert await asyncio.to_thread(judged, unstamped, settings) == Report(
        finding=Finding.GOOD,
        signer=report.signer,
        signed_at=ANY,
        covers_whole_file=True,
        code_text="HYB1:X",
    )
    report = await asyncio.to_thread(judged, unstamped, settings, days=4 * 365)
    assert report.finding is Finding.EXPIRED_SIGNER


async def without_stamp(settings: Settings) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIYIBAN_TIMESTAMP_URL", "")
        made = await signed()
    assert made.level is Level.B_B
    return made.pdf


@pytest.mark.parametrize("mode", ["error", "garbage", "slow"])
async def test_a_citizen_gets_the_document_when_the_stamps_have_a_bad_day(
    settings: Settings, sandbox: httpx.AsyncClient, mode: str
) -> None:
    await sandbox.post("/faults", json={"register": "timestamp", "mode": mode})
    began = time.monotonic()
    made = await signed()
    assert time.monotonic() - began < 3.5
    assert made.level is Level.B_B
    assert (await asyncio.to_thread(judged, made.pdf, settings)).is_good
    await sandbox.post("/faults", json={"register": "timestamp", "mode": "off"})


async def test_stamps_come_back_when_the_authority_does(
    sandbox: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await signed()).level is Level.B_LT
    await sandbox.post("/faults", json={"register": "timestamp", "mode": "error"})
    for _ in range(FAILURES + 1):
        assert (await signed()).level is Level.B_B
    line = stamping.stamping(Settings.from_env().timestamp_url)
    assert not line.circuit.is_closed
    await sandbox.post("/faults", json={"register": "timestamp", "mode": "off"})
    line.circuit = Circuit()
    assert (await signed()).level is Level.B_LT


async def test_a_stamp_of_a_stranger_is_left_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = settings.keys_dir / signer.ROOTS_FILE
    kept = roots.read_bytes()
    own = pem.armor("CERTIFICATE", roots_of(settings)[0].dump())
    try:
        roots.write_bytes(own)
        signer.forget()
        assert (await signed()).level is Level.B_B
    finally:
        roots.write_bytes(kept)


async def test_without_revocation_lists_the_document_has_a_stamp_and_no_evidence(settings: Settings) -> None:
    file = settings.keys_dir / signer.CRL_FILE
    kept = file.read_bytes()
    try:
        file.unlink()
        signer.forget()
        made = await signed()
    finally:
        file.write_bytes(kept)
    assert made.level is Level.B_T
    report = await asyncio.to_thread(judged, made.pdf, settings)
    assert report.is_good
    assert report.stamped_at is not None
    assert not report.is_long_term


async def test_nothing_is_given_unsigned(settings: Settings, tmp_path: Path) -> None:
    chain = settings.keys_dir / signer.CHAIN_FILE
    with pytest.raises(DocumentsNotSigned):
        signer.document_signer(clock.now() + timedelta(days=4 * 365))
    kept = chain.read_bytes()
    try:
        for broken in (None, b"", b"-----BEGIN CERTIFICATE-----\n", pem.armor("CERTIFICATE", b"no")):
            chain.unlink(missing_ok=True)
            if broken is not None:
                chain.write_bytes(broken)
            signer.forget()
            with pytest.raises(DocumentsNotSigned):
                await signed()
    finally:
        chain.write_bytes(kept)


async def test_a_revoked_signer_signs_nothing_more(settings: Settings) -> None:
    made = await signed()
    root_key, root = demo_authority.root_of(settings.home / "offline-root", clock.now())
    serial = signer.document_signer(clock.now()).certificate.serial_number
    file = settings.keys_dir / signer.CRL_FILE
    kept = file.read_bytes()
    now = clock.now()
    crl = authority.new_crl(root, root_key, number=9, now=now, revoked={serial: now})
    try:
        file.write_bytes(crl.public_bytes(Encoding.PEM))
        signer.forget()
        with pytest.raises(DocumentsNotSigned):
            await signed()
    finally:
        file.write_bytes(kept)
    # What it signed before stays good.
    assert (await asyncio.to_thread(judged, made.pdf, settings)).is_good


async def test_the_demo_authority_renews_what_is_due_and_no_more(settings: Settings, tmp_path: Path) -> None:
    mine = replace(settings, home=tmp_path, timestamp_url="")
    now = clock.now()

    def kept() -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in mine.keys_dir.glob("document-*.pem")}

    await asyncio.to_thread(demo_authority.prepare, mine, now=now)
    first = kept()
    assert set(first) == {signer.CHAIN_FILE, signer.CRL_FILE, signer.ROOTS_FILE}
    demo_authority.prepare(mine, now=now + timedelta(days=1))
    assert kept() == first
    demo_authority.prepare(mine, now=now + timedelta(days=40))
    assert {name for name, content in kept().items() if content != first[name]} == {signer.CRL_FILE}
    FileKeys(mine.keys_dir).rotate("document", not_before=now)
    demo_authority.prepare(mine, now=now)
    assert kept()[signer.CHAIN_FILE] != first[signer.CHAIN_FILE]
    assert kept()[signer.ROOTS_FILE] == first[signer.ROOTS_FILE]
    assert signer.read_signer(mine.keys_dir).certificate.subject.native["country_name"] == "CN"
    # The root's private half is nowhere in the folder that servers read.
    secrets_there = b"".join(one.read_bytes() for one in mine.keys_dir.iterdir())
    assert first[signer.ROOTS_FILE].strip() in (tmp_path / "offline-root/document-root.pem").read_bytes()
    root_secret = (tmp_path / "offline-root/document-root.pem").read_bytes().split(b"\n")[1]
    assert root_secret not in secrets_there


async def test_twenty_at_once_are_all_signed_and_keep_nobody_waiting(settings: Settings) -> None:
    await signed()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    began = time.monotonic()
    made = await asyncio.gather(*(signed() for _ in range(20)))
    took = time.monotonic() - began
    ticking.cancel()
    assert {one.level for one in made} == {Level.B_LT}
    assert len({one.pdf for one in made}) == 20
    # The loop went on: at least a tenth of the ticks of an idle one.
    assert ticks > took / 0.01 / 10
