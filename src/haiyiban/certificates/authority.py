"""X.509 for signed documents: the root, the signer's certificate under it, and what the root takes back.

A deployment brings a certificate from an authority that its readers know; the demo plays one
(demo_authority.py). The signer's certificate is for documents alone, and names where its revocation would be
read.

Source: RFC 5280, RFC 9336; docs/documents.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

ROOT_LIFE = timedelta(days=20 * 365)
SIGNER_LIFE = timedelta(days=3 * 365)
CRL_LIFE = timedelta(days=90)
_BACK = timedelta(days=1)
"""Certificates begin a day ago: the clock of who reads them may be behind."""
_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")


def name_of(common_name: str, organization: str) -> x509.Name:
    """A subject in China."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def new_root(key: ec.EllipticCurvePrivateKey, name: x509.Name, *, now: datetime) -> x509.Certificate:
    """A root that signs signers' certificates and revocation lists, and nothing else."""
    public = key.public_key()
    return (
        _certificate(name, name, public, now=now, life=ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def new_signer(
    public: ec.EllipticCurvePublicKey,
    name: x509.Name,
    *,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    crl_url: str,
    now: datetime,
) -> x509.Certificate:
    """The certificate of a key that signs documents; `crl_url` is where its revocation would be read."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
    return (
        _certificate(name, root.subject, public, now=now, life=SIGNER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "content_commitment"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_DOCUMENT_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .sign(root_key, hashes.SHA256())
    )


def new_crl(
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    *,
    number: int,
    now: datetime,
    revoked: dict[int, datetime] | None = None,
) -> x509.CertificateRevocationList:
    """The root's revocation list; `revoked` gives the instant of each serial number taken back."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(now)
        .next_update(now + CRL_LIFE)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
    )
    for serial, at in (revoked or {}).items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(root_key, hashes.SHA256())


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(now + life)
    )


_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in wanted for use in _USES})
