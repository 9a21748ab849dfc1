"""Time-stamping authority (时间戳服务机构): says when a digest was shown to it, under a root of its own.

The protocol is the real one (RFC 3161, over HTTP). The root is kept in `<home>/timestamp-authority.pem`, so
that who pinned it can go on; the key that stamps is new at every start, and its certificate says where the
revocation list is. Everybody may ask, as with public authorities.
"""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from asn1crypto import cms, core, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from litestar import Response, get, post
from litestar.di import NamedDependency
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.wire import Asked

POLICY: Final = "1.3.6.1.4.1.13762.3"
DIGEST_BYTES: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
_ROOT_LIFE = timedelta(days=20 * 365)
_STAMPER_LIFE = timedelta(days=10 * 365)
_CRL_LIFE = timedelta(days=30)
_BACK = timedelta(days=1)
_DER = serialization.Encoding.DER


class Refused(Exception):
    """What was asked cannot be stamped; the message is the protocol's name of the reason."""


class Rejection(core.Sequence):  # type: ignore[misc]
    """An answer without a stamp, which asn1crypto's own type does not know to be possible."""

    _fields = [("status", tsp.PKIStatusInfo)]


class Authority:
    """The root in a home folder, and a stamper under it for each address that we are reached at."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._clock = clock
        self._key, self.root = _kept(home / "timestamp-authority.pem", clock)
        self._stampers: dict[str, SimpleSigner] = {}

    def crl(self) -> bytes:
        """The revocation list, signed anew: nobody has been revoked."""
        now = self._clock.now()
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + _CRL_LIFE)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(_DER)
        )

    async def stamp(self, query: bytes, *, crl_url: str) -> tsp.TimeStampResp:
        """Answer a request. Raises Refused."""
        imprint, nonce = _asked(query)
        stamper = self._stampers.get(crl_url) or self._stampers.setdefault(crl_url, self._stamper(crl_url))
        info: dict[str, Any] = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": imprint,
            "serial_number": secrets.randbits(63),
            "gen_time": self._clock.now().replace(microsecond=0),
        }
        if nonce is not None:
            info["nonce"] = nonce
        content = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": cms.ParsableOctetString(tsp.TSTInfo(info).dump())}
        )
        token = await stamper.async_sign_general_data(content, "sha256", detached=False, use_cades=True)
        return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})

    def _stamper(self, crl_url: str) -> SimpleSigner:
        key = ec.generate_private_key(ec.SECP256R1())
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        certificate = (
            _certificate(_name("演示时间戳 Demo stamper"), self.root.subject, key, self._clock, _STAMPER_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.CRLDistributionPoints([point]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        above = SimpleCertificateStore()
        above.register(asn1_x509.Certificate.load(self.root.public_bytes(_DER)))
        return SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(_DER)),
            signing_key=keys.PrivateKeyInfo.load(
                key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            ),
            cert_registry=above,
        )


@post("/timestamp", status_code=200, before_request=answer_badly, opt={"register": "timestamp"})
async def stamp(request: Asked, authority: NamedDependency[Authority]) -> Response[bytes]:
    """RFC 3161: a query in the body, the stamp in the answer; a refusal is an answer too."""
    answer: core.Sequence
    try:
        answer = await authority.stamp(await request.body(), crl_url=f"{request.base_url}timestamp/crl")
    except Refused as refusal:
        info = tsp.PKIFailureInfo({str(refusal)})
        answer = Rejection({"status": {"status": "rejection", "fail_info": info}})
    return Response(answer.dump(), media_type="application/timestamp-reply")


@get("/timestamp/root", media_type="application/x-pem-file")
async def root(authority: NamedDependency[Authority]) -> bytes:
    """The root's certificate, to be pinned."""
    return authority.root.public_bytes(serialization.Encoding.PEM)


@get("/timestamp/crl", media_type="application/pkix-crl")
async def crl(authority: NamedDependency[Authority]) -> bytes:
    """Which stampers were revoked."""
    return authority.crl()


def _asked(query: bytes) -> tuple[tsp.MessageImprint, int | None]:
    """What is to be stamped. Raises Refused."""
    try:
        request = tsp.TimeStampReq.load(query, strict=True)
        imprint = request["message_imprint"]
        digest, nonce = imprint["hash_algorithm"]["algorithm"].native, request["nonce"].native
        length = len(imprint["hashed_message"].native)
    except (ValueError, TypeError, KeyError):
        raise Refused("bad_data_format") from None
    if digest not in DIGEST_BYTES:
        raise Refused("bad_alg")
    if length != DIGEST_BYTES[digest]:
        raise Refused("bad_data_format")
    return imprint, nonce


def _kept(file: Path, clock: Clock) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The root's key and certificate, made at the first start."""
    if file.exists():
        pem = file.read_bytes()
        private = serialization.load_pem_private_key(pem, password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey), "we wrote it"
        return private, x509.load_pem_x509_certificate(pem)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("演示时间戳根 Demo time-stamping root")
    certificate = (
        _certificate(name, name, key, clock, _ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(key, hashes.SHA256())
    )
    armour = serialization.Encoding.PEM
    secret = key.private_bytes(armour, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    partial = file.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(secret + certificate.public_bytes(armour))
    partial.replace(file)
    return key, certificate


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    clock: Clock,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - _BACK)
        .not_valid_after(clock.now() + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in wanted for use in _USES})
