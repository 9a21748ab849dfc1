"""The certificate authority that the demo plays, so that documents are signed from the first minute.

Its root lies in `offline-root`, which no server reads, as in a real ceremony; the servers' key folder gets
the signer's certificate, the revocation list and the roots to pin. Done again it renews what is due, no more.
A real deployment puts there what its certificate authority gave (docs/documents.md).
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from haiyiban.certificates import authority, signer
from haiyiban.crypto import FileKeys
from haiyiban.settings import Settings
from haiyiban.signatures import (
    PrivateKey,
    Suite,
    kid_of_spki,
    new_private_key,
    private_key_of,
    private_pem,
)

_ROOT_FILE = "document-root.pem"
_ORGANIZATION = "海易办演示 Haiyiban demo"
_RENEW_BEFORE = timedelta(days=180)
_CRL_RENEW_BEFORE = timedelta(days=60)
_PEM = serialization.Encoding.PEM


def prepare(settings: Settings, *, now: datetime) -> None:
    """Have what signing needs in the key folder. The time-stamping authority's root is asked of it."""
    root_key, root = root_of(settings.home / "offline-root", now, settings.suite)
    folder = settings.keys_dir
    newest = FileKeys.create(folder, settings.suite).signing("document")[-1]
    if not _stands(folder / signer.CHAIN_FILE, newest.kid, root, now):
        name = authority.name_of("海易办演示证照签章 Document signer", _ORGANIZATION)
        crl_url = f"{settings.public_url}/api/v1/document-authority/crl"
        made = authority.new_signer(
            newest.public, name, root=root, root_key=root_key, crl_url=crl_url, now=now
        )
        _write(folder / signer.CHAIN_FILE, _pem(made) + _pem(root))
    if not _crl_stands(folder / signer.CRL_FILE, root, now):
        crl = authority.new_crl(root, root_key, number=int(now.timestamp()), now=now)
        _write(folder / signer.CRL_FILE, crl.public_bytes(_PEM))
    if (roots := _pem(root) + _root_of_stamps(settings)) != _read(folder / signer.ROOTS_FILE):
        _write(folder / signer.ROOTS_FILE, roots)
    signer.forget()


def root_of(
    folder: Path, now: datetime, suite: Suite = Suite.INTERNATIONAL
) -> tuple[PrivateKey, x509.Certificate]:
    """The demo's root, made when there is none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / _ROOT_FILE
    if pem := _read(file):
        return private_key_of(pem.decode()), x509.load_pem_x509_certificate(pem)
    key = new_private_key(suite)
    root = authority.new_root(key, authority.name_of("海易办演示根证书 Demo root", _ORGANIZATION), now=now)
    _write(file, private_pem(key).encode() + _pem(root))
    return key, root


def _stands(file: Path, kid: str, root: x509.Certificate, now: datetime) -> bool:
    """Whether the chain is for this key, under this root, and not about to end."""
    pem = _read(file)
    if not pem:
        return False
    certificate = x509.load_pem_x509_certificates(pem)[0]
    return (
        kid_of_spki(_spki(certificate)) == kid
        and certificate.issuer == root.subject
        and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _RENEW_BEFORE
    )


def _spki(certificate: x509.Certificate) -> bytes:
    held = asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    der: bytes = held.public_key.dump()
    return der


def _crl_stands(file: Path, root: x509.Certificate, now: datetime) -> bool:
    pem = _read(file)
    if not pem:
        return False
    crl = x509.load_pem_x509_crl(pem)
    until = crl.next_update_utc
    return (
        crl.issuer == root.subject
        and crl.last_update_utc <= now
        and until is not None
        and now < until - _CRL_RENEW_BEFORE
    )


def _root_of_stamps(settings: Settings) -> bytes:
    """The root of the sandbox's time-stamping authority; nothing where it is away."""
    if not settings.timestamp_url:
        return b""
    try:
        answer = httpx.get(f"{settings.timestamp_url}/root", timeout=2, trust_env=False)
    except httpx.HTTPError:
        return b""
    return answer.content if answer.is_success else b""


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(_PEM)


def _read(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


def _write(file: Path, content: bytes) -> None:
    """In one step, readable by this user alone."""
    partial = file.with_suffix(f".{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(content)
    partial.replace(file)
