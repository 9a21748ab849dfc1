"""What a code says: who issued it, for how long, of what kind, and the least that a stranger may see.

A body never holds a full name, a number, a phone, a photo or anything that stays the same from one code
to the next. Body keys and claims that this version does not know are ignored, so that older terminals
read newer codes.

Source: schemas/codes/README.md §2; claim keys of RFC 8392 (CWT) and RFC 8747 (cnf).
"""

import re
from collections.abc import Callable
from datetime import date
from enum import IntEnum
from typing import Any, TypeVar

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.codes import cbor
from haiyiban.codes.cbor import MAX_DEPTH, MalformedCode

_ISS, _EXP, _IAT, _CTI, _CNF, _KIND, _BODY = 1, 4, 6, 7, 8, -70001, -70002
_CERTIFICATE_TYPE, _NAME, _VALID_UNTIL, _STATUS = 1, 2, 3, 4
_COLOUR, _GOLDEN, _NEGATIVE_WITHIN = 10, 11, 12
_FACE, _THRESHOLD = 20, 21
_COSE_KEY, _KTY, _CURVE, _X, _Y, _EC2, _P256 = 1, 1, -1, -2, -3, 2, 1

_DAY_0 = date(1970, 1, 1).toordinal()
_EXACT_IN_EVERY_LANGUAGE = 1 << 53
_T = TypeVar("_T")


class Kind(IntEnum):
    """What a code shows (码种). 6–15 are kept for the kernel; zones number theirs from 16."""

    CERTIFICATE = 1
    IDENTITY = 2
    HEALTH = 3
    VOUCHER = 4
    PICKUP = 5


class Colour(IntEnum):
    """The colour of a health code (健康码颜色)."""

    GREEN = 0
    YELLOW = 1
    RED = 2
    GREY = 3


class PlainBody(msgspec.Struct, frozen=True):
    """Identity and pick-up codes, and kinds this version does not know: a masked name."""

    name: str


class StatusEntry(msgspec.Struct, frozen=True):
    """Where the status list keeps the bits of a printed certificate."""

    list_uri: str
    index: int


class CertificateBody(msgspec.Struct, frozen=True):
    """A certificate (电子证照): its type's slug, the masked name, its last valid day (None: no end)."""

    type: str
    name: str
    valid_until: date | None = None
    status: StatusEntry | None = None


class HealthBody(msgspec.Struct, frozen=True):
    """A health code (健康码); a negative test within 24, 48 or 72 hours, None without one."""

    name: str
    colour: Colour
    golden: bool = False
    negative_within_hours: int | None = None


class VoucherBody(msgspec.Struct, frozen=True):
    """A consumer voucher (消费券): its worth and the least order it serves, both in fen."""

    name: str
    face_fen: int
    threshold_fen: int


Body = PlainBody | CertificateBody | HealthBody | VoucherBody


class DeviceKey(msgspec.Struct, frozen=True):
    """The public key (P-256, compressed) of the phone that a capsule is bound to."""

    x: bytes
    y_is_odd: bool

    @classmethod
    def of(cls, public: ec.EllipticCurvePublicKey) -> "DeviceKey":
        """The key as a claim. Raises ValueError for a key on another curve."""
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        if not isinstance(public.curve, ec.SECP256R1):
            raise ValueError("a device key is on P-256")
        return cls(x=point[1:], y_is_odd=point[0] == 3)

    def public(self) -> ec.EllipticCurvePublicKey:
        """The key to verify with. Raises ValueError when the curve has no such point."""
        point = (b"\x03" if self.y_is_odd else b"\x02") + self.x
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


class Claims(msgspec.Struct, frozen=True):
    """What the issuer signs. `iss` is a 6-digit division; `iat` and `exp` are seconds since 1970."""

    iss: str
    iat: int
    exp: int
    cti: bytes
    kind: int
    body: Body
    cnf: DeviceKey | None = None

    @property
    def printed_at(self) -> StatusEntry | None:
        """Of a code that is printed on a document its place in a status list; None of one that is shown."""
        return self.body.status if isinstance(self.body, CertificateBody) else None


def to_payload(claims: Claims) -> bytes:
    """The claims as the bytes that are signed."""
    return cbor.encode_in_order(to_map(claims))


def to_map(claims: Claims) -> dict[int, Any]:
    """The claims as the map that is encoded, its keys in deterministic order."""
    written: dict[int, Any] = {_ISS: claims.iss, _EXP: claims.exp, _IAT: claims.iat, _CTI: claims.cti}
    if claims.cnf is not None:
        key = {_KTY: _EC2, _CURVE: _P256, _X: claims.cnf.x, _Y: claims.cnf.y_is_odd}
        written[_CNF] = {_COSE_KEY: key}
    written[_KIND] = int(claims.kind)
    written[_BODY] = _write_body(claims.body)
    return written


# The claims as every issuer of this version writes them, up to the body: one look of a compiled expression
# instead of some thirty steps, a tenth of a verification. What stands otherwise is read step by step.
_AS_WRITTEN = re.compile(
    rb"(?s)(?:\xa6|(\xa7))"
    rb"\x01\x66([0-9]{6})"
    rb"\x04\x1a((?!\0\0).{4})\x06\x1a((?!\0\0).{4})"
    rb"\x07\x50(.{16})"
    rb"(?(1)\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20(.{32})\x22([\xf4\xf5]))"
    rb"\x3a\0\x01\x11\x70([\x00-\x17])"
    rb"\x3a\0\x01\x11\x71(?=[\xa0-\xb7])"
)


