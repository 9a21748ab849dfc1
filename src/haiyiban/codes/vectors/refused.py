"""Codes that are well formed and must be refused, each for one reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

from haiyiban.codes import base45, cbor
from haiyiban.codes.claims import CertificateBody, DeviceKey, Kind, to_map
from haiyiban.codes.envelope import PREFIX, sign_form_a, sign_form_b, to_text
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.vectors.cast import (
    AT,
    CHALLENGE,
    DAY,
    DEVICE,
    FUTURE,
    HEALTH_ISSUER,
    IAT,
    ISSUER,
    PAST,
    REVOKED,
    STRANGER,
    Case,
    capsule_of,
    case,
    claims_of,
    private_key,
)
from haiyiban.crypto import SigningKey

_SECOND = timedelta(seconds=1)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# No point of P-256 has this x.
_NO_POINT = bytes(31) + b"\x01"


def cases() -> dict[Outcome, list[Case]]:
    """The refusals that can be told offline, by outcome."""
    return {
        Outcome.UNKNOWN_ISSUER: _unknown_issuer(),
        Outcome.BAD_SIGNATURE: [*_bad_issuer_signature(), *_bad_device_signature()],
        Outcome.NOT_YET_VALID: _not_yet_valid(),
        Outcome.EXPIRED: _expired(),
        Outcome.DENIED: _denied(),
        Outcome.STALE_LISTS: _stale_lists(),
        Outcome.WRONG_KIND: _wrong_kind(),
    }


def _certificate(name: str, key: SigningKey = ISSUER, **changes: Any) -> str:
    return sign_form_a(claims_of(Kind.CERTIFICATE, name, **changes), key)


def _unknown_issuer() -> list[Case]:
    other_suite = _parts_a(_certificate("another suite"))
    other_suite[0] = cbor.encode({1: -8, 4: bytes.fromhex(ISSUER.kid)})
    return [
        case("a key that is not listed", _certificate("stranger", STRANGER)),
        case("a listed key, but not for this kind", _certificate("kinds", HEALTH_ISSUER)),
        case("a capsule by a key not listed for its kind", _b(capsule_of(1, "kinds, b", HEALTH_ISSUER))),
        case("a revoked key", _certificate("revoked", REVOKED)),
        case("a key whose time has not come", _certificate("future", FUTURE)),
        case("a key whose time is over", _certificate("past", PAST)),
        case("a suite that the key is not listed with", _text_a(other_suite)),
    ]


def _bad_issuer_signature() -> list[Case]:
    flipped = _parts_a(_certificate("flipped"))
    flipped[3] = _flip(flipped[3])
    renamed = _parts_a(_certificate("renamed"))
    other_name = CertificateBody(type="admission-notice", name="陈**")
    renamed[2] = cbor.encode(to_map(claims_of(Kind.CERTIFICATE, "renamed", body=other_name)))
    zero = _parts_a(_certificate("zero"))
    zero[3] = bytes(64)
    borrowed = _parts_a(_certificate("borrowed", STRANGER))
    borrowed[0] = cbor.encode({1: -7, 4: bytes.fromhex(ISSUER.kid)})
    flipped_capsule = _parts_a(to_text(capsule_of(1, "flipped capsule")))
    flipped_capsule[3] = _flip(flipped_capsule[3])
    return [
        case("a bit of the signature flipped", _text_a(flipped)),
        case("another name under the same signature", _text_a(renamed)),
        case("a signature of zeros", _text_a(zero)),
        case("a stranger's signature under a listed kid", _text_a(borrowed)),
        case("a capsule with a bit of its signature flipped", _b(b"\xd2" + cbor.encode(flipped_capsule))),
    ]


def _bad_device_signature() -> list[Case]:
    capsule = capsule_of(Kind.IDENTITY, "device")
    good = _parts_b(_b(capsule))
    answer = _parts_b(sign_form_b(capsule, DEVICE, t=IAT, challenge=CHALLENGE))
    other_capsule = capsule_of(Kind.IDENTITY, "device, another capsule")
    high = good[2][:32] + (_ORDER - int.from_bytes(good[2][32:])).to_bytes(32)
    nowhere = capsule_of(1, "nowhere", cnf=DeviceKey(x=_NO_POINT, y_is_odd=False))
    return [
        case("a bit of the proof flipped", _text_b([capsule, IAT, _flip(good[2])])),
        case("a later instant under the same proof", _text_b([capsule, IAT + 1, good[2]])),
        case("another capsule under the same proof", _text_b([other_capsule, IAT, good[2]])),
        case("another phone", sign_form_b(capsule, private_key("HYB1 another test phone"), t=IAT)),
        case("the proof's high-s twin", _text_b([capsule, IAT, high])),
        case("the challenge taken away", _text_b(answer[:3])),
        case("a challenge put in", _text_b([*good, CHALLENGE])),
        case("an answer to another verifier's challenge", _text_b(answer), challenge="00" * 8),
        case("no answer to the verifier's challenge", _text_b(good), challenge=CHALLENGE.hex()),
        case("a device key that is no point of the curve", _b(nowhere)),
    ]


def _not_yet_valid() -> list[Case]:
    at = int(AT.timestamp())
    tomorrow = capsule_of(1, "tomorrow, b", iat=at + 6, exp=at + 3600)
    return [
        case("made 6 s from now", _certificate("tomorrow"), at=_made() - 6 * _SECOND),
        case("a proof made 6 s from now", sign_form_b(capsule_of(1, "ahead"), DEVICE, t=at + 6)),
        case("a capsule made 6 s from now", sign_form_b(tomorrow, DEVICE, t=at)),
    ]


def _expired() -> list[Case]:
    at = int(AT.timestamp())
    over = capsule_of(1, "over, b", iat=at - 7200, exp=at - 6)
    return [
        case("the first second after the skew", _certificate("over"), at=_made() + 66 * _SECOND),
        case("yesterday's", _certificate("yesterday"), at=AT + DAY),
        case("a proof 61 s old", sign_form_b(capsule_of(1, "old proof"), DEVICE, t=at - 61)),
        case("a capsule past its end with a fresh proof", sign_form_b(over, DEVICE, t=at)),
    ]


def _denied() -> list[Case]:
    denied = []
    for kind in (Kind.HEALTH, Kind.CERTIFICATE):
        slug = kind.name.lower()
        cti = claims_of(kind, f"{slug}, withdrawn").cti.hex()
        text = _b(capsule_of(kind, f"{slug}, withdrawn"))
        denied.append(case(f"a {slug} capsule withdrawn", text, deny=["00" * 16, cti]))
    on_old_lists = denied[0] | {"name": "withdrawn, and the lists are old", "listsAgeSeconds": 1_801}
    return [*denied, on_old_lists]


def _stale_lists() -> list[Case]:
    text = _certificate("stale")
    return [
        case("a health capsule and lists over 30 min old", _b(capsule_of(3, "stale")), listsAgeSeconds=1_801),
        case("lists over 24 h old", text, listsAgeSeconds=86_401),
        case("a trust list past its own end", text, trustListExp=int(AT.timestamp())),
    ]


def _wrong_kind() -> list[Case]:
    capsule = capsule_of(Kind.VOUCHER, "wrong kind")
    return [
        case("a certificate where a voucher is expected", _certificate("wrong"), expectedKind=4),
        case("a voucher where pick-up is expected, form b", _b(capsule), expectedKind=5),
    ]


def _made() -> datetime:
    return datetime.fromtimestamp(IAT, UTC)


def _b(capsule: bytes) -> str:
    return sign_form_b(capsule, DEVICE, t=IAT)


def _flip(signature: bytes) -> bytes:
    return signature[:10] + bytes((signature[10] ^ 1,)) + signature[11:]


def _parts_a(text: str) -> list[Any]:
    return list(cbor.decode(base45.decode(text[len(PREFIX) :])[1:]))


def _text_a(parts: list[Any]) -> str:
    return to_text(b"\xd2" + cbor.encode(parts))


def _parts_b(text: str) -> list[Any]:
    return list(cbor.decode(base45.decode(text[len(PREFIX) :])))


def _text_b(parts: list[Any]) -> str:
    return to_text(cbor.encode(parts))
