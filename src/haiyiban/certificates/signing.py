"""Signing a document: PAdES, over the whole file, after which no change is allowed.

Three steps: everything but the stamp in a thread, because it computes; the stamp over the network; and the
stamp's bytes put where room was left. What shows that nobody was revoked goes in with the signature itself,
so that the signature covers every byte.

Source: ETSI EN 319 142-1 (PAdES baseline), ISO 32000-2 §12.8; docs/documents.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import Final

from asn1crypto import cms, keys
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import simple_cms_attribute
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer, SimpleSigner
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from haiyiban.certificates.national import SM3, Sm2Signer
from haiyiban.certificates.signer import DocumentSigner, document_signer
from haiyiban.certificates.stamping import Evidence, NoStamp, Stamping, stamper_of, stamping
from haiyiban.certificates.turns import in_turn
from haiyiban.settings import Settings
from haiyiban.sm import Sm2PrivateKey

log = logging.getLogger(__name__)

FIELD: Final = "Haiyiban"
_ATTRIBUTES_BYTES: Final = 2048
"""What a signature holds beside certificates and stamp: the digests, the times, the names of the issuers."""
_MARGIN_BYTES: Final = 512
"""Stamps of one authority differ by a few bytes."""


class Level(StrEnum):
    """How much a signature says of its time, as PAdES names it."""

    B_B = "B-B"
    """Who signed."""
    B_T = "B-T"
    """And when, as a time-stamping authority says."""
    B_LT = "B-LT"
    """And that nobody was revoked then, for as long as the authority's certificate lives."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed file."""

    pdf: bytes
    level: Level


@dataclass(frozen=True, slots=True)
class _Prepared:
    output: BytesIO
    place: PreparedByteRangeDigest
    cms: cms.ContentInfo

    @property
    def signature_digest(self) -> bytes:
        """What a stamp is asked for."""
        return hashlib.sha256(self.cms["content"]["signer_infos"][0]["signature"].native).digest()


async def sign(pdf: bytes, *, reason: str, now: datetime) -> Signed:
    """Sign a PDF with this deployment's certificate, stamped where an authority answers.

    Raises DocumentsNotSigned.
    """
    signer = document_signer(now)
    url = Settings.from_env().timestamp_url
    line = stamping(url) if url else None
    evidence = await line.evidence(signer, now=now) if line else None
    loop = asyncio.get_running_loop()
    prepared = await loop.run_in_executor(
        in_turn, lambda: asyncio.run(_prepare(pdf, signer, evidence, reason=reason, now=now))
    )
    stamp = await _stamp(line, prepared, signer, now=now) if line and evidence else None
    return _finish(prepared, stamp, evidence)


async def _prepare(
    pdf: bytes, signer: DocumentSigner, evidence: Evidence | None, *, reason: str, now: datetime
) -> _Prepared:
    """The file with its signature made and room for a stamp."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    if evidence:
        DocumentSecurityStore.supply_dss_in_writer(
            writer, None, paths=evidence.paths, crls=evidence.crls, ocsps=evidence.ocsps, embed_roots=False
        )
    digest = SM3 if isinstance(signer.key.private, Sm2PrivateKey) else "sha256"
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=digest,
        reason=reason,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
    )
    own = _own_signer(signer)
    session = PdfSigner(metadata, own).init_signing_session(writer)
    session.system_time = now
    room = sum(len(one.dump()) for one in (signer.certificate, *signer.above)) + _ATTRIBUTES_BYTES
    room += evidence.stamp_bytes + _MARGIN_BYTES if evidence else 0
    # The container is written as hexadecimal digits.
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=2 * room)
    output = BytesIO()
    place, _ = document.digest_tbs_document(output=output)
    attributes = PdfCMSSignedAttributes(signing_time=now)
    signed = await own.async_sign(
        place.document_digest, digest, use_pades=True, signed_attr_settings=attributes
    )
    return _Prepared(output, place, signed)


def _own_signer(signer: DocumentSigner) -> Signer:
    """Key and certificates as pyHanko takes them."""
    above = SimpleCertificateStore()
    above.register_multiple(signer.above)
    if isinstance(signer.key.private, Sm2PrivateKey):
        return Sm2Signer(signer.key.private, signer.certificate, above)
    private = signer.key.private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SimpleSigner(
        signing_cert=signer.certificate,
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=above,
    )


async def _stamp(
    line: Stamping, prepared: _Prepared, signer: DocumentSigner, *, now: datetime
) -> cms.ContentInfo | None:
    try:
        return await line.stamp(prepared.signature_digest, signer, now=now)
    except NoStamp:
        return None


def _finish(prepared: _Prepared, stamp: cms.ContentInfo | None, evidence: Evidence | None) -> Signed:
    """Put signature and stamp into their place. A stamp that outgrew its room is left out."""
    level, signed = Level.B_B, prepared.cms
    if (
        stamp is not None
        and evidence is not None
        and len(stamp.dump()) <= evidence.stamp_bytes + _MARGIN_BYTES
    ):
        stamped = signed["content"]["signer_infos"][0]
        stamped["unsigned_attrs"] = cms.CMSAttributes(
            [simple_cms_attribute("signature_time_stamp_token", stamp)]
        )
        covered = stamper_of(stamp) in evidence.stampers
        level = Level.B_LT if covered else Level.B_T
    prepared.place.fill_with_cms(prepared.output, signed)
    return Signed(prepared.output.getvalue(), level)