def from_payload(payload: bytes) -> Claims:
    """The claims that were signed. Raises MalformedCode."""
    found = _AS_WRITTEN.match(payload)
    if found is None or len(payload) > cbor.MAX_BYTES:
        return from_map(cbor.decode(payload))
    _, iss, exp, iat, cti, x, y, kind_byte = found.groups()
    kind = kind_byte[0]
    return Claims(
        iss=iss.decode(),
        iat=int.from_bytes(iat),
        exp=int.from_bytes(exp),
        cti=cti,
        kind=kind,
        body=_READERS.get(kind, _read_plain)(cbor.decode(payload[found.end() :], depth=MAX_DEPTH - 1)),
        cnf=DeviceKey(x=x, y_is_odd=y == b"\xf5") if x is not None else None,
    )


def from_map(written: Any) -> Claims:
    """The claims in a decoded map. Raises MalformedCode when one is missing or of the wrong type."""
    _must(type(written) is dict, "claims are a map")
    iss = _need(written, _ISS, str)
    _must(len(iss) == 6 and iss.isascii() and iss.isdecimal(), "the issuer is a 6-digit division")
    cti = _need(written, _CTI, bytes)
    _must(len(cti) == 16, "a cti has 16 bytes")
    kind = _need_uint(written, _KIND)
    body = _need(written, _BODY, dict)
    return Claims(
        iss=iss,
        iat=_need_uint(written, _IAT),
        exp=_need_uint(written, _EXP),
        cti=cti,
        kind=kind,
        body=_READERS.get(kind, _read_plain)(body),
        cnf=_read_device_key(written[_CNF]) if _CNF in written else None,
    )


def _write_body(body: Body) -> dict[int, Any]:
    match body:
        case CertificateBody():
            written: dict[int, Any] = {_CERTIFICATE_TYPE: body.type, _NAME: body.name}
            if body.valid_until is not None:
                written[_VALID_UNTIL] = body.valid_until.toordinal() - _DAY_0
            if body.status is not None:
                written[_STATUS] = [body.status.list_uri, body.status.index]
        case HealthBody():
            written = {_NAME: body.name, _COLOUR: int(body.colour), _GOLDEN: body.golden}
            if body.negative_within_hours is not None:
                written[_NEGATIVE_WITHIN] = body.negative_within_hours
        case VoucherBody():
            written = {_NAME: body.name, _FACE: body.face_fen, _THRESHOLD: body.threshold_fen}
        case PlainBody():
            written = {_NAME: body.name}
    return written


def _read_plain(written: dict[Any, Any]) -> PlainBody:
    return PlainBody(name=_need(written, _NAME, str))


def _read_certificate(written: dict[Any, Any]) -> CertificateBody:
    valid_until = None
    if _VALID_UNTIL in written:
        day = _need_uint(written, _VALID_UNTIL)
        _must(day <= date.max.toordinal() - _DAY_0, "a day beyond the calendar")
        valid_until = date.fromordinal(_DAY_0 + day)
    return CertificateBody(
        type=_need(written, _CERTIFICATE_TYPE, str),
        name=_need(written, _NAME, str),
        valid_until=valid_until,
        status=_read_status(_need(written, _STATUS, list)) if _STATUS in written else None,
    )


def _read_status(written: list[Any]) -> StatusEntry:
    _must([type(item) for item in written] == [str, int], "status is [list, index]")
    _must(0 <= written[1] < _EXACT_IN_EVERY_LANGUAGE, "an index is out of range")
    return StatusEntry(list_uri=written[0], index=written[1])


def _read_health(written: dict[Any, Any]) -> HealthBody:
    colour = _need_uint(written, _COLOUR)
    _must(colour in _COLOURS, "a colour is 0 to 3")
    hours = _need_uint(written, _NEGATIVE_WITHIN) if _NEGATIVE_WITHIN in written else None
    _must(hours in (None, 24, 48, 72), "a test window is 24, 48 or 72 hours")
    return HealthBody(
        name=_need(written, _NAME, str),
        colour=Colour(colour),
        golden=_need(written, _GOLDEN, bool) if _GOLDEN in written else False,
        negative_within_hours=hours,
    )


def _read_voucher(written: dict[Any, Any]) -> VoucherBody:
    return VoucherBody(
        name=_need(written, _NAME, str),
        face_fen=_need_uint(written, _FACE),
        threshold_fen=_need_uint(written, _THRESHOLD),
    )


_COLOURS = frozenset(Colour)
_READERS: dict[int, Callable[[dict[Any, Any]], Body]] = {
    Kind.CERTIFICATE: _read_certificate,
    Kind.HEALTH: _read_health,
    Kind.VOUCHER: _read_voucher,
}


def _read_device_key(written: Any) -> DeviceKey:
    _must(type(written) is dict and type(written.get(_COSE_KEY)) is dict, "cnf holds a COSE_Key")
    key = written[_COSE_KEY]
    _must(_need(key, _KTY, int) == _EC2 and _need(key, _CURVE, int) == _P256, "a device key is on P-256")
    x = _need(key, _X, bytes)
    _must(len(x) == 32, "a P-256 coordinate has 32 bytes")
    return DeviceKey(x=x, y_is_odd=_need(key, _Y, bool))


def _need(written: dict[Any, Any], key: int, kind: type[_T]) -> _T:
    value = written.get(key)
    # `type(...) is`, because True is an int to isinstance and must not pass for a number.
    if type(value) is not kind:
        raise MalformedCode(f"{key} is missing or of the wrong type")
    return value


def _need_uint(written: dict[Any, Any], key: int) -> int:
    value = _need(written, key, int)
    if not 0 <= value < _EXACT_IN_EVERY_LANGUAGE:
        raise MalformedCode(f"{key} is out of range")
    return value


def _must(holds: bool, why: str) -> None:
    if not holds:
        raise MalformedCode(why)
