"""Signed HTTP messages, on the vectors of RFC 9421 Appendix B and on our own."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)

from haiyiban.crypto import SigningKey
from haiyiban.signatures import kid_of
from services.cross_province import signatures
from services.cross_province.signatures import Headers, NotSigned

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
PATH = "/api/v1/zones/cross-province/exchange"
BODY = b'{"msgId":"1"}'

# RFC 9421 B.1: keys that the RFC publishes for tests.
P256_PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----"""
ED25519_PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----"""
ED25519_PRIVATE = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----"""
SHARED_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)


@dataclass
class Message:
    """A message of RFC 9421 B.2."""

    headers: dict[str, str]
    method: str = "POST"
    url: str = "https://example.com/foo?param=Value&Pet=dog"


@dataclass
class Answer:
    headers: dict[str, str]
    status_code: int = 200
    request: None = None


def rfc_request(**more: str) -> Message:
    return Message(
        {
            "Host": "example.com",
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYl"
            "lu7BNNyealdVLvRwEmTHWXvJwew==:",
            "Content-Length": "18",
            **more,
        }
    )


def rfc_answer(**more: str) -> Answer:
    return Answer(
        {
            "Date": "Tue, 20 Apr 2021 02:07:56 GMT",
            "Content-Type": "application/json",
            "Content-Digest": "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69"
            "wWdXymyU0rjJuahq4l5aGgfLQ==:",
            "Content-Length": "23",
            **more,
        }
    )


VECTORS = {
    "B.2.4 ecdsa-p256-sha256": (
        algorithms.ECDSA_P256_SHA256,
        P256_PUBLIC,
        rfc_answer,
        b'{"message": "good dog"}',
        '("@status" "content-type" "content-digest" "content-length")',
        "test-key-ecc-p256",
        "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
    ),
    "B.2.5 hmac-sha256": (
        algorithms.HMAC_SHA256,
        SHARED_SECRET,
        rfc_request,
        None,
        '("date" "@authority" "content-type")',
        "test-shared-secret",
        "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
    ),
    "B.2.6 ed25519": (
        algorithms.ED25519,
        ED25519_PUBLIC,
        rfc_request,
        None,
        '("date" "@method" "@path" "@authority" "content-type" "content-length")',
        "test-key-ed25519",
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    ),
}


def check_vector(name: str, *, change: Any = None) -> None:
    algorithm, key, make, body, covers, key_id, signature = VECTORS[name]
    message = make(
        **{
            "Signature-Input": f'sig={covers};created=1618884473;keyid="{key_id}"',
            "Signature": f"sig=:{signature}:",
        }
    )
    if change:
        message.headers.update(change)
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithm,
        key_resolver=MappingKeyResolver(public_keys={key_id: key}, private_keys={}),
    )
    verifier.verify(message, max_age=None, body=body)


@pytest.mark.parametrize("name", VECTORS)
def test_the_signatures_of_the_rfc_hold(name: str) -> None:
    """RFC 9421 B.2.4–B.2.6; the first also checks the RFC 9530 digest of its body."""
    check_vector(name)


@pytest.mark.parametrize("name", VECTORS)
def test_the_signatures_of_the_rfc_fail_on_another_message(name: str) -> None:
    with pytest.raises(InvalidSignature):
        check_vector(name, change={"Content-Type": "application/xml"})


def test_the_ed25519_signature_of_the_rfc_is_made_again_to_the_byte() -> None:
    message = rfc_request()
    HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={"test-key-ed25519": ED25519_PRIVATE}),
    ).sign(
        message,
        key_id="test-key-ed25519",
        created=datetime.fromtimestamp(1618884473, UTC),
        include_alg=False,
        use_existing_digest=True,
        label="sig-b26",
        covered_component_ids=(
            "date",
            "@method",
            "@path",
            "@authority",
            "content-type",
            "content-length",
        ),
    )
    assert message.headers["Signature"] == f"sig-b26=:{VECTORS['B.2.6 ed25519'][-1]}:"


def test_the_content_digests_of_the_rfc_are_those_of_its_bodies() -> None:
    """RFC 9530 Appendix D by way of RFC 9421 B.2."""
    ContentDigest.verify(rfc_request().headers["Content-Digest"], b'{"hello": "world"}')
    with pytest.raises(InvalidSignature):
        ContentDigest.verify(rfc_request().headers["Content-Digest"], b'{"hello": "World"}')


