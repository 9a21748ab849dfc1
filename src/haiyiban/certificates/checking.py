"""Is this PDF one that we signed, and unchanged since? From the file and the roots alone, with no network.

Where a stamp says when the file was signed, the signer's certificate is judged at that instant, by the
revocation lists that the file itself carries: so a document stays good after its signer's certificate has
ended (long-term validation). Without a stamp it is judged now.

Source: ETSI EN 319 102-1; ISO 32000-2 §12.8; docs/documents.md.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from io import BytesIO
from typing import Any, Final

from asn1crypto import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation import EmbeddedPdfSignature, async_validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.status import (
    PdfSignatureStatus,
    SignatureCoverageLevel,
    TimestampSignatureStatus,
)
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import InvalidCertificateError, PathBuildingError, PathValidationError

from haiyiban.certificates.national import BOTH_SUITES
from haiyiban.errors import Words

_HEAD_BYTES: Final = 1024
"""Where a PDF says that it is one."""
FILE_BYTES_MOST: Final = 20 * 1024 * 1024
_TOLERANCE = timedelta(seconds=5)


class Finding(StrEnum):
    """What there is to say of a file; `good` alone is good."""

    GOOD = "good"
    NOT_A_PDF = "not_a_pdf"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    NOT_SIGNED = "not_signed"
    CHANGED = "changed"
    ADDED_TO = "added_to"
    UNKNOWN_SIGNER = "unknown_signer"
    REVOKED_SIGNER = "revoked_signer"
    EXPIRED_SIGNER = "expired_signer"


FINDING_WORDS: Final = {
    Finding.GOOD: Words(
        "签名有效，文件自签名后没有改动",
        "The signature is good, and the file is unchanged since it was signed",
    ),
    Finding.NOT_A_PDF: Words(
        "这不是 PDF 文件。请向持证人索取从海易办下载的原文件",
        "This is not a PDF. Ask the holder for the file as downloaded from Haiyiban",
    ),
    Finding.DAMAGED: Words(
        "文件已损坏，无法读取。请重新传送或让持证人重新下载",
        "The file is damaged and cannot be read. Have it sent again or downloaded anew",
    ),
    Finding.ENCRYPTED: Words(
        "文件加了密码，无法核对；海易办的证照文件不加密码。请索取原文件",
        "The file has a password and cannot be checked; our documents have none. Ask for the original",
    ),
    Finding.NOT_SIGNED: Words(
        "文件没有电子签名，可能是打印、扫描或另存的副本。请扫描页上的二维码，或索取原文件",
        "The file has no signature; it may be a scan or a copy saved anew. Scan the code on the page, or ask "
        "for the original",
    ),
    Finding.CHANGED: Words(
        "文件在签名后被改动过，不要采信。请让持证人重新下载，或扫描亮证码核对",
        "The file was changed after it was signed: do not rely on it. Have it downloaded anew",
    ),
    Finding.ADDED_TO: Words(
        "签名后又添加了内容，添加的部分没有签名，不要采信。请让持证人重新下载",
        "Something was added after the signature, which does not cover it: do not rely on it. Have it "
        "downloaded anew",
    ),
    Finding.UNKNOWN_SIGNER: Words(
        "签名人不在所给的根证书之下，无法认定是谁签的。请确认根证书（--root）是从官方渠道得到的",
        "The signer is not under the roots given, so it is not known who signed. Make sure that the root "
        "(--root) came from the authority itself",
    ),
    Finding.REVOKED_SIGNER: Words(
        "签名时签名证书已被吊销，不要采信。请让持证人重新下载",
        "The signer's certificate was revoked when it signed: do not rely on it. Have it downloaded anew",
    ),
    Finding.EXPIRED_SIGNER: Words(
        "签名证书已过期，又没有时间戳证明签名在先。请让持证人重新下载",
        "The signer's certificate has ended, and no stamp shows that it signed before. Have it made anew",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in a file. What is said beside `finding` counts only where that is good."""

    finding: Finding
    signer: str | None = None
    """Who signed, as the certificate names them."""
    signed_at: datetime | None = None
    """When, as the signer says."""
    stamped_at: datetime | None = None
    """When at the latest, as a trusted time-stamping authority says; None without one."""
    covers_whole_file: bool = False
    is_long_term: bool = False
    """Whether the file itself shows that nobody was revoked when it was stamped (LTV)."""
    code_text: str | None = None
    """The text of the printed code, from the file's keywords."""

    @property
    def is_good(self) -> bool:
        return self.finding is Finding.GOOD

    @property
    def words(self) -> Words:
        """What the finding means and what to do."""
        return FINDING_WORDS[self.finding]


