"""SM2, SM3 and SM4 against the values that the standards print, and against OpenSSL and a second hand."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from haiyiban import sm
from haiyiban.codes import jws
from haiyiban.codes.vectors.by_hand import KeyOfWords
from haiyiban.signatures import kid_of, private_key_of, private_pem, public_jwk, public_key_of
from haiyiban.sm import Sm2PrivateKey, Sm2PublicKey, Sm4Gcm, der_of, raw_of

PUBLIC = Sm2PublicKey(
    bytes.fromhex(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )
)
SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def test_the_signature_that_the_standard_prints_holds() -> None:
    """GB/T 32918.5-2017, Annex A.2."""
    digest = "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    assert PUBLIC.digest(b"message digest").hex() == digest
    assert PUBLIC.holds(SIGNATURE, b"message digest")
    assert not PUBLIC.holds(SIGNATURE, b"message digesT")
    assert not PUBLIC.holds(SIGNATURE[32:] + SIGNATURE[:32], b"message digest")


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
        (b"460105199003070017", "4d5e1624b2392bfb930c08fde8ceed927cd86f1a465fb2f18b0c6db6ca655a54"),
    ],
)
def test_sm3_as_printed(message: bytes, digest: str) -> None:
    """GB/T 32905-2016, Annex A; docs/domain.md §13."""
    assert sm.sm3(message).hex() == digest


def test_hmac_sm3_as_openssl_reckons_it() -> None:
    """docs/domain.md §13."""
    code = "69a3b201e72a0bd6079477ae9c278fb86a42ef1d4a91eb38c8d4739b990dbed8"
    assert sm.hmac_sm3(b"testkey01", b"460105199003070017").hex() == code


def test_sm4_in_gcm_as_printed() -> None:
    """RFC 8998, Appendix A.1."""
    cipher = Sm4Gcm(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    nonce, also = (
        bytes.fromhex("00001234567800000000abcd"),
        bytes.fromhex("feedfacedeadbeef" * 2 + "abaddad2"),
    )
    plain = b"".join(bytes([value]) * 8 for value in b"\xaa\xbb\xcc\xdd\xee\xff\xee\xaa")
    told = (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert cipher.encrypt(nonce, plain, also).hex() == told
    assert cipher.decrypt(nonce, bytes.fromhex(told), also) == plain
    assert cipher.decrypt(nonce, cipher.encrypt(nonce, b"", also), also) == b""
    for spoilt in (b"", bytes(15), bytes.fromhex(told)[:-1] + b"\0", b"\0" + bytes.fromhex(told)[1:]):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, spoilt, also)
    with pytest.raises(InvalidTag):
        cipher.decrypt(nonce, bytes.fromhex(told), b"another row")


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=8))
def test_the_library_and_the_standard_written_out_agree(message: bytes, words: str) -> None:
    key = KeyOfWords.of(words)
    assert key.public_key().holds(key.sign(message), message)
    by_library = Sm2PrivateKey(key.secret, key.point)
    signature = by_library.sign(message)
    assert key.public_key().holds(signature, message)
    assert not key.public_key().holds(signature, message + b"\0")
    assert raw_of(der_of(signature)) == signature
    assert sm.sm3(message) == hashlib.new("sm3", message).digest()


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.binary(min_size=64, max_size=64)))
def test_no_bytes_are_taken_for_a_signature(signature: bytes) -> None:
    assert not PUBLIC.holds(signature, b"message digest")
    try:
        raw = raw_of(signature)
    except ValueError:
        return
    assert not PUBLIC.holds(raw, b"message digest")


@pytest.mark.parametrize(
    "point",
    [b"", bytes(64), PUBLIC.point[:-1], PUBLIC.point[:-1] + b"\0", b"\xff" * 64, b"\4" + PUBLIC.point],
)
def test_what_is_no_point_of_the_curve_is_no_key(point: bytes) -> None:
    with pytest.raises(ValueError, match="not a public key of SM2"):
        Sm2PublicKey(point)


def test_a_key_is_kept_and_published_and_read_again() -> None:
    made = Sm2PrivateKey.generate()
    assert private_key_of(private_pem(made)) == made
    jwk = public_jwk(made.public_key())
    assert jwk["crv"] == "SM2"
    assert public_key_of(jwk) == made.public_key()
    assert Sm2PublicKey.from_spki(made.public_key().spki) == made.public_key()
    assert len(kid_of(made.public_key())) == 16
    for spoilt in ({**jwk, "x": jwk["y"]}, {**jwk, "x": 7}, {"kty": "EC", "crv": "SM2"}, {**jwk, "y": "!"}):
        with pytest.raises(ValueError):  # noqa: PT011
            public_key_of(spoilt)


def test_pyjwt_reads_and_writes_the_key_as_lists_do() -> None:
    public = Sm2PrivateKey.generate().public_key()
    assert jws._Sm2.to_jwk(public, as_dict=True) == public_jwk(public)
    assert jws._Sm2.from_jwk(jws._Sm2.to_jwk(public)) == public
