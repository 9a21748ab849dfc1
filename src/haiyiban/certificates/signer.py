"""Who signs documents: the key of purpose `document` and the certificates that lead from it to a known root.

In the key folder lie, beside `document.json`, what the certificate authority gave (docs/documents.md):
`document-chain.pem`, the signer's certificate first; `document-roots.pem`, the roots that readers pin, the
time-stamping authority's among them; and `document-crl.pem`, where the authority gives its revocation list as
a file. Of several keys the one signs that the first certificate of the chain is for.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import core, crl, pem, x509
from cryptography import x509 as pyca_x509

from haiyiban import signatures
from haiyiban.certificates import authority
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.errors import Unavailable, Words
from haiyiban.settings import Settings

log = logging.getLogger(__name__)

CHAIN_FILE = "document-chain.pem"
ROOTS_FILE = "document-roots.pem"
CRL_FILE = "document-crl.pem"
_REREAD_SECONDS = 60.0


class DocumentsNotSigned(Unavailable):
    """There is no certificate that documents could be signed with today; an unsigned one is never given."""

    type = "certificates/documents-not-signed"
    title = Words(
        "暂时无法生成带签名的证照文件，请稍后再试，或到窗口办理；亮证码不受影响",
        "Signed documents cannot be made now; try later or ask at the counter. Codes go on working",
    )


@dataclass(frozen=True, slots=True)
class DocumentSigner:
    """The signer of this process, as read at one moment."""

    key: SigningKey
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    """The certificates over the signer's own."""
    roots: tuple[x509.Certificate, ...]
    crls: tuple[crl.CertificateList, ...]
    read_at: float

    @property
    def roots_pem(self) -> bytes:
        """The roots as a file to give away."""
        return b"".join(pem.armor("CERTIFICATE", root.dump()) for root in self.roots)

    def require_valid(self, now: datetime) -> None:
        """Raises DocumentsNotSigned before and after the certificate's time."""
        if not self.certificate.not_valid_before <= now <= self.certificate.not_valid_after:
            raise DocumentsNotSigned


_signer: DocumentSigner | None = None


def document_signer(now: datetime) -> DocumentSigner:
    """The signer of this process; files are read again once a minute. Raises DocumentsNotSigned."""
    global _signer
    if _signer is None or time.monotonic() - _signer.read_at > _REREAD_SECONDS:
        _signer = read_signer(Settings.from_env().keys_dir)
    _signer.require_valid(now)
    return _signer


def forget() -> None:
    """Read the files anew at the next document, such as after a ceremony in the same process."""
    global _signer
    _signer = None


def read_signer(folder: Path) -> DocumentSigner:
    """The signer of a key folder. Raises DocumentsNotSigned, KeyMissing."""
    try:
        chain = certificates_in(folder / CHAIN_FILE)
        crls = _crls_in(folder / CRL_FILE)
        roots = certificates_in(folder / ROOTS_FILE)
    except ValueError as error:
        log.error("a file of the document signer cannot be read: %s", error)
        raise DocumentsNotSigned from None
    if not chain:
        log.error("documents cannot be signed: %s has no certificate", folder / CHAIN_FILE)
        raise DocumentsNotSigned
    key = _key_of(chain[0], FileKeys(folder))
    if any(_revokes(one, chain[0]) for one in crls):
        log.error("the certificate that signs documents is revoked")
        raise DocumentsNotSigned
    return DocumentSigner(
        key=key,
        certificate=chain[0],
        above=chain[1:],
        roots=roots or tuple(c for c in chain if c.self_issued),
        crls=crls,
        read_at=time.monotonic(),
    )


def certificates_in(file: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM or DER file, in its order; none where there is no file.

    Raises ValueError for a file that is neither.
    """
    return tuple(x509.Certificate.load(der) for der in _ders(file)) if file.exists() else ()


def request(key: SigningKey, subject: pyca_x509.Name) -> bytes:
    """A certificate signing request (PKCS#10, PEM) for a certificate authority."""
    text: bytes = pem.armor("CERTIFICATE REQUEST", authority.new_request(key.private, subject))
    return text


def _key_of(certificate: x509.Certificate, folder: FileKeys) -> SigningKey:
    spki = certificate.public_key.dump()
    for key in folder.signing("document"):
        if signatures.spki(key.public) == spki:
            return key
    raise DocumentsNotSigned


def _revokes(revoked: crl.CertificateList, certificate: x509.Certificate) -> bool:
    entries = revoked["tbs_cert_list"]["revoked_certificates"]
    serials = {entry["user_certificate"].native for entry in entries}
    return bool(revoked.issuer == certificate.issuer and certificate.serial_number in serials)


def _crls_in(file: Path) -> tuple[crl.CertificateList, ...]:
    return tuple(crl.CertificateList.load(der) for der in _ders(file)) if file.exists() else ()


def _ders(file: Path) -> list[bytes]:
    content = file.read_bytes()
    if not pem.detect(content):
        return [content]
    ders = [der for _, _, der in pem.unarmor(content, multiple=True)]
    for der in ders:
        core.load(der, strict=True)
    return ders
