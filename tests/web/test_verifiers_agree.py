"""Two verifiers that share no line come to the same outcome, whatever the text: Python's and TypeScript's.

Texts are the published vectors, altered: characters, bytes, and the parts inside, which are then signed anew
by the published test keys, so that a change reaches the steps behind the signature.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm

from haiyiban.codes import base45, cbor
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.trust import TrustEntry, TrustList
from tests.web.node import Asking
from tests.web.test_verifier_vectors import DOCUMENTS

GOOD = DOCUMENTS["valid"]
ENTRIES = GOOD["trustList"]["entries"]
TRUST = TrustList(msgspec.convert(ENTRIES, list[TrustEntry]), issued_at=datetime(2026, 1, 1, tzinfo=UTC))
TEXTS = sorted(
    {case["text"] for document in DOCUMENTS.values() for case in document.get("cases", ()) if "text" in case}
)
GOOD_BYTES = [base45.decode(case["text"].strip("\r\n")[5:]) for case in GOOD["cases"]]
NOW = datetime.fromisoformat(GOOD["cases"][0]["at"])
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BATCH = 40

INTEGERS = st.one_of(
    st.integers(-3, 300),
    st.integers(-(2**64), 2**64 - 1),
    st.sampled_from([2**53 - 1, 2**53, 2**31, 2**32, 2932896, 2932897, int(NOW.timestamp())]),
)
VALUES = st.recursive(
    st.one_of(
        INTEGERS,
        st.booleans(),
        st.binary(max_size=17),
        st.sampled_from(
            [b"\0" * 16, b"\1" * 32, b"\2" * 8, "460000", "46000０", "\ufeff", "王*", "", "460000\n"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(INTEGERS, st.text(max_size=2)), inner, max_size=3),
    ),
    max_leaves=8,
)


def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    key = ECAlgorithm(ECAlgorithm.SHA256).from_jwk(GOOD["testKeys"][name])
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


ISSUER, DEVICE = key_of("issuer"), key_of("device")


def signature(key: ec.EllipticCurvePrivateKey, message: bytes, *, low: bool) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    if (s <= ORDER // 2) != low:
        s = ORDER - s
    return r.to_bytes(32) + s.to_bytes(32)


def form_a(header: Any, payload: Any) -> bytes:
    raw = [cbor.encode(header), cbor.encode(payload)]
    signed = cbor2.dumps(["Signature1", raw[0], b"", raw[1]])
    return b"\xd2" + cbor2.dumps([raw[0], {}, raw[1], signature(ISSUER, signed, low=True)])


def form_b(capsule: bytes, t: int, challenge: bytes | None, *, low: bool) -> bytes:
    tail = b"" if challenge is None else challenge
    message = b"HYB1-DEVICE" + struct.pack(">I", len(capsule)) + capsule + struct.pack(">Q", t) + tail
    parts = [capsule, t, signature(DEVICE, message, low=low)]
    return cbor2.dumps(parts if challenge is None else [*parts, challenge])


@st.composite
def altered_texts(draw: st.DrawFn) -> str:
    """A text with some of its characters exchanged, doubled, lost or cut off."""
    text = list(draw(st.sampled_from(TEXTS)))
    alphabet = st.one_of(st.sampled_from("0Z :%\r\n０a"), st.characters(codec="utf-8"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 2))] = draw(st.lists(alphabet, max_size=2))
    return "".join(text)


@st.composite
def altered_bytes(draw: st.DrawFn) -> str:
    """A good code with some of its bytes exchanged, added or lost."""
    data = bytearray(draw(st.sampled_from(GOOD_BYTES)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return "HYB1:" + base45.encode(bytes(data))


@st.composite
def signed_anew(draw: st.DrawFn) -> str:
    """A good code that says something else, and is signed for it."""
    whole = draw(st.sampled_from(GOOD_BYTES))
    outer = cbor2.loads(whole)
    parts = outer if isinstance(outer, list) else None
    inner = cbor2.loads(parts[0]) if parts else outer
    header, payload = cbor2.loads(inner.value[0]), cbor2.loads(inner.value[2])
    for _ in range(draw(st.integers(0, 2))):
        place = draw(
            st.sampled_from(
                [header, payload, payload, payload[-70002]]
                + ([payload[8], payload[8][1]] if 8 in payload else [])
            )
        )
        key = draw(st.one_of(st.sampled_from([*place, 2, 3, 4, 10, 11, 12, 20]), INTEGERS))
        if draw(st.booleans()):
            place[key] = draw(VALUES)
        else:
            place.pop(key, None)
        if not (isinstance(payload.get(-70002), dict) and isinstance(payload.get(8, {}), dict)):
            break
        if 8 in payload and not isinstance(payload[8].get(1), dict):
            break
    code = form_a(header, payload)
    if parts:
        t = draw(
            st.one_of(st.just(parts[1]), st.integers(parts[1] - 70, parts[1] + 70), st.integers(0, 2**64 - 1))
        )
        challenge = draw(st.sampled_from([None, b"\7" * 8, b""]))
        code = form_b(code, t, challenge, low=draw(st.integers(0, 9)) > 0)
    return "HYB1:" + base45.encode(code)


CIRCUMSTANCES = st.fixed_dictionaries(
    {"at": st.one_of(st.just(NOW.timestamp()), st.integers(-70, 70).map(lambda s: NOW.timestamp() + s / 2))},
    optional={
        "expectedKind": st.integers(1, 5),
        "challenge": st.just("07" * 8),
        "listsAgeSeconds": st.sampled_from([-6, -5, 0, 1800, 1801, 86400, 86401]),
        "trustListExp": st.sampled_from([NOW.timestamp() - 1, NOW.timestamp(), NOW.timestamp() + 1000]),
    },
)


def ours(text: str, given_: dict[str, Any]) -> str:
    expires = datetime.fromtimestamp(given_["trustListExp"], UTC) if "trustListExp" in given_ else None
    checked = verify_offline(
        text,
        trust=TrustList(TRUST.entries, issued_at=TRUST.issued_at, expires_at=expires) if expires else TRUST,
        now=datetime.fromtimestamp(given_["at"], UTC),
        lists_age=timedelta(seconds=given_["listsAgeSeconds"]) if "listsAgeSeconds" in given_ else None,
        expected_kind=given_.get("expectedKind"),
        challenge=bytes.fromhex(given_["challenge"]) if "challenge" in given_ else None,
    )
    return str(checked.outcome)


@pytest.mark.parametrize(
    "texts", [altered_texts(), altered_bytes(), signed_anew()], ids=["texts", "bytes", "signed"]
)
def test_both_verifiers_agree(second_verifier: Asking, texts: st.SearchStrategy[str]) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(texts, CIRCUMSTANCES), min_size=1, max_size=BATCH))
    def agree(batch: list[tuple[str, dict[str, Any]]]) -> None:
        questions = [{"entries": ENTRIES, "text": text, "deny": [], **about} for text, about in batch]
        theirs = [answer["outcome"] for answer in second_verifier.ask(questions)["answers"]]
        assert theirs == [ours(text, about) for text, about in batch]

    agree()
