"""A certificate's document from end to end: downloaded, scanned from the page, checked from files alone."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from haiyiban import certificates, clock
from haiyiban.audit import keys, proofs, record
from haiyiban.audit.commands import audit
from haiyiban.certificates import Certificate, authority, signer, stamping
from haiyiban.codes import status_publishing
from haiyiban.codes.certificate_commands import certificate
from haiyiban.settings import Settings
from tests import builders
from tests.command import run
from tests.sealed_log import grow

Publish = Callable[..., Awaitable[list[str]]]
Verify = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture(autouse=True)
def fresh_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line to the time-stamping authority that no other test has worn out."""
    monkeypatch.setattr(stamping, "_stamping", None)


async def download(api: httpx.AsyncClient, notice: Any, id_: object = None) -> bytes:
    """The document as its keeper gets it."""
    answer = await api.get(f"/certificates/{id_ or notice.id}/document", headers=notice.keeper)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer.content


def scanned(pdf: bytes, *, dpi: int = 150) -> str:
    """What a scanner reads from a print."""
    document = pypdfium2.PdfDocument(pdf)
    picture = document[0].render(scale=dpi / 72).to_pil()
    document.close()
    # A print holds other shapes, and some of them can be taken for bars.
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return str(found.text)


@pytest.fixture
def published(api: httpx.AsyncClient, tmp_path: Path, settings: Settings) -> Publish:
    """What anybody can fetch, as options of the command."""

    async def fetched(*, lists: bool = True, root: Path | None = None) -> list[str]:
        (tmp_path / "roots").write_bytes((await api.get("/document-authority/roots")).content)
        options = ["--json", "--root", str(root or tmp_path / "roots")]
        if lists:
            status_publishing._kept.clear()
            (tmp_path / "trust-list").write_bytes((await api.get("/trust-list")).content)
            (tmp_path / "status-list").write_bytes((await api.get("/status-lists/0")).content)
            options += ["--trust-list", str(tmp_path / "trust-list")]
            options += ["--status-list", str(tmp_path / "status-list")]
            options += ["--trust-root", str(settings.keys_dir / "trust-root.jwk")]
        return options

    return fetched


@pytest.fixture
def verify(published: Publish, tmp_path: Path) -> Verify:
    """`haiyiban certificate verify` with what is published and nothing more."""

    async def verified(pdf: bytes, **fetched: Any) -> tuple[int, dict[str, Any]]:
        file = tmp_path / "document.pdf"
        file.write_bytes(pdf)
        options = await published(**fetched)
        environ = {"HAIYIBAN_HOME": str(tmp_path / "nowhere")}
        done = run(certificate, ["verify", str(file), *options], env=environ)
        return done.exit_code, json.loads(done.stdout)

    return verified