_NO_SENSE = (
    PdfError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    OSError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""In so many ways parsers say that a stranger's bytes make no sense."""


def check(pdf: bytes, *, roots: Sequence[x509.Certificate], now: datetime) -> Report:
    """Judge a file at an instant. Never raises for what is in it."""
    if b"%PDF-" not in pdf[:_HEAD_BYTES]:
        return Report(finding=Finding.NOT_A_PDF)
    if len(pdf) > FILE_BYTES_MOST:
        return Report(finding=Finding.DAMAGED)
    try:
        return asyncio.run(_judge(PdfFileReader(BytesIO(pdf)), roots, now))
    except SignatureValidationError:
        return Report(finding=Finding.CHANGED)
    except _NO_SENSE:
        return Report(finding=Finding.DAMAGED)


async def _judge(reader: PdfFileReader, roots: Sequence[x509.Certificate], now: datetime) -> Report:
    if reader.encrypted:
        return Report(finding=Finding.ENCRYPTED)
    signatures = reader.embedded_regular_signatures
    if not signatures:
        return Report(finding=Finding.NOT_SIGNED)
    signature, archive = signatures[0], _Archive(reader, roots)
    status = await _status(signature, archive.context(now))
    stamp, long_term = status.timestamp_validity, False
    stamped_at = _instant_of(stamp)
    if stamp and stamped_at:
        then = await _status(signature, archive.context(stamped_at, revocation_mode="soft-fail"))
        if _instant_of(then.timestamp_validity):
            status = then
            certificates = (signature.signer_cert, stamp.signing_cert)
            long_term = all([await archive.was_not_revoked(one, stamped_at) for one in certificates])
        else:
            stamped_at = None
    finding = _finding(status)
    return Report(
        finding=finding,
        signer=signature.signer_cert.subject.human_friendly,
        signed_at=signature.self_reported_timestamp,
        stamped_at=stamped_at,
        covers_whole_file=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        is_long_term=long_term and finding is Finding.GOOD,
        code_text=_keywords(reader),
    )


def _finding(status: PdfSignatureStatus) -> Finding:
    if not status.intact or not status.valid:
        return Finding.CHANGED
    # Nothing may be appended, not even what archives append: the keywords, and with them the code's text,
    # may be changed by that.
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return Finding.ADDED_TO
    if status.revoked:
        return Finding.REVOKED_SIGNER
    if not status.trusted:
        ended = status.trust_problem_indic in (
            AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
            AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED,
        )
        return Finding.EXPIRED_SIGNER if ended else Finding.UNKNOWN_SIGNER
    return Finding.GOOD


async def _status(signature: EmbeddedPdfSignature, context: ValidationContext) -> PdfSignatureStatus:
    return await async_validate_pdf_signature(signature, signer_validation_context=context)


def _instant_of(stamp: TimestampSignatureStatus | None) -> datetime | None:
    """When a stamp says that the signature was there, if it can be relied on."""
    return stamp.timestamp if stamp and stamp.intact and stamp.valid and stamp.trusted else None


class _Archive:
    """What a file carries to be judged by, under the roots that we were given."""

    def __init__(self, reader: PdfFileReader, roots: Sequence[x509.Certificate]) -> None:
        self._roots = list(roots)
        self._store: DocumentSecurityStore | None = None
        with suppress(NoDSSFoundError):
            self._store = DocumentSecurityStore.read_dss(reader)

    def context(self, moment: datetime, *, revocation_mode: str | None = None) -> ValidationContext:
        """Judging at an instant, without a network.

        Without a mode revocations are left aside: the lists in a file tell of the time when it was made, and
        years later they say nothing.
        """
        said: dict[str, Any] = {
            "trust_roots": self._roots,
            "moment": moment,
            "allow_fetching": False,
            "revocation_mode": revocation_mode or "soft-fail",
            "time_tolerance": _TOLERANCE,
            **BOTH_SUITES,
        }
        if self._store is None:
            return ValidationContext(**said)
        if revocation_mode is None:
            return ValidationContext(other_certs=list(self._store.load_certs()), **said)
        return self._store.as_validation_context(said)

    async def was_not_revoked(self, certificate: x509.Certificate, moment: datetime) -> bool:
        """Whether the file itself shows that a certificate stood at an instant."""
        validator = CertificateValidator(
            certificate, validation_context=self.context(moment, revocation_mode="require")
        )
        try:
            await validator.async_validate_path()
        except (PathBuildingError, PathValidationError, InvalidCertificateError):
            return False
        return True


def _keywords(reader: PdfFileReader) -> str | None:
    try:
        text = reader.trailer["/Info"]["/Keywords"]
    except KeyError:
        return None
    return str(text)
