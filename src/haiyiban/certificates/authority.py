"""X.509 for signed documents: the root, the signer's certificate under it, and what the root takes back.

A deployment brings a certificate from an authority that its readers know; the demo plays one
(demo_authority.py). The signer's certificate is for documents alone, and names where its revocation would be
read. Keys are of either suite.

Source: RFC 5280, RFC 9336; GM/T 0015 (SM2); docs/documents.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from asn1crypto import core, crl, csr, keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import NameOID

from haiyiban import signatures
from haiyiban.certificates.national import SM2_SM3
from haiyiban.signatures import SM2, PrivateKey, PublicKey, algorithm_of, raw_signature
from haiyiban.sm import der_of

ROOT_LIFE = timedelta(days=20 * 365)
SIGNER_LIFE = timedelta(days=3 * 365)
CRL_LIFE = timedelta(days=90)
_BACK = timedelta(days=1)
"""Certificates begin a day ago: the clock of who reads them may be behind."""
_DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"
_Extension = tuple[str, bool, Any]
"""Its name in RFC 5280, whether it is critical, and its value."""


def name_of(common_name: str, organization: str) -> x509.Name:
    """A subject in China."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def new_root(key: PrivateKey, name: x509.Name, *, now: datetime) -> x509.Certificate:
    """A root that signs signers' certificates and revocation lists, and nothing else."""
    extensions = (
        ("basic_constraints", True, {"ca": True, "path_len_constraint": 0}),
        ("key_usage", True, {"key_cert_sign", "crl_sign"}),
        ("key_identifier", False, _key_identifier(key.public_key())),
    )
    return _certificate(name, name, key.public_key(), extensions, key, now=now, life=ROOT_LIFE)


def new_signer(
    public: PublicKey,
    name: x509.Name,
    *,
    root: x509.Certificate,
    root_key: PrivateKey,
    crl_url: str,
    now: datetime,
) -> x509.Certificate:
    """The certificate of a key that signs documents; `crl_url` is where its revocation would be read."""
    address = asn1.GeneralName("uniform_resource_identifier", crl_url)
    point = {"distribution_point": asn1.DistributionPointName("full_name", [address])}
    extensions = (
        ("basic_constraints", True, {"ca": False}),
        ("key_usage", True, {"digital_signature", "non_repudiation"}),
        ("extended_key_usage", False, [_DOCUMENT_SIGNING]),
        ("key_identifier", False, _key_identifier(public)),
        ("authority_key_identifier", False, _issued_by(root_key)),
        ("crl_distribution_points", False, [point]),
    )
    return _certificate(name, root.subject, public, extensions, root_key, now=now, life=SIGNER_LIFE)


def new_crl(
    root: x509.Certificate,
    root_key: PrivateKey,
    *,
    number: int,
    now: datetime,
    revoked: Mapping[int, datetime] | None = None,
) -> x509.CertificateRevocationList:
    """The root's revocation list; `revoked` gives the instant of each serial number taken back."""
    listed = crl.TbsCertList(
        {
            "version": "v2",
            "signature": _algorithm(root_key),
            "issuer": _name(root.subject),
            "this_update": _time(now),
            "next_update": _time(now + CRL_LIFE),
            "crl_extensions": _extensions(
                (
                    ("authority_key_identifier", False, _issued_by(root_key)),
                    ("crl_number", False, number),
                )
            ),
        }
    )
    if revoked:
        listed["revoked_certificates"] = [
            {"user_certificate": serial, "revocation_date": _time(at)} for serial, at in revoked.items()
        ]
    made = crl.CertificateList(
        {
            "tbs_cert_list": listed,
            "signature_algorithm": _algorithm(root_key),
            "signature": _signature(root_key, listed.dump()),
        }
    )
    return x509.load_der_x509_crl(made.dump())


def new_request(key: PrivateKey, subject: x509.Name) -> bytes:
    """A certificate signing request (PKCS#10, DER) for a certificate authority."""
    asked = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": _name(subject),
            "subject_pk_info": _spki(key.public_key()),
            "attributes": [],
        }
    )
    made = csr.CertificationRequest(
        {
            "certification_request_info": asked,
            "signature_algorithm": _algorithm(key),
            "signature": _signature(key, asked.dump()),
        }
    )
    der: bytes = made.dump()
    return der


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: PublicKey,
    extensions: Sequence[_Extension],
    issuer_key: PrivateKey,
    *,
    now: datetime,
    life: timedelta,
) -> x509.Certificate:
    body = asn1.TbsCertificate(
        {
            "version": "v3",
            "serial_number": x509.random_serial_number(),
            "signature": _algorithm(issuer_key),
            "issuer": _name(issuer),
            "validity": {"not_before": _time(now - _BACK), "not_after": _time(now + life)},
            "subject": _name(subject),
            "subject_public_key_info": _spki(public),
            "extensions": _extensions(extensions),
        }
    )
    made = asn1.Certificate(
        {
            "tbs_certificate": body,
            "signature_algorithm": _algorithm(issuer_key),
            "signature_value": _signature(issuer_key, body.dump()),
        }
    )
    return x509.load_der_x509_certificate(made.dump())


def _extensions(said: Sequence[_Extension]) -> list[dict[str, Any]]:
    return [{"extn_id": name, "critical": critical, "extn_value": value} for name, critical, value in said]


def _algorithm(key: PrivateKey) -> dict[str, str]:
    return {"algorithm": SM2_SM3 if algorithm_of(key) is SM2 else "sha256_ecdsa"}


def _signature(key: PrivateKey, signed: bytes) -> core.OctetBitString:
    return core.OctetBitString(der_of(raw_signature(key, signed)))


def _name(name: x509.Name) -> asn1.Name:
    return asn1.Name.load(name.public_bytes())


def _spki(public: PublicKey) -> keys.PublicKeyInfo:
    return keys.PublicKeyInfo.load(signatures.spki(public))


def _key_identifier(public: PublicKey) -> bytes:
    """SHA-1 of the point (RFC 5280 §4.2.1.2 (1)): a name that authorities of either suite give keys."""
    point = _spki(public)["public_key"].contents[1:]
    return hashlib.sha1(point, usedforsecurity=False).digest()


def _issued_by(key: PrivateKey) -> dict[str, bytes]:
    return {"key_identifier": _key_identifier(key.public_key())}


def _time(at: datetime) -> asn1.Time:
    """In seconds; from 2050 on as RFC 5280 §4.1.2.5 has it."""
    name = "utc_time" if at.year < 2050 else "general_time"
    return asn1.Time(name, at.replace(microsecond=0))
