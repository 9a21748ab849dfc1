"""The signed envelope of a code and its text, in two forms.

Form a, signed by the server for each showing: a tagged COSE_Sign1. It lives a minute and is used once.
Form b, bound to a phone: `[capsule, t, signature]` or `[capsule, t, signature, challenge]`. The capsule
is a form-a object that names the phone's key and lives for hours; the phone proves every 30 s that it
holds that key, so showing asks nothing of the server. A capsule by itself is never a code: who has seen a
form-b code has seen its capsule.

`parse` tells what a text says and what was signed; whether any signature holds is for `offline` to find
out.

Source: schemas/codes/README.md §1; RFC 9052 §4.2, §4.4 (COSE_Sign1, Sig_structure).
"""

import re
from functools import lru_cache

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.codes import base45, cbor, claims
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.claims import Claims
from haiyiban.crypto import SigningKey
from haiyiban.signatures import ES256, SIGNATURE_BYTES, SM2, algorithm_of, raw_signature

PREFIX = "HYB1:"
MAX_TEXT = 1024
CHALLENGE_BYTES = 8

_COSE_SIGN1 = 0xD2
_ARRAY_OF_3, _ARRAY_OF_4 = 0x83, 0x84
_ALG, _KID = 1, 4
_KID_BYTES = 8
_TAGGED_ARRAY_OF_4 = bytes((_COSE_SIGN1, _ARRAY_OF_4))
_EMPTY_MAP = b"\xa0"
_SIGNATURE_HEAD = bytes((0x58, SIGNATURE_BYTES))
_SIG_STRUCTURE = b"\x84" + cbor.encode("Signature1")
_NO_EXTERNAL_AAD = cbor.encode(b"")
_HALF_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
_KNOWN_ALGORITHMS = (ES256.cose, SM2.cose)


class DeviceProof(msgspec.Struct, frozen=True):
    """What the phone adds to a capsule: the instant `t` (seconds since 1970) and its signature over both."""

    t: int
    signature: bytes
    challenge: bytes | None
    signed: bytes


class ParsedCode(msgspec.Struct, frozen=True):
    """A code that is well formed, its signatures not yet checked; `proof` is there in form b only."""

    claims: Claims
    alg: int
    kid: bytes
    signature: bytes
    signed: bytes
    proof: DeviceProof | None = None


def parse(text: str) -> ParsedCode:
    """Read a scanned text. Raises MalformedCode, and nothing else, when it is not a code."""
    if len(text) > MAX_TEXT:
        raise MalformedCode("over 1 KB")
    # Scanners end a line with CR or LF. A space is a Base45 character and stays.
    line = text.strip("\r\n")
    if not line.startswith(PREFIX):
        raise MalformedCode("not a code of this scheme")
    try:
        data = base45.decode(line[len(PREFIX) :])
    except ValueError as error:
        raise MalformedCode(str(error)) from None
    return parse_bytes(data)


def parse_bytes(data: bytes) -> ParsedCode:
    """Read the bytes of a code. Raises MalformedCode."""
    first = data[0] if data else None
    if first == _COSE_SIGN1:
        code = _parse_sign1(data)
        if code.claims.cnf is not None:
            raise MalformedCode("a capsule without its device's proof")
        return code
    if first in (_ARRAY_OF_3, _ARRAY_OF_4):
        return _parse_device_bound(data)
    raise MalformedCode("neither form of a code")


def parse_capsule(data: bytes, proof: DeviceProof | None = None) -> ParsedCode:
    """Read a capsule, as the phone received it, with what the phone added. Raises MalformedCode."""
    code = _parse_sign1(data, proof)
    if code.claims.cnf is None:
        raise MalformedCode("a capsule that names no device key")
    return code


# The two forms as every issuer and phone of this version writes them: one look of a compiled expression
# instead of a step for each item. What stands otherwise is read step by step, to the same end.
_SIGN1_AS_WRITTEN = re.compile(
    rb"(?s)\xd2\x84(\x4d\xa2\x01\x26\x04\x48(.{8}))\xa0(\x58([\x18-\xff])(.*))\x58\x40(.{64})"
)
_DEVICE_BOUND_AS_WRITTEN = re.compile(
    rb"(?s)(?:\x83|(\x84))(?:\x58([\x18-\xff])|\x59([\x01-\x03].))(.*)"
    rb"\x1a((?!\0\0).{4})\x58\x40(.{64})(?(1)\x48(.{8}))"
)


def _parse_sign1(data: bytes, proof: DeviceProof | None = None) -> ParsedCode:
    found = _SIGN1_AS_WRITTEN.fullmatch(data)
    if found is None:
        return _parse_sign1_in_steps(data, proof)
    protected, kid, written_payload, size, payload, signature = found.groups()
    if len(payload) != size[0]:
        return _parse_sign1_in_steps(data, proof)
    return ParsedCode(
        claims=claims.from_payload(payload),
        alg=ES256.cose,
        kid=kid,
        signature=signature,
        signed=_sig_structure(protected, written_payload),
        proof=proof,
    )


