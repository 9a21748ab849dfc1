"""When a document was signed, said by somebody else: asking the time-stamping authority, and gathering what
proves that neither its certificate nor ours was revoked.

Nothing here is needed to give a citizen a document. Whoever is slow or away is left out, within two seconds,
and rested when that goes on; the document then says less about its time (docs/documents.md).

Source: RFC 3161; ETSI EN 319 142-1 (PAdES B-T, B-LT).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import httpx
from asn1crypto import algos, cms, crl, ocsp, tsp, x509
from pyhanko.sign.timestamps.common_utils import extract_ts_certs
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    InvalidCertificateError,
    PathBuildingError,
    PathValidationError,
    RevokedError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.registry import SimpleCertificateStore

from haiyiban.certificates.national import BOTH_SUITES
from haiyiban.certificates.signer import DocumentSigner, DocumentsNotSigned
from haiyiban.registers.breaker import Circuit

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 2.0
ANSWER_BYTES_MOST: Final = 64 * 1024
_EVIDENCE_LIVES = timedelta(minutes=10)
_EVIDENCE_RESTS = timedelta(seconds=30)
"""How long documents go without evidence before it is looked for again."""


class NoStamp(Exception):
    """The authority could not be asked or did not answer sensibly; the message names the kind of failure."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that no certificate of a document was revoked when it was signed."""

    stamp_bytes: int
    """Size of a stamp of this authority, for which room is left in the signature."""
    paths: tuple[ValidationPath, ...] = ()
    crls: tuple[crl.CertificateList, ...] = ()
    ocsps: tuple[ocsp.OCSPResponse, ...] = ()
    stampers: frozenset[bytes] = frozenset()
    """SHA-256 of the stampers' certificates that it covers; none where revocations could not be read."""


class Stamping:
    """The line of one process to its time-stamping authority."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.circuit = Circuit()
        self._evidence: Evidence | None = None
        self._look_again: datetime | None = None
        self._looking = asyncio.Lock()

    async def stamp(self, digest: bytes, signer: DocumentSigner, *, now: datetime) -> cms.ContentInfo:
        """A stamp over a SHA-256 digest, trusted under the roots that readers pin. Raises NoStamp."""
        loop = asyncio.get_running_loop()
        if not self.circuit.allows(loop.time()):
            raise NoStamp("not asked: it failed again and again")
        self.circuit = self.circuit.asked(loop.time())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                stamp = _read(*await self._ask(digest))
            await _require_trusted(stamp, digest, signer, now=now)
        except (NoStamp, TimeoutError, httpx.HTTPError) as error:
            self.circuit = self.circuit.failed(loop.time())
            reason = str(error) if isinstance(error, NoStamp) else type(error).__name__
            log.warning("no stamp for a document: %s", reason)
            raise NoStamp(reason) from None
        self.circuit = self.circuit.answered()
        return stamp

    async def evidence(self, signer: DocumentSigner, *, now: datetime) -> Evidence | None:
        """Evidence as of a few minutes ago at most; None where the authority does not answer.

        Raises DocumentsNotSigned when it shows that our own certificate was revoked.
        """
        async with self._looking:
            if self._look_again is None or now >= self._look_again:
                try:
                    self._evidence = await self._gather(signer, now=now)
                except NoStamp:
                    self._evidence = None
                complete = self._evidence is not None and self._evidence.stampers
                self._look_again = now + (_EVIDENCE_LIVES if complete else _EVIDENCE_RESTS)
            return self._evidence

    async def _gather(self, signer: DocumentSigner, *, now: datetime) -> Evidence:
        """A sample stamp, and what shows that neither its signer nor ours is revoked. Raises NoStamp."""
        sample = await self.stamp(hashlib.sha256(secrets.token_bytes(32)).digest(), signer, now=now)
        size = len(sample.dump())
        above = SimpleCertificateStore()
        above.register_multiple(signer.above)
        stampers = list(extract_ts_certs(sample, above))
        context = ValidationContext(
            trust_roots=list(signer.roots),
            other_certs=list(above),
            crls=list(signer.crls),
            moment=now,
            allow_fetching=True,
            revocation_mode="require",
            **BOTH_SUITES,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                own = await _path(signer.certificate, context, {"digital_signature"}, set())
                theirs = [await _path(stamper, context, set(), {"time_stamping"}) for stamper in stampers]
        except (NoStamp, TimeoutError) as error:
            log.warning("no evidence for documents: %s", str(error) or type(error).__name__)
            return Evidence(stamp_bytes=size)
        finally:
            await context.aclose()
        return Evidence(
            paths=(own, *theirs),
            crls=tuple(context.crls),
            ocsps=tuple(context.ocsps),
            stampers=frozenset(stamper.sha256 for stamper in stampers),
            stamp_bytes=size,
        )

    async def _ask(self, digest: bytes) -> tuple[bytes, int]:
        """The authority's answer to a fresh question, and the number that the answer must repeat."""
        nonce = secrets.randbits(63)
        imprint = tsp.MessageImprint(
            {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": digest}
        )
        query = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": nonce, "cert_req": True})
        headers = {"Content-Type": "application/timestamp-query", "Accept-Encoding": "identity"}
        content = bytearray()
        async with (
            # A client for each stamp: there are few, and no connection is left over at the end.
            httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, verify=_tls()) as http,
            http.stream("POST", self.url, content=query.dump(), headers=headers) as answer,
        ):
            if not answer.is_success:
                raise NoStamp(f"status {answer.status_code}")
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > ANSWER_BYTES_MOST:
                    raise NoStamp("garbage: too long")
        return bytes(content), nonce


