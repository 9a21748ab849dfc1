from collections.abc import Callable
from functools import partial
from typing import Any

import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.codes import base45, cbor, envelope
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.claims import (
    Claims,
    DeviceKey,
    Kind,
    PlainBody,
    from_map,
    from_payload,
    to_map,
    to_payload,
)
from haiyiban.codes.drawing import qr_matrix, qr_version
from haiyiban.codes.envelope import (
    PREFIX,
    is_low_s,
    parse,
    parse_capsule,
    sign_capsule,
    sign_form_a,
    sign_form_b,
    sign_payload,
    to_text,
)
from haiyiban.codes.vectors.cast import CHALLENGE, DEVICE, IAT, ISSUER, capsule_of, claims_of
from haiyiban.signatures import signature_holds


def data_of(text: str) -> bytes:
    return base45.decode(text[len(PREFIX) :])


@pytest.mark.parametrize("kind", [*Kind, 16])
def test_what_is_signed_is_read(kind: int) -> None:
    said = claims_of(kind, "read")
    code = parse(sign_form_a(said, ISSUER))
    assert code.claims == said
    assert code.proof is None
    assert code.kid.hex() == ISSUER.kid
    assert signature_holds(ISSUER.public, code.signature, code.signed)


@pytest.mark.parametrize("kind", [*Kind, 16])
@pytest.mark.parametrize("device", [None, DeviceKey.of(DEVICE.public_key())])
def test_claims_are_written_in_deterministic_order(kind: int, device: DeviceKey | None) -> None:
    said = msgspec.structs.replace(claims_of(kind, "order"), cnf=device)
    assert to_payload(said) == cbor.encode(to_map(said))


def test_a_form_a_code_is_a_cose_sign1_to_another_library() -> None:
    decoded = cbor2.loads(data_of(sign_form_a(claims_of(1, "other"), ISSUER)))
    assert decoded.tag == 18
    protected, unprotected, payload, signature = decoded.value
    assert cbor2.loads(protected) == {1: -7, 4: bytes.fromhex(ISSUER.kid)}
    assert unprotected == {}
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    ISSUER.public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("challenge", [None, CHALLENGE])
def test_a_device_bound_code_carries_its_capsule_and_its_proof(challenge: bytes | None) -> None:
    capsule = capsule_of(Kind.HEALTH, "bound")
    code = parse(sign_form_b(capsule, DEVICE, t=IAT, challenge=challenge))
    assert code.proof is not None
    assert (code.proof.t, code.proof.challenge) == (IAT, challenge)
    assert msgspec.structs.replace(code, proof=None) == parse_capsule(capsule)
    signed = b"HYB1-DEVICE" + len(capsule).to_bytes(4) + capsule + IAT.to_bytes(8) + (challenge or b"")
    assert code.proof.signed == signed
    assert signature_holds(DEVICE.public_key(), code.proof.signature, signed)


def test_every_device_proof_is_low_s() -> None:
    capsule = capsule_of(Kind.IDENTITY, "low")
    for t in range(IAT, IAT + 40):
        proof = parse(sign_form_b(capsule, DEVICE, t=t)).proof
        assert proof is not None
        assert is_low_s(proof.signature)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_code_is_small_enough_for_a_cheap_scanner(kind: Kind) -> None:
    form_a = sign_form_a(claims_of(kind, "size"), ISSUER)
    form_b = sign_form_b(capsule_of(kind, "size"), DEVICE, t=IAT, challenge=CHALLENGE)
    assert len(data_of(form_a)) <= 204
    assert qr_version(qr_matrix(form_a)) <= 10
    assert len(data_of(form_b)) <= 330
    assert qr_version(qr_matrix(form_b)) <= 14


def test_claims_with_a_device_key_are_never_a_code_by_themselves() -> None:
    bound = claims_of(1, "bound", cnf=DeviceKey.of(DEVICE.public_key()))
    with pytest.raises(ValueError, match="capsule"):
        sign_form_a(bound, ISSUER)
    with pytest.raises(ValueError, match="device key"):
        sign_capsule(claims_of(1, "unbound"), ISSUER)
    with pytest.raises(MalformedCode):
        parse(to_text(sign_payload(cbor.encode(to_map(bound)), ISSUER)))


def test_a_device_key_comes_back_and_another_curve_is_refused() -> None:
    for private in (DEVICE, ISSUER.private, *(ec.generate_private_key(ec.SECP256R1()) for _ in range(8))):
        public = private.public_key()
        assert DeviceKey.of(public).public() == public
    with pytest.raises(ValueError, match="P-256"):
        DeviceKey.of(ec.generate_private_key(ec.SECP384R1()).public_key())


@pytest.mark.parametrize("leading_zeros", [0, 1, 2, 32])
def test_a_raw_signature_with_leading_zeros_is_judged_and_not_fatal(leading_zeros: int) -> None:
    code = parse(sign_form_a(claims_of(1, "zeros"), ISSUER))
    spoilt = bytes(leading_zeros) + code.signature[leading_zeros:]
    assert signature_holds(ISSUER.public, spoilt, code.signed) == (spoilt == code.signature)


