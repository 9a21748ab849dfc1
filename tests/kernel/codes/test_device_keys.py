"""What a phone sends to be bound: anything but a public P-256 JWK and a raw signature is refused in words."""

from __future__ import annotations

import contextlib
import json
import re
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from haiyiban import resources
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.claims import DeviceKey
from haiyiban.codes.device_keys import (
    DeviceKeyIncomplete,
    DeviceKeyMalformed,
    DeviceProofMalformed,
    read,
    read_key,
    read_proof,
)
from haiyiban.codes.envelope import parse_bytes, parse_capsule
from haiyiban.codes.vectors.cast import DEVICE
from tests.phone import base64url, jwk, raw, unbase64url

# Fixed, for every process of a run must name its tests alike.
KEY = ec.derive_private_key(460000, ec.SECP256R1())
GOOD = jwk(KEY)
OTHER_CURVE = ec.derive_private_key(460000, ec.SECP384R1()).public_key().public_numbers()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_a_key_as_webcrypto_exports_it_is_read() -> None:
    assert read_key(GOOD).public_numbers() == KEY.public_key().public_numbers()
    bare = {member: GOOD[member] for member in ("kty", "crv", "x", "y")}
    assert read_key(bare).public_numbers() == KEY.public_key().public_numbers()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kty": "RSA"},
        {"kty": "OKP", "crv": "Ed25519"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"x": GOOD["y"], "y": GOOD["x"]},
        {"x": base64url(OTHER_CURVE.x.to_bytes(48))},
        {"x": GOOD["x"] + "A"},
        {"x": base64url(b"\xff" * 32)},
        {"x": base64url(b"\x00" * 32), "y": base64url(b"\x00" * 32)},
        {"y": "not base64url!"},
        {"y": "你好"},
        {"y": 17},
        {"y": None},
    ],
    ids=str,
)
def test_what_is_no_public_key_on_p256_is_malformed(wrong: dict[str, object]) -> None:
    with pytest.raises(DeviceKeyMalformed) as refused:
        read_key(GOOD | wrong)
    assert refused.value.errors[0].pointer == "/deviceKey"


def test_a_private_key_is_refused_with_the_advice_to_make_another() -> None:
    private = GOOD | {"d": base64url(KEY.private_numbers().private_value.to_bytes(32))}
    with pytest.raises(DeviceKeyMalformed) as refused:
        read_key(private)
    assert "私钥" in refused.value.errors[0].message.zh
    assert "new pair" in refused.value.errors[0].message.en


def test_a_signature_in_der_is_malformed_and_told_so() -> None:
    der = KEY.sign(b"anything", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(DeviceProofMalformed) as refused:
        read_proof(base64url(der))
    assert "DER" in refused.value.errors[0].message.zh
    assert refused.value.errors[0].pointer == "/deviceProof"


def test_key_and_proof_come_together_or_not_at_all() -> None:
    proof = base64url(raw(KEY, b"anything"))
    assert read(None, None) is None
    for given_, missing in (((None, proof), "/deviceKey"), ((GOOD, None), "/deviceProof")):
        with pytest.raises(DeviceKeyIncomplete) as refused:
            read(*given_)
        assert refused.value.errors[0].pointer == missing


def test_a_proof_is_for_one_account_and_one_nonce() -> None:
    account, nonce = uuid4(), b"n" * 16
    binding = read(GOOD, base64url(raw(KEY, b"HYB1-BIND" + account.bytes + nonce)))
    assert binding is not None
    assert binding.proves(account, nonce)
    assert not binding.proves(uuid4(), nonce)
    assert not binding.proves(account, b"m" * 16)


@pytest.mark.parametrize("low", [True, False])
def test_browsers_do_not_choose_the_low_s_so_both_twins_bind(low: bool) -> None:
    account, nonce = uuid4(), b"n" * 16
    signature = raw(KEY, b"HYB1-BIND" + account.bytes + nonce, low=low)
    binding = read(GOOD, base64url(signature))
    assert binding is not None
    assert binding.proves(account, nonce)


def test_the_example_for_phone_makers_holds() -> None:
    """What schemas/codes/README.md prints is what this server takes."""
    printed = (resources.schemas() / "codes" / "README.md").read_text()
    key = json.loads(re.search(r'\{"kty": "EC".*?\}', printed)[0])
    proof = re.search(r"one good proof\n`(\S+)`", printed)[1]
    account = UUID(re.search(r"account `(\S+)`", printed)[1])
    nonce = unbase64url(re.search(r"nonce\n`(\S+)`", printed)[1])
    signed = bytes.fromhex(re.search(r"`([0-9a-f]{82})`", printed)[1])
    assert signed == b"HYB1-BIND" + account.bytes + nonce
    assert DeviceKey.of(read_key(key)) == DeviceKey.of(DEVICE.public_key())
    binding = read(key, proof)
    assert binding is not None
    assert binding.proves(account, nonce)


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d", "n"]) | st.text(), ANYTHING))
def test_any_object_is_a_key_or_malformed(jwk_: dict[str, object]) -> None:
    with pytest.raises(DeviceKeyMalformed):
        read_key(jwk_)


@given(x=st.binary(max_size=40), y=st.binary(max_size=40))
def test_any_coordinates_are_a_key_or_malformed(x: bytes, y: bytes) -> None:
    with contextlib.suppress(DeviceKeyMalformed):
        read_key({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)})


@given(st.text() | st.binary(max_size=80).map(base64url))
def test_any_text_is_a_proof_of_64_bytes_or_malformed(text: str) -> None:
    with contextlib.suppress(DeviceProofMalformed):
        assert len(read_proof(text)) == 64


@given(signature=st.binary(min_size=64, max_size=64), nonce=st.binary(min_size=16, max_size=16))
def test_any_64_bytes_that_the_phone_did_not_sign_prove_nothing(signature: bytes, nonce: bytes) -> None:
    binding = read(GOOD, base64url(signature))
    assert binding is not None
    assert not binding.proves(uuid4(), nonce)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_code_or_malformed(data: bytes) -> None:
    for reader, start in (
        (parse_bytes, b""),
        (parse_bytes, b"\x83"),
        (parse_bytes, b"\x84"),
        (parse_capsule, b"\xd2"),
    ):
        with pytest.raises(MalformedCode):
            reader(start + data)
