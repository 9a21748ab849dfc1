"""Inputs to start from: the published vectors, and one of each thing that we write ourselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from haiyiban.certificates import authority
from haiyiban.codes import base45
from haiyiban.codes.jws import from_base64url
from haiyiban.resources import schemas

FOUND = Path(__file__).parent / "found"
"""What once broke a promise, one file each, by target: never again."""
_NOW = datetime(2026, 8, 1, tzinfo=UTC)
_PREFIXES = ("HYB1:", "HYB1C:")


def _found(target: str) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in sorted((FOUND / target).glob("*")))


@cache
def _texts() -> tuple[str, ...]:
    """Every text of a code in the published vectors, the good and the bad ones."""
    vectors = schemas() / "codes" / "vectors"
    files = [*sorted(vectors.glob("*.json")), vectors / "counter" / "counter.json"]
    return tuple(case["text"] for file in files for case in json.loads(file.read_bytes())["cases"])


def _inside() -> Iterator[bytes]:
    """The bytes of those texts that have any."""
    for text in _texts():
        for prefix in _PREFIXES:
            if text.startswith(prefix):
                try:
                    yield base45.decode(text.removeprefix(prefix))
                except ValueError:
                    continue


def codes() -> Iterator[bytes]:
    """As scanned, and the bytes inside."""
    yield from (text.encode(errors="replace") for text in _texts())
    yield from _inside()
    yield from _found("code")


def texts45() -> Iterator[bytes]:
    """What stands behind the prefix."""
    for text in _texts():
        yield text.partition(":")[2].encode(errors="replace")
    yield from _found("base45")


def items() -> Iterator[bytes]:
    """The items of codes: with and without the tag before them."""
    for data in _inside():
        yield data
        yield data[1:]
    yield from (bytes.fromhex(each) for each in ("a201616102f5", "8301 2043010203", "1bffffffffffffffff"))
    yield from _found("cbor")


def lists() -> Iterator[bytes]:
    """The published lists as they are, and what they say, to be signed by the key of the tests."""
    said: dict[str, Any] = json.loads((schemas() / "codes/vectors/lists/offline.json").read_bytes())
    for text in said["lists"].values():
        payload = from_base64url(text.split(".")[1])
        for which in range(3):
            yield bytes((which,)) + text.encode()
            yield bytes((66 + which,)) + payload
    yield from _found("lists")


def numbers() -> Iterator[bytes]:
    """Those of docs/domain.md §1, and as people type them."""
    for text in (
        "460105199003070017",
        "46010819950612002X",
        "46010819950612002x",
        "４６０１０５１９９００３０７００１７",
        "460105900307001",
        "810000199203150044",
        "946840198801010011",
        "USA460188010112",
        "E12345678",
        "H12345678",
        "12345678",
        "A123456789",
        "91460000MA5RC00C0R",
        "11420503087246977F",
        "+86 139-7654-3210",
        "1.2.156.3005.2.11420503087246977F001.11420503087246977F.ABC.001.X",
        "460105199002300011",
    ):
        yield text.encode()
    yield from _found("numbers")


class _Signer(NamedTuple):
    root: asn1_x509.Certificate
    certificate: asn1_x509.Certificate
    key: keys.PrivateKeyInfo


@cache
def _signer() -> _Signer:
    """A signer and its root, of this process alone: what another run signed is a stranger's here."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = authority.new_root(root_key, authority.name_of("root", "tests"), now=_NOW)
    certificate = authority.new_signer(
        key.public_key(),
        authority.name_of("signer", "tests"),
        root=root,
        root_key=root_key,
        crl_url="http://test/crl",
        now=_NOW,
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _Signer(_asn1(root), _asn1(certificate), keys.PrivateKeyInfo.load(private))


def document_root() -> asn1_x509.Certificate:
    """The root that the signed document is judged by."""
    return _signer().root


@cache
def signed_document() -> bytes:
    """A page with a signature over all of it."""
    writer = PdfFileWriter()
    text = writer.add_object(StreamObject(stream_data=b"BT ET"))
    writer.insert_page(PageObject(contents=text, media_box=(0, 0, 200, 200)))
    page = BytesIO()
    writer.write(page)
    signed_by, above = _signer(), SimpleCertificateStore()
    above.register(signed_by.root)
    signer = SimpleSigner(signing_cert=signed_by.certificate, signing_key=signed_by.key, cert_registry=above)
    metadata = PdfSignatureMetadata(
        field_name="Signature", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    output = BytesIO()
    PdfSigner(metadata, signer).sign_pdf(IncrementalPdfFileWriter(page), output=output)
    return output.getvalue()


def documents() -> Iterator[bytes]:
    """The signed page, one cut off, one appended to, and no page at all."""
    whole = signed_document()
    yield whole
    yield whole[: len(whole) // 2]
    yield whole + b"\n%%EOF\n"
    yield b"%PDF-1.7\n"
    yield from _found("document")


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    der = certificate.public_bytes(serialization.Encoding.DER)
    return asn1_x509.Certificate.load(der)
