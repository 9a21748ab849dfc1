"""Who signs in the test vectors, and good codes to start from.

Test keys come from fixed words and signatures from RFC 6979 (SM2: by_hand.py), so the vectors are the same
bytes whenever made.
"""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.codes.claims import (
    Body,
    CertificateBody,
    Claims,
    Colour,
    DeviceKey,
    HealthBody,
    Kind,
    PlainBody,
    VoucherBody,
)
from haiyiban.codes.envelope import sign_capsule
from haiyiban.codes.trust import TrustEntry
from haiyiban.codes.vectors.by_hand import KeyOfWords
from haiyiban.crypto import SigningKey
from haiyiban.signatures import kid_of

Case = dict[str, Any]

AT = datetime(2026, 9, 1, 0, 0, 30, tzinfo=UTC)
IAT = int(AT.timestamp()) - 10
CHALLENGE = bytes.fromhex("c0ffee0011223344")

BODIES: dict[Kind, Body] = {
    Kind.CERTIFICATE: CertificateBody(type="admission-notice", name="王*涵", valid_until=date(2027, 8, 31)),
    Kind.IDENTITY: PlainBody(name="欧阳**"),
    Kind.HEALTH: HealthBody(name="阿·**", colour=Colour.GREEN, golden=True, negative_within_hours=48),
    Kind.VOUCHER: VoucherBody(name="符*", face_fen=20_000, threshold_fen=100_000),
    Kind.PICKUP: PlainBody(name="黎*妹"),
}


def private_key(words: str) -> ec.EllipticCurvePrivateKey:
    """A test key that anyone can make again from its words. Never for anything but tests."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(words.encode()).digest()), ec.SECP256R1())


def signing_key(words: str) -> SigningKey:
    """A test key as the server holds its own."""
    private = private_key(words)
    return SigningKey(kid=kid_of(private.public_key()), private=private, not_before=AT)


def national_key(words: str) -> SigningKey:
    """A test key of SM2."""
    private = KeyOfWords.of(words)
    return SigningKey(kid=kid_of(private.public_key()), private=private, not_before=AT)


ISSUER = signing_key("HYB1 test issuer")
HEALTH_ISSUER = signing_key("HYB1 test issuer of health codes")
REVOKED = signing_key("HYB1 test issuer, revoked")
FUTURE = signing_key("HYB1 test issuer of tomorrow")
PAST = signing_key("HYB1 test issuer of yesterday")
STRANGER = signing_key("HYB1 test stranger")
DEVICE = private_key("HYB1 test phone")
DAY = timedelta(days=1)


def trust_entries() -> list[TrustEntry]:
    """The trust list that all vectors are judged by."""

    def entry(key: SigningKey, *kinds: int, start: datetime = AT - 30 * DAY, **ends: datetime) -> TrustEntry:
        not_after = ends.get("not_after", AT + 365 * DAY)
        return TrustEntry.of(
            key.public,
            kinds=kinds,
            not_before=start,
            not_after=not_after,
            revoked_at=ends.get("revoked_at"),
        )

    return [
        entry(ISSUER, Kind.CERTIFICATE, Kind.IDENTITY, Kind.HEALTH, Kind.VOUCHER, Kind.PICKUP, 16),
        entry(HEALTH_ISSUER, Kind.HEALTH),
        entry(REVOKED, Kind.CERTIFICATE, revoked_at=AT - DAY),
        entry(FUTURE, Kind.CERTIFICATE, start=AT + DAY),
        entry(PAST, Kind.CERTIFICATE, not_after=AT - DAY),
    ]


def claims_of(kind: int, name: str, **changes: Any) -> Claims:
    """Claims of a form-a code of a kind, its cti made from the case's name."""
    body = BODIES.get(Kind(kind)) if kind in list(Kind) else None
    said = Claims(
        iss="460000",
        iat=IAT,
        exp=IAT + 60,
        cti=hashlib.sha256(name.encode()).digest()[:16],
        kind=kind,
        body=body or PlainBody(name="吉*"),
    )
    return msgspec.structs.replace(said, **changes)


def capsule_of(kind: int, name: str, key: SigningKey = ISSUER, **changes: Any) -> bytes:
    """A capsule for the test phone, an hour old and living 12 hours (health: 4)."""
    hours = 4 if kind == Kind.HEALTH else 12
    made = IAT - 3600
    lasting = {"iat": made, "exp": made + hours * 3600, "cnf": DeviceKey.of(DEVICE.public_key())}
    return sign_capsule(claims_of(kind, name, **(lasting | changes)), key)


def case(name: str, text: str, *, at: datetime = AT, **conditions: Any) -> dict[str, Any]:
    """One case: what is scanned, when, and under what conditions it is judged."""
    return {"name": name, "text": text, "at": at.isoformat().replace("+00:00", "Z")} | conditions