async def test_the_command_needs_neither_settings_nor_servers(api, notice, published, tmp_path) -> None:
    file = tmp_path / "notice.pdf"
    file.write_bytes(await download(api, notice))
    command = [sys.executable, "-m", "haiyiban.cli", "certificate", "verify", file, *await published()]
    environ = {"HAIYIBAN_ENV": "production", "HAIYIBAN_HOME": str(tmp_path / "nowhere")}
    environ["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    done = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert json.loads(done.stdout)["good"]
    assert not (tmp_path / "nowhere").exists()


async def test_anybody_checks_a_document_from_files_alone(api, notice, verify) -> None:
    pdf = await download(api, notice)
    code, said = await verify(pdf)
    assert code == 0, said
    assert said["good"]
    assert said["finding"] == "good"
    assert said["coversWholeFile"]
    assert said["longTerm"]
    assert said["stampedAt"]
    assert said["codeText"] == scanned(pdf)
    assert said["code"] == {
        "outcome": "valid",
        "statusChecked": True,
        "type": "admission-notice",
        "name": "陈*海",
        "validUntil": "2099-09-30",
    }
    code, said = await verify(pdf, lists=False)
    assert code == 0
    assert said["code"]["outcome"] is None


async def test_a_document_carries_the_proof_that_its_issue_is_in_the_log(
    api, database, notice, verify, tmp_path
) -> None:
    await grow(database)
    pdf = await download(api, notice)
    assert (await verify(pdf))[1]["finding"] == "good", "the attachment is under the signature"
    document = pypdfium2.PdfDocument(pdf)
    (attached,) = [document.get_attachment(place) for place in range(document.count_attachments())]
    proof = bytes(attached.get_data()).decode()
    page = document[0].get_textpage().get_text_range()
    assert len(document) == 1
    document.close()
    proved = proofs.check(proof, keys.public(Settings.from_env()))
    assert (proved.entry["action"], proved.entry["objectId"]) == ("certificates.issue", notice.id)
    size, root = proved.checkpoint.size, base64.b64encode(proved.checkpoint.root).decode()
    assert f"第 {proved.number} 号（共 {size} 条）" in page
    assert root in page
    note = (await api.get(f"/audit/checkpoint?size={size}")).text
    assert root in note, "a print can be held against what was published"
    (tmp_path / "notice.pdf").write_bytes(pdf)
    done = run(audit, ["check", str(tmp_path / "notice.pdf")])
    assert done.exit_code == 0, done.output
    assert f"第 {proved.number} 号" in done.output
    assert "certificates.issue" in done.output


async def test_before_it_is_sealed_a_document_says_when_there_will_be_a_proof(
    api, database, notice, verify, tmp_path
) -> None:
    async with database.reading() as session:
        before = await session.get(Certificate, notice.id)
        claims = before.claims
    async with database.transaction() as late:
        # While this one is open nothing after it is sealed.
        await record(late, "test.late")
        corrected = await notice.change(certificates.correct, claims=claims, reason="test")
        pdf = await download(api, notice, corrected.id)
    assert (await verify(pdf))[1]["finding"] == "good"
    document = pypdfium2.PdfDocument(pdf)
    assert document.count_attachments() == 0
    assert "签发记录在一分钟内封存" in document[0].get_textpage().get_text_range()
    document.close()
    (tmp_path / "notice.pdf").write_bytes(pdf)
    done = run(audit, ["check", str(tmp_path / "notice.pdf")])
    assert done.exit_code == 1
    assert "download it again" in done.output


@pytest.mark.same_signature
@pytest.mark.parametrize("dpi", [300, 150])
async def test_a_print_is_scanned_and_verified_many_times(api, notice, scan, dpi: int) -> None:
    text = scanned(await download(api, notice), dpi=dpi)
    for _ in range(2):
        answer = await scan(text)
        assert answer["outcome"] == "valid"
        assert answer["certificate"]["type"] == "admission-notice"
    assert scanned(await download(api, notice)) == text


async def test_a_correction_is_seen_by_a_connected_verifier_at_once_and_in_the_list(
    api, notice, scan, verify
) -> None:
    old = await download(api, notice)
    assert (await scan(scanned(old)))["outcome"] == "valid"
    corrected = await notice.change(
        certificates.correct,
        claims={
            "name": notice.child_name,
            "idNumber": builders.id_number(builders.school_age()),
            "school": "海口市第一小学",
            "schoolYear": 2027,
        },
        reason="学校名称有误",
    )
    assert (await scan(scanned(old)))["outcome"] == "revoked"
    new = await download(api, notice, corrected.id)
    assert (await scan(scanned(new)))["outcome"] == "valid"
    code, said = await verify(old)
    assert (code, said["finding"], said["code"]["outcome"]) == (1, "good", "revoked")
    code, said = await verify(new)
    assert (code, said["code"]["outcome"]) == (0, "valid")
    assert status_publishing._FRESH_SECONDS <= 60


async def test_a_suspension_is_seen_offline_and_its_end_too(api, notice, verify) -> None:
    pdf = await download(api, notice)
    await notice.change(certificates.suspend, reason="核查")
    code, said = await verify(pdf)
    assert (code, said["code"]["outcome"]) == (1, "suspended")
    await notice.change(certificates.reinstate, reason="核查完毕")
    code, said = await verify(pdf)
    assert (code, said["code"]["outcome"]) == (0, "valid")


async def test_every_way_to_spoil_a_document_is_found_and_told(api, notice, verify, tmp_path) -> None:
    pdf = await download(api, notice)
    middle = len(pdf) // 3
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    # A change that PDF readers let pass, and that would lead to another code.
    writer.trailer["/Info"]["/Keywords"] = pdf_string("HYB1:ANOTHER")
    writer.update_container(writer.trailer["/Info"])
    encrypted = copy_into_new_writer(PdfFileReader(BytesIO(pdf)))
    encrypted.encrypt("owner", "user")
    saved_anew = copy_into_new_writer(PdfFileReader(BytesIO(pdf)))
    saved_anew.root.pop("/AcroForm", None)
    found = {
        "changed": pdf[:middle] + bytes([pdf[middle] ^ 1]) + pdf[middle + 1 :],
        "not_a_pdf": b"<html>not a PDF",
        "damaged": pdf[: len(pdf) // 2],
        "encrypted": _written(encrypted),
        "not_signed": _written(saved_anew),
    }
    appended = [("added_to", pdf + b"\n% more"), ("added_to", _written(writer)), ("not_a_pdf", b"")]
    for finding, spoilt in [*found.items(), *appended]:
        code, said = await verify(spoilt, lists=False)
        assert (code, said["finding"], said["good"]) == (1, finding, False), said
        assert said["zh"]
        assert said["en"]


async def test_a_file_signed_by_somebody_else_is_told_so(api, notice, verify, tmp_path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root = authority.new_root(key, authority.name_of("别的根", "别人"), now=clock.now())
    other = tmp_path / "other.pem"
    other.write_bytes(root.public_bytes(Encoding.PEM))
    code, said = await verify(await download(api, notice), root=other, lists=False)
    assert (code, said["finding"]) == (1, "unknown_signer")
    assert said["code"] is None


async def test_words_are_plain_and_in_both_languages(api, notice, tmp_path, settings) -> None:
    file, roots = tmp_path / "d.pdf", settings.keys_dir / signer.ROOTS_FILE
    pdf = await download(api, notice)

    async def said(content: bytes, *more: str) -> tuple[int, str]:
        file.write_bytes(content)
        arguments = ["verify", str(file), "--root", str(roots), *more]
        result = run(certificate, arguments)
        return result.exit_code, result.output

    code, words = await said(pdf)
    assert code == 0
    for piece in ("签名有效", "unchanged since it was signed", "时间戳", "扫描页上的二维码"):
        assert piece in words, piece
    code, words = await said(pdf[:2000] + b"x" + pdf[2001:])
    assert code == 1
    assert "不要采信" in words or "已损坏" in words
    bad = tmp_path / "bad.jwt"
    bad.write_text("nonsense")
    code, words = await said(pdf, "--trust-list", str(bad))
    assert code == 2
    assert "信任列表不可信" in words


def _written(writer: Any) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