def _parse_sign1_in_steps(data: bytes, proof: DeviceProof | None = None) -> ParsedCode:
    if data[:1] != bytes((_COSE_SIGN1,)):
        raise MalformedCode("not a COSE_Sign1")
    match cbor.decode(data[1:]):
        case [bytes() as protected, dict() as unprotected, bytes() as payload, bytes() as signature]:
            pass
        case _:
            raise MalformedCode("not a COSE_Sign1")
    alg, kid = _parse_protected(protected)
    if unprotected:
        raise MalformedCode("the unprotected header is empty")
    if alg in _KNOWN_ALGORITHMS and len(signature) != SIGNATURE_BYTES:
        raise MalformedCode("a signature of ES256 or SM2 has 64 bytes")
    return ParsedCode(
        claims=claims.from_payload(payload),
        alg=alg,
        kid=kid,
        signature=signature,
        signed=_sig_structure(cbor.byte_string(protected), cbor.byte_string(payload)),
        proof=proof,
    )


@lru_cache(maxsize=256)  # a deployment signs with a few keys, and their headers are always the same bytes
def _parse_protected(protected: bytes) -> tuple[int, bytes]:
    header = cbor.decode(protected)
    if type(header) is not dict or len(header) != 2:
        raise MalformedCode("the protected header holds alg and kid")
    alg, kid = header.get(_ALG), header.get(_KID)
    if type(alg) is not int or type(kid) is not bytes or len(kid) != _KID_BYTES:
        raise MalformedCode("the protected header holds alg and kid")
    return alg, kid


def _parse_device_bound(data: bytes) -> ParsedCode:
    capsule, t, signature, challenge = _parts_of_device_bound(data)
    proof = DeviceProof(
        t=t,
        signature=signature,
        challenge=challenge,
        signed=device_message(capsule, t, challenge=challenge),
    )
    return parse_capsule(capsule, proof)


def _parts_of_device_bound(data: bytes) -> tuple[bytes, int, bytes, bytes | None]:
    found = _DEVICE_BOUND_AS_WRITTEN.fullmatch(data)
    if found is not None and len(data) <= cbor.MAX_BYTES:
        _, short, long, capsule, t, signature, challenge = found.groups()
        if len(capsule) == int.from_bytes(short or long):
            return capsule, int.from_bytes(t), signature, challenge
    return _parts_in_steps(data)


def _parts_in_steps(data: bytes) -> tuple[bytes, int, bytes, bytes | None]:
    match cbor.decode(data):
        case [bytes() as capsule, t, bytes() as signature, *rest] if type(t) is int and 0 <= t < 1 << 53:
            pass
        case _:
            raise MalformedCode("not a device-bound code")
    challenge = rest[0] if rest else None
    if challenge is not None and (type(challenge) is not bytes or len(challenge) != CHALLENGE_BYTES):
        raise MalformedCode("a challenge has 8 bytes")
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedCode("a device signature has 64 bytes")
    return capsule, t, signature, challenge


def sign_form_a(said: Claims, key: SigningKey) -> str:
    """The text of a code signed by the server, claims as given. Raises ValueError for a capsule's."""
    if said.cnf is not None:
        raise ValueError("claims that name a device key go into a capsule")
    return to_text(sign_payload(claims.to_payload(said), key))


def sign_capsule(said: Claims, key: SigningKey) -> bytes:
    """The capsule that a phone keeps and adds its proofs to. Raises ValueError without a device key."""
    if said.cnf is None:
        raise ValueError("a capsule names its device key")
    return sign_payload(claims.to_payload(said), key)


def sign_payload(payload: bytes, key: SigningKey) -> bytes:
    """The COSE_Sign1 over encoded claims."""
    protected = _protected(algorithm_of(key.private).cose, key.kid)
    written_payload = cbor.byte_string(payload)
    signature = raw_signature(key.private, _sig_structure(protected, written_payload))
    return b"".join((_TAGGED_ARRAY_OF_4, protected, _EMPTY_MAP, written_payload, _SIGNATURE_HEAD, signature))


@lru_cache(maxsize=16)
def _protected(alg: int, kid: str) -> bytes:
    return cbor.byte_string(cbor.encode({_ALG: alg, _KID: bytes.fromhex(kid)}))


def sign_form_b(
    capsule: bytes, device: ec.EllipticCurvePrivateKey, *, t: int, challenge: bytes | None = None
) -> str:
    """The text that a phone shows at second `t`, over the verifier's challenge when it gave one."""
    signature = raw_signature(device, device_message(capsule, t, challenge=challenge))
    if not is_low_s(signature):
        signature = signature[:32] + (2 * _HALF_ORDER + 1 - int.from_bytes(signature[32:])).to_bytes(32)
    parts = [capsule, t, signature] if challenge is None else [capsule, t, signature, challenge]
    return to_text(cbor.encode(parts))


def device_message(capsule: bytes, t: int, *, challenge: bytes | None) -> bytes:
    """What the phone signs: it binds the proof to this capsule, this instant and this verifier."""
    return b"".join(
        (b"HYB1-DEVICE", len(capsule).to_bytes(4), capsule, t.to_bytes(8), challenge or b""),
    )


def to_text(data: bytes) -> str:
    """The text in the QR."""
    return PREFIX + base45.encode(data)


def is_low_s(signature: bytes) -> bool:
    """Whether a raw signature is the one of its two twins that device proofs must use."""
    return int.from_bytes(signature[32:]) <= _HALF_ORDER


def _sig_structure(written_protected: bytes, written_payload: bytes) -> bytes:
    return b"".join((_SIG_STRUCTURE, written_protected, _NO_EXTERNAL_AAD, written_payload))