def test_signatures_whose_numbers_are_short_hold() -> None:
    short = 0
    for number in range(600):
        code = parse(sign_form_a(claims_of(2, f"short {number}"), ISSUER))
        if 0 in (code.signature[0], code.signature[32]):
            short += 1
            assert signature_holds(ISSUER.public, code.signature, code.signed)
    assert short > 0


def read(text: str) -> None:
    try:
        parse(text)
    except MalformedCode:
        return


@given(st.text())
def test_any_text_is_a_code_or_malformed(text: str) -> None:
    read(text)
    read(PREFIX + text)


@given(st.text(alphabet=base45.ALPHABET.decode()))
def test_any_base45_text_is_a_code_or_malformed(text: str) -> None:
    read(PREFIX + text)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xd2", b"\xd2\x84", b"\x83", b"\x84"]))
def test_any_bytes_are_a_code_or_malformed(data: bytes, start: bytes) -> None:
    read(to_text(start + data))


GOOD = [data_of(sign_form_a(claims_of(kind, "fuzz"), ISSUER)) for kind in Kind] + [
    data_of(sign_form_b(capsule_of(kind, "fuzz"), DEVICE, t=IAT, challenge=CHALLENGE)) for kind in Kind
]


@given(st.sampled_from(GOOD), st.data())
def test_a_damaged_code_is_a_code_or_malformed(good: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 8)))
    read(to_text(good[:start] + data.draw(st.binary(max_size=8)) + good[end:]))


json_like = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.booleans() | st.binary(max_size=40) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers(-3, 21), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.sampled_from(list(Kind)),
    st.dictionaries(st.sampled_from([1, 4, 6, 7, 8, -70001, -70002]), json_like, max_size=3),
    st.dictionaries(st.sampled_from([1, 2, 3, 4, 10, 11, 12, 20, 21]), json_like, max_size=3),
)
def test_claims_of_any_types_are_a_code_or_malformed(
    kind: Kind, changes: dict[int, Any], body: dict[int, Any]
) -> None:
    said = to_map(claims_of(kind, "types"))
    said[-70002] |= body
    payload = cbor.encode(said | changes)
    read(to_text(sign_payload(payload, ISSUER)))
    read(sign_form_b(sign_payload(payload, ISSUER), DEVICE, t=IAT))


def in_steps(payload: bytes) -> Claims:
    return from_map(cbor.decode(payload))


def outcome_of(read: Callable[[], Any]) -> Any:
    """What a reader makes of its bytes; None where it refuses it."""
    try:
        return read()
    except MalformedCode:
        return None


PAYLOADS = [cbor.encode(to_map(claims_of(kind, "twice"))) for kind in (*Kind, 16, 23, 24)] + [
    cbor.encode(
        to_map(msgspec.structs.replace(claims_of(kind, "twice"), cnf=DeviceKey.of(DEVICE.public_key())))
    )
    for kind in Kind
]


@given(st.sampled_from(PAYLOADS), st.data())
def test_claims_read_in_one_look_are_those_read_step_by_step(good: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 3)))
    for payload in (good, good[:start] + data.draw(st.binary(max_size=3)) + good[end:]):
        assert outcome_of(partial(from_payload, payload)) == outcome_of(partial(in_steps, payload))


CAPSULES = [capsule_of(kind, "twice", cnf=DeviceKey.of(DEVICE.public_key())) for kind in Kind]
CODES_AS_BYTES = [base45.decode(sign_form_a(claims_of(kind, "twice"), ISSUER)[5:]) for kind in Kind] + [
    base45.decode(sign_form_b(capsule, DEVICE, t=IAT, challenge=challenge)[5:])
    for capsule in CAPSULES
    for challenge in (None, b"12345678")
]


@given(st.sampled_from([*CODES_AS_BYTES, *CAPSULES]), st.data())
def test_a_code_read_in_one_look_is_the_one_read_step_by_step(good: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 3)))
    for code in (good, good[:start] + data.draw(st.binary(max_size=3)) + good[end:]):
        for look, steps in (
            (envelope._parse_sign1, envelope._parse_sign1_in_steps),
            (envelope._parts_of_device_bound, envelope._parts_in_steps),
        ):
            assert outcome_of(partial(look, code)) == outcome_of(partial(steps, code))


def test_a_body_in_a_usual_payload_nests_no_deeper_than_in_any_other() -> None:
    said = to_map(claims_of(16, "deep"))
    for depth in range(8):
        nested: Any = 1
        for _ in range(depth):
            nested = [nested]
        payload = cbor.encode(said | {-70002: said[-70002] | {99: nested}})
        assert outcome_of(partial(from_payload, payload)) == outcome_of(partial(in_steps, payload))


def test_a_masked_name_of_any_script_comes_back() -> None:
    for name in ("䶮*", "𠅤*", "阿依古丽·**", "O'*"):
        code = parse(sign_form_a(claims_of(2, "names", body=PlainBody(name=name)), ISSUER))
        assert code.claims.body.name == name