async def _path(
    certificate: x509.Certificate, context: ValidationContext, usage: set[str], purposes: set[str]
) -> ValidationPath:
    """The way from a root to a certificate that nobody has revoked. Raises NoStamp, DocumentsNotSigned."""
    try:
        path: ValidationPath = await CertificateValidator(
            certificate, intermediate_certs=list(context.certificate_registry), validation_context=context
        ).async_validate_usage(usage, purposes or None)
    except RevokedError:
        if usage:
            log.error("the certificate that signs documents is revoked")
            raise DocumentsNotSigned from None
        raise NoStamp("the stamper is revoked") from None
    except (PathBuildingError, PathValidationError, InvalidCertificateError) as error:
        raise NoStamp(f"{type(error).__name__} of {certificate.subject.human_friendly}") from None
    return path


def stamper_of(stamp: cms.ContentInfo) -> bytes:
    """SHA-256 of the certificate that a stamp was made with; empty where it is not in the stamp."""
    return next((one.sha256 for one in extract_ts_certs(stamp, SimpleCertificateStore())), b"")


def _read(content: bytes, nonce: int) -> cms.ContentInfo:
    """The stamp in an answer. Raises NoStamp."""
    try:
        answer = tsp.TimeStampResp.load(content, strict=True)
        if answer["status"]["status"].native not in ("granted", "granted_with_mods"):
            raise NoStamp("refused")
        stamp = answer["time_stamp_token"]
        info = stamp["content"]["encap_content_info"]["content"].parsed
        if info["nonce"].native != nonce:
            raise NoStamp("an answer to another question")
        return stamp
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NoStamp("garbage") from None


async def _require_trusted(
    stamp: cms.ContentInfo, digest: bytes, signer: DocumentSigner, *, now: datetime
) -> None:
    """Raises NoStamp unless a stamper under our roots signed just this."""

    async def check() -> bool:
        context = ValidationContext(
            trust_roots=list(signer.roots), moment=now, allow_fetching=False, **BOTH_SUITES
        )
        said = await validate_tst_signed_data(stamp["content"], context, lambda _: digest)
        return bool(said["intact"] and said["valid"] and said["validation_path"] is not None)

    try:
        trusted = await asyncio.to_thread(lambda: asyncio.run(check()))
    except Exception as error:  # noqa: BLE001 - whatever an odd stamp breaks in a library is the stamp's fault
        raise NoStamp(f"garbage: {type(error).__name__}") from None
    if not trusted:
        raise NoStamp("signed by somebody whom our roots do not vouch for")


@cache
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes longer than a stamp."""
    return ssl.create_default_context()


_stamping: Stamping | None = None
_loop: asyncio.AbstractEventLoop | None = None


def stamping(url: str) -> Stamping:
    """The line of this process, made when it is first needed."""
    global _stamping, _loop
    if _stamping is None or _stamping.url != url or _loop is not asyncio.get_running_loop():
        _stamping, _loop = Stamping(url), asyncio.get_running_loop()
    return _stamping