@pytest.fixture(scope="module")
def key() -> SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    return SigningKey(kid_of(private.public_key()), private, NOW)


def check(
    headers: Headers, key: SigningKey, *, body: bytes = BODY, path: str = PATH, now: datetime | None = NOW
) -> signatures.Proven:
    return signatures.check_request(body, headers, path=path, keys={key.kid: key.public}.get, now=now)


def test_a_signed_request_tells_who_signed_it_and_when(key: SigningKey) -> None:
    proven = check(signatures.sign_request(BODY, path=PATH, key=key, now=NOW), key)
    assert (proven.key_id, proven.created) == (key.kid, NOW)


def test_a_changed_body_path_or_type_is_refused(key: SigningKey) -> None:
    headers = signatures.sign_request(BODY, path=PATH, key=key, now=NOW)
    with pytest.raises(NotSigned):
        check(headers, key, body=BODY + b" ")
    with pytest.raises(NotSigned):
        check(headers, key, path=PATH + "/other")
    with pytest.raises(NotSigned):
        check(msgspec.structs.replace(headers, content_type="text/plain"), key)


def test_a_digest_that_follows_a_changed_body_is_refused(key: SigningKey) -> None:
    headers = signatures.sign_request(BODY, path=PATH, key=key, now=NOW)
    other = signatures.sign_request(b"{}", path=PATH, key=key, now=NOW)
    with pytest.raises(NotSigned):
        check(msgspec.structs.replace(headers, content_digest=other.content_digest), key, body=b"{}")


def test_a_signature_that_covers_less_is_refused(key: SigningKey) -> None:
    """Good as it is, it would let somebody exchange the body."""
    message = Message({"content-type": signatures.JSON}, url="https://exchange.invalid" + PATH)
    HTTPMessageSigner(
        signature_algorithm=algorithms.ECDSA_P256_SHA256,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key.kid: key.private}),
    ).sign(
        message,
        key_id=key.kid,
        created=NOW,
        tag=signatures.REQUEST_TAG,
        covered_component_ids=("@method", "@path"),
    )
    fields = {name.lower(): value for name, value in message.headers.items()}
    fields["content-digest"] = ContentDigest.create(BODY)
    with pytest.raises(NotSigned):
        check(Headers.of(fields), key)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time_is_refused_and_still_proves_later(key: SigningKey, minutes: int) -> None:
    headers = signatures.sign_request(BODY, path=PATH, key=key, now=NOW)
    with pytest.raises(NotSigned):
        check(headers, key, now=NOW + timedelta(minutes=minutes))
    assert check(headers, key, now=None).created == NOW


def test_an_unknown_key_is_refused(key: SigningKey) -> None:
    headers = signatures.sign_request(BODY, path=PATH, key=key, now=NOW)
    with pytest.raises(NotSigned):
        signatures.check_request(BODY, headers, path=PATH, keys=lambda _: None, now=NOW)


def test_a_receipt_is_of_these_bytes_and_no_others(key: SigningKey) -> None:
    asked = signatures.sign_request(BODY, path=PATH, key=key, now=NOW)
    receipt = signatures.sign_receipt(b'{"taken":true}', asked, key=key, now=NOW)
    keys = {key.kid: key.public}.get
    signatures.check_receipt(b'{"taken":true}', receipt, asked, keys=keys, now=None)
    other = signatures.sign_request(b"{}", path=PATH, key=key, now=NOW)
    with pytest.raises(NotSigned):
        signatures.check_receipt(b'{"taken":true}', receipt, other, keys=keys, now=None)
    # Signed anew for a second try, it is the same message: its receipt holds.
    again = signatures.sign_request(BODY, path=PATH, key=key, now=NOW + timedelta(hours=1))
    signatures.check_receipt(b'{"taken":true}', receipt, again, keys=keys, now=None)


def test_unsigned_and_unreadable_messages_are_refused(key: SigningKey) -> None:
    with pytest.raises(NotSigned):
        Headers.of({"content-type": signatures.JSON})
    headers = signatures.sign_request(BODY, path=PATH, key=key, now=NOW)
    for broken in ("", "sig", "sig=()", "sig=:AAAA:", "\u4e2d", "sig=1;" * 500):
        with pytest.raises(NotSigned):
            check(msgspec.structs.replace(headers, signature_input=broken), key)
        with pytest.raises(NotSigned):
            check(msgspec.structs.replace(headers, signature=broken), key)
