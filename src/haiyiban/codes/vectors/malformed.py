"""Texts that are not codes, each spoilt in one way; signatures hold but where the header itself is spoilt."""

from typing import Any

from haiyiban.codes import base45, cbor
from haiyiban.codes.claims import Kind, to_map
from haiyiban.codes.envelope import PREFIX, sign_form_a, sign_form_b, sign_payload, to_text
from haiyiban.codes.vectors.cast import DEVICE, IAT, ISSUER, Case, capsule_of, case, claims_of
from haiyiban.codes.vectors.good import text_with_two_spaces

_ISS, _EXP, _IAT, _CTI, _CNF, _KIND, _BODY = 1, 4, 6, 7, 8, -70001, -70002


def cases() -> list[Case]:
    """All of them."""
    return [*_texts(), *_envelopes(), *_encodings(), *_claims(), *_device_bound()]


def _said(name: str, kind: int = Kind.CERTIFICATE) -> dict[Any, Any]:
    return dict(to_map(claims_of(kind, name)))


def _signed(payload: bytes) -> str:
    return to_text(sign_payload(payload, ISSUER))


def _texts() -> list[Case]:
    text = sign_form_a(claims_of(Kind.CERTIFICATE, "texts"), ISSUER)
    body = text[len(PREFIX) :]
    return [
        case("nothing", ""),
        case("the prefix alone", PREFIX),
        case("an address", "https://hyb.example/"),
        case("another scheme", "HC1:" + body),
        case("no prefix", body),
        case("a prefix in small letters", "hyb1:" + body),
        case("Base45 in small letters", PREFIX + body.lower()),
        case("a space before it", " " + text),
        case("a space after it", text + " "),
        case("one of two spaces lost", text_with_two_spaces().replace("  ", " ")),
        case("a line end inside", text[:100] + "\n" + text[100:]),
        case("cut off in the middle", text[: len(text) // 2]),
        case("a character less", text[:-1]),
        case("a group that stands for no two bytes", PREFIX + ":::" + body[3:]),
        case("a last group that stands for no byte", PREFIX + body[: len(body) // 3 * 3] + "::"),
        case("a full-width digit", text[:-1] + "\uff11"),
        case("over 1 KB", PREFIX + "0" * 1020),
    ]


def _envelopes() -> list[Case]:
    said = claims_of(Kind.CERTIFICATE, "envelopes")
    data = base45.decode(sign_form_a(said, ISSUER)[len(PREFIX) :])
    protected, _, payload, signature = cbor.decode(data[1:])

    def sign1(*parts: Any) -> str:
        return to_text(b"\xd2" + cbor.encode(list(parts)))

    short_kid = cbor.encode({1: -7, 4: bytes.fromhex(ISSUER.kid)[:7]})
    with_type = cbor.encode({1: -7, 3: 60, 4: bytes.fromhex(ISSUER.kid)})
    return [
        case("without its tag", to_text(data[1:])),
        case("with the tag of COSE_Mac0", to_text(b"\xd1" + data[1:])),
        case("tagged twice", to_text(b"\xd2" + data)),
        case("the tag spelt long", to_text(b"\xd8\x12" + data[1:])),
        case("a byte after the end", to_text(data + b"\x00")),
        case("three parts", sign1(protected, {}, payload)),
        case("five parts", sign1(protected, {}, payload, signature, b"")),
        case("something in the unprotected header", sign1(protected, {4: b"12345678"}, payload, signature)),
        case("a payload that is a map", sign1(protected, {}, cbor.decode(payload), signature)),
        case("a kid of 7 bytes", sign1(short_kid, {}, payload, signature)),
        case("a header too many", sign1(with_type, {}, payload, signature)),
        case("no header", sign1(b"", {}, payload, signature)),
        case("a signature of 63 bytes", sign1(protected, {}, payload, signature[:63])),
        case(
            "a signature in DER", sign1(protected, {}, payload, b"\x30\x44\x02\x20" + signature + b"\x02\x20")
        ),
    ]


def _encodings() -> list[Case]:
    plain = cbor.encode(_said("encodings"))

    def with_unknown_claim(encoded: bytes) -> str:
        # Claim 9 comes after claim 7 and before the negative ones; the map has one entry more.
        at = plain.index(b"\x3a\x00\x01\x11\x70")
        return _signed(bytes((plain[0] + 1,)) + plain[1:at] + b"\x09" + encoded + plain[at:])

    nested = b"\x81" * 6 + b"\x00"
    iat = cbor.encode(IAT)
    return [
        case("an unknown claim nested 7 deep", with_unknown_claim(nested)),
        case("a float", with_unknown_claim(b"\xf9\x3c\x00")),
        case("null", with_unknown_claim(b"\xf6")),
        case("undefined", with_unknown_claim(b"\xf7")),
        case("a simple value", with_unknown_claim(b"\xf0")),
        case("a tag", with_unknown_claim(b"\xc1\x00")),
        case("a big number", with_unknown_claim(b"\xc2\x49\x01" + bytes(8))),
        case(
            "a big float that would fill the memory", with_unknown_claim(b"\xc5\x82\x1a\x7f\xff\xff\xff\x01")
        ),
        case("a shared reference", with_unknown_claim(b"\xd8\x1c\x81\xd8\x1d\x00")),
        case("an array without a length", with_unknown_claim(b"\x9f\xff")),
        case("a text without a length", with_unknown_claim(b"\x7f\x61a\xff")),
        case("an array longer than the code", with_unknown_claim(b"\x9b" + b"\xff" * 8)),
        case("a text that is not UTF-8", with_unknown_claim(b"\x62\xc3\x28")),
        case("a number spelt long", with_unknown_claim(b"\x18\x17")),
        case("iat spelt long", _signed(plain.replace(iat, b"\x1b" + bytes(4) + iat[1:]))),
        case("a key spelt long", _signed(plain.replace(b"\x06" + iat, b"\x18\x06" + iat))),
        case("a key twice", with_unknown_claim(b"\xa2\x01\x00\x01\x00")),
        case("a true key", with_unknown_claim(b"\xa1\xf5\x00")),
        case("keys out of order", with_unknown_claim(b"\xa2\x02\x00\x01\x00")),
        case("keys in the order of length", with_unknown_claim(b"\xa2\x20\x00\x18\x64\x00")),
        case("a payload with a byte after its end", _signed(plain + b"\x00")),
        case("a payload that is an array", _signed(b"\x80")),
        case("an empty payload", _signed(b"")),
    ]


def _claims() -> list[Case]:
    return [
        *[case(f"without {name}", _without(key)) for name, key in _NAMES.items()],
        _spoilt("a 7-digit issuer", {_ISS: "4600000"}),
        _spoilt("an issuer that is a number", {_ISS: 460000}),
        _spoilt("a cti of 15 bytes", {_CTI: bytes(15)}),
        _spoilt("a cti that is a text", {_CTI: "0123456789abcdef"}),
        _spoilt("exp that is a text", {_EXP: "2026-09-01"}),
        _spoilt("exp below zero", {_EXP: -1}),
        _spoilt("exp beyond 2^53", {_EXP: 1 << 53}),
        _spoilt("iat that is true", {_IAT: True}),
        _spoilt("kind that is true", {_KIND: True}),
        _spoilt("a body that is an array", {_BODY: []}),
        _spoilt("no masked name", {_BODY: {1: "admission-notice"}}),
        _spoilt("a name that is bytes", {_BODY: {1: "admission-notice", 2: "王*".encode()}}),
        _spoilt("no certificate type", {_BODY: {2: "王*"}}),
        _spoilt("a day beyond the calendar", {_BODY: {1: "a", 2: "王*", 3: 10_000_000}}),
        _spoilt("a status that is not [list, index]", {_BODY: {1: "a", 2: "王*", 4: ["x"]}}),
        _spoilt("no colour", {_BODY: {2: "王*", 11: True}}, Kind.HEALTH),
        _spoilt("colour 4", {_BODY: {2: "王*", 10: 4}}, Kind.HEALTH),
        _spoilt("golden that is 1", {_BODY: {2: "王*", 10: 0, 11: 1}}, Kind.HEALTH),
        _spoilt("a test within 36 hours", {_BODY: {2: "王*", 10: 0, 12: 36}}, Kind.HEALTH),
        _spoilt("no face value", {_BODY: {2: "王*", 21: 0}}, Kind.VOUCHER),
        _spoilt("a threshold below zero", {_BODY: {2: "王*", 20: 1, 21: -1}}, Kind.VOUCHER),
    ]


_NAMES = {"iss": _ISS, "exp": _EXP, "iat": _IAT, "cti": _CTI, "kind": _KIND, "body": _BODY}


def _without(key: int) -> str:
    said = _said("without")
    del said[key]
    return _signed(cbor.encode(said))


def _spoilt(name: str, changes: dict[int, Any], kind: int = Kind.CERTIFICATE) -> Case:
    return case(name, _signed(cbor.encode(_said(name, kind) | changes)))


def _device_bound() -> list[Case]:
    capsule = capsule_of(Kind.CERTIFICATE, "device-bound")
    good = sign_form_b(capsule, DEVICE, t=IAT)
    _, _, proof = cbor.decode(base45.decode(good[len(PREFIX) :]))

    def with_cnf(name: str, cnf: Any) -> Case:
        payload = cbor.encode(_said(name) | {_CNF: cnf})
        return case(name, sign_form_b(sign_payload(payload, ISSUER), DEVICE, t=IAT))

    def parts(*items: Any) -> str:
        return to_text(cbor.encode(list(items)))

    x = bytes(31) + b"\x05"
    unbound = sign_payload(cbor.encode(_said("unbound")), ISSUER)
    return [
        case("a capsule shown without a proof", to_text(capsule)),
        case("a capsule that names no device", sign_form_b(unbound, DEVICE, t=IAT)),
        case("two parts", parts(capsule, IAT)),
        case("five parts, form b", parts(capsule, IAT, proof, bytes(8), 0)),
        case("t below zero", parts(capsule, -1, proof)),
        case("t that is a text", parts(capsule, "now", proof)),
        case("a proof of 63 bytes", parts(capsule, IAT, proof[:63])),
        case("a challenge of 7 bytes", sign_form_b(capsule, DEVICE, t=IAT, challenge=bytes(7))),
        case("an empty challenge", sign_form_b(capsule, DEVICE, t=IAT, challenge=b"")),
        case("a capsule cut off", sign_form_b(capsule[:-1], DEVICE, t=IAT)),
        case("a form-b code inside a form-b code", sign_form_b(base45.decode(good[5:]), DEVICE, t=IAT)),
        with_cnf("cnf that is empty", {}),
        with_cnf("a device key on another curve", {1: {1: 2, -1: 2, -2: x, -3: True}}),
        with_cnf("a device key with y as bytes", {1: {1: 2, -1: 1, -2: x, -3: x}}),
        with_cnf("a device key with a short x", {1: {1: 2, -1: 1, -2: x[1:], -3: True}}),
    ]
