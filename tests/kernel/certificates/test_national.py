"""Documents that are signed by SM2 with SM3: certificates, revocation list, signature, and who judges."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typst
from asn1crypto import csr, pem
from cryptography.hazmat.primitives.serialization import Encoding

from haiyiban import clock
from haiyiban.certificates import authority, demo_authority, signer, signing, stamping
from haiyiban.certificates.checking import Finding, check
from haiyiban.certificates.signing import Level
from haiyiban.crypto import FileKeys
from haiyiban.settings import Settings
from haiyiban.signatures import Suite

PAGE = bytes(typst.compile(b'#set document(keywords: ("HYB1:X",))\n= a page', format="pdf"))


@pytest.fixture(params=[False, True], ids=["unstamped", "stamped"])
def national(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A deployment of the national suite, whose time-stamping authority, another's, is of the other."""
    stamps = settings.timestamp_url if request.param else ""
    mine = replace(settings, home=tmp_path, suite=Suite.NATIONAL, timestamp_url=stamps)
    demo_authority.prepare(mine, now=clock.now())
    monkeypatch.setattr(Settings, "from_env", lambda: mine)
    monkeypatch.setattr(stamping, "_stamping", None)
    signer.forget()
    yield mine
    signer.forget()


async def test_a_document_signed_by_sm2_is_good_and_a_changed_one_is_not(national: Settings) -> None:
    made = await signing.sign(PAGE, reason="测试", now=clock.now())
    assert made.level is (Level.B_LT if national.timestamp_url else Level.B_B)
    roots = signer.certificates_in(national.keys_dir / signer.ROOTS_FILE)
    report = await asyncio.to_thread(check, made.pdf, roots=roots, now=clock.now())
    assert report.is_good
    assert report.is_long_term is bool(national.timestamp_url)
    assert report.signer is not None
    assert "海易办演示" in report.signer
    at = made.pdf.index(b"a page") if b"a page" in made.pdf else made.pdf.index(b"/Producer") + 12
    changed = made.pdf[:at] + bytes((made.pdf[at] ^ 1,)) + made.pdf[at + 1 :]
    assert (await asyncio.to_thread(check, changed, roots=roots, now=clock.now())).finding is Finding.CHANGED


async def test_another_root_of_sm2_vouches_for_nobody(national: Settings, tmp_path: Path) -> None:
    made = await signing.sign(PAGE, reason="测试", now=clock.now())
    _, other = demo_authority.root_of(tmp_path / "another", clock.now(), Suite.NATIONAL)
    file = tmp_path / "other.pem"
    file.write_bytes(other.public_bytes(Encoding.PEM))
    report = check_with(made.pdf, file)
    assert await report is Finding.UNKNOWN_SIGNER


async def check_with(pdf: bytes, root: Path) -> Finding:
    roots = signer.certificates_in(root)
    return (await asyncio.to_thread(check, pdf, roots=roots, now=clock.now())).finding


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OpenSSL's command is not installed")
def test_openssl_reads_chain_list_and_request_and_finds_their_signatures_good(
    national: Settings, tmp_path: Path
) -> None:
    """A reader that nobody here wrote, given the identifier of GM/T 0009."""
    chain = national.keys_dir / signer.CHAIN_FILE
    _, root = demo_authority.root_of(national.home / "offline-root", clock.now())
    (tmp_path / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    trusted = ("-CAfile", f"{tmp_path}/root.pem", "-vfyopt", "distid:1234567812345678")
    assert openssl("verify", *trusted, str(chain)).strip() == f"{chain}: OK"
    told = openssl("crl", "-in", str(national.keys_dir / signer.CRL_FILE), "-noout", "-text")
    assert "Signature Algorithm: SM2-with-SM3" in told
    assert "No Revoked Certificates" in told
    key = FileKeys(national.keys_dir).signing("document")[-1]
    (tmp_path / "asked.pem").write_bytes(signer.request(key, authority.name_of("海易办", "某厅")))
    asked = str(tmp_path / "asked.pem")
    told = openssl("req", "-in", asked, "-verify", "-text", "-noout", *trusted[2:])
    assert "verify OK" in told
    assert "SM2" in told
    _, _, der = pem.unarmor((tmp_path / "asked.pem").read_bytes())
    subject = csr.CertificationRequest.load(der)["certification_request_info"]["subject"].native
    assert subject["common_name"] == "海易办"


def openssl(*said: str) -> str:
    """What OpenSSL says of a file."""
    done = subprocess.run(["openssl", *said], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
