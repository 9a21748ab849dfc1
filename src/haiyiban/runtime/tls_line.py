"""TLS before a server that speaks plain HTTP: for the demo and tests what a reverse proxy is in production.

    python -m haiyiban.runtime.tls_line --port 8443 --target 8000 --folder .haiyiban/tls

The folder holds an authority of this machine's own and a certificate under it, made when there are none.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from haiyiban import clock
from haiyiban.certificates import authority

_CHUNK = 65_536
_LIFE = timedelta(days=397)
_RENEW_BEFORE = timedelta(days=30)
_ORGANIZATION = "海易办演示 Haiyiban demo"


@dataclass(frozen=True, slots=True)
class Identity:
    """How a server proves itself: the authority to pin, and a file with its certificate and key."""

    root: Path
    certificate: Path

    def context(self) -> ssl.SSLContext:
        """For a server."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate)
        return context


def identity(folder: Path, *, now: datetime, host: str = "127.0.0.1") -> Identity:
    """The one of a folder, made anew when there is none or it is about to end. The authority's key is not
    kept: nobody can have another certificate made under it."""
    held = Identity(folder / "root.pem", folder / "server.pem")
    if held.root.exists() and held.certificate.exists():
        [first, *_] = x509.load_pem_x509_certificates(held.certificate.read_bytes())
        if now < first.not_valid_after_utc - _RENEW_BEFORE:
            return held
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = authority.new_root(root_key, authority.name_of("TLS root", _ORGANIZATION), now=now)
    made = _server(key.public_key(), host, root=root, root_key=root_key, now=now)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(held.certificate, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(made.public_bytes(Encoding.PEM) + secret)
    held.root.write_bytes(root.public_bytes(Encoding.PEM))
    return held


def _server(
    public: ec.EllipticCurvePublicKey,
    host: str,
    *,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    name: x509.GeneralName = x509.DNSName(host)
    with suppress(ValueError):
        name = x509.IPAddress(ipaddress.ip_address(host))
    return (
        x509.CertificateBuilder()
        .subject_name(authority.name_of(host, _ORGANIZATION))
        .issuer_name(root.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )


async def serve(port: int, target: int, context: ssl.SSLContext) -> None:
    """Until the task is cancelled."""

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    server = await asyncio.start_server(passed, "127.0.0.1", port, ssl=context)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()


def main() -> None:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    held = identity(given.folder, now=clock.now())
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(given.port, given.target, held.context()))


if __name__ == "__main__":
    main()
