import json
from datetime import timedelta

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustEntry, TrustList, UntrustedList, read_trust_list, sign_trust_list
from haiyiban.codes.vectors.cast import AT, DAY, ISSUER, STRANGER, claims_of, signing_key, trust_entries
from haiyiban.signatures import ES256

ROOT = signing_key("HYB1 test trust root")
HOUR = timedelta(hours=1)


def listed(*, expires_at=AT + DAY) -> TrustList:
    return TrustList(trust_entries(), issued_at=AT - HOUR, expires_at=expires_at)


def test_a_terminal_reads_the_list_that_the_root_signed() -> None:
    read = read_trust_list(sign_trust_list(listed(), ROOT), ROOT.public)
    assert read.entries == listed().entries
    assert (read.issued_at, read.expires_at) == (AT - HOUR, AT + DAY)
    text = sign_form_a(claims_of(1, "listed"), ISSUER)
    assert verify_offline(text, trust=read, now=AT).outcome is Outcome.VALID


def test_the_list_is_a_jws_with_the_members_that_are_published() -> None:
    signed = sign_trust_list(listed(), ROOT)
    payload = jwt.decode(
        signed, ROOT.public, algorithms=["ES256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert jwt.get_unverified_header(signed) == {"alg": "ES256", "typ": "trust-list+jwt", "kid": ROOT.kid}
    assert set(payload) == {"entries", "iat", "exp"}
    assert set(payload["entries"][0]) == {"kid", "alg", "jwk", "kinds", "notBefore", "notAfter"}
    assert set(payload["entries"][2]) == {"kid", "alg", "jwk", "kinds", "notBefore", "notAfter", "revokedAt"}
    assert all("d" not in entry["jwk"] for entry in payload["entries"])


def test_a_list_of_another_root_or_changed_on_the_way_is_refused() -> None:
    signed = sign_trust_list(listed(), ROOT)
    header, payload, signature = signed.split(".")
    unsigned = jwt.encode({"entries": [], "iat": 0, "exp": 9}, None, algorithm="none")
    other_use = jwt.encode({"entries": [], "iat": 0, "exp": 9}, ROOT.private, algorithm="ES256")
    broken = jwt.PyJWS().encode(b"{}", ROOT.private, algorithm="ES256", headers={"typ": "trust-list+jwt"})
    for text in ("", "a.b.c", f"{header}.{payload[:-4]}.{signature}", unsigned, other_use, broken):
        with pytest.raises(UntrustedList):
            read_trust_list(text, ROOT.public)
    with pytest.raises(UntrustedList):
        read_trust_list(signed, STRANGER.public)


def test_an_entry_that_goes_by_another_keys_id_is_refused() -> None:
    entry = msgspec.structs.replace(trust_entries()[0], kid=STRANGER.kid)
    with pytest.raises(UntrustedList, match="id"):
        TrustList([entry], issued_at=AT)


@pytest.mark.parametrize(
    "change",
    [{"x": "AAAA"}, {"x": 5}, {"crv": "P-384"}, {"kty": "RSA"}, {"kty": "oct"}, {"x": None}, {"d": "AAAA"}],
)
def test_an_entry_without_a_readable_public_key_is_refused(change: dict[str, object]) -> None:
    entry = trust_entries()[0]
    jwk = entry.jwk | change
    with pytest.raises(UntrustedList):
        TrustList([msgspec.structs.replace(entry, jwk=jwk)], issued_at=AT)


def test_a_private_key_is_never_taken_for_an_entry() -> None:
    jwk = json.loads(ECAlgorithm.to_jwk(ISSUER.private))
    with pytest.raises(UntrustedList):
        TrustList([msgspec.structs.replace(trust_entries()[0], jwk=jwk)], issued_at=AT)


def test_an_entry_of_a_later_suite_leaves_the_others_usable() -> None:
    later = msgspec.structs.replace(trust_entries()[0], alg="ML-DSA-44", kid="00" * 8, jwk={})
    trust = TrustList([later, *trust_entries()], issued_at=AT)
    assert trust.keys_for(bytes.fromhex(ISSUER.kid), alg=ES256.cose, kind=1, at=AT.timestamp())
    assert not trust.keys_for(bytes(8), alg=ES256.cose, kind=1, at=AT.timestamp())


def test_one_key_may_be_listed_twice_with_different_kinds_and_times() -> None:
    def entry(kind: int, start) -> TrustEntry:
        return TrustEntry.of(ISSUER.public, kinds=[kind], not_before=start, not_after=start + DAY)

    trust = TrustList([entry(1, AT), entry(2, AT + DAY)], issued_at=AT)
    kid = bytes.fromhex(ISSUER.kid)
    usable = {
        (kind, days): len(trust.keys_for(kid, alg=ES256.cose, kind=kind, at=(AT + days * DAY).timestamp()))
        for kind in (1, 2)
        for days in (0, 1, 2)
    }
    assert usable == {(1, 0): 1, (1, 1): 0, (1, 2): 0, (2, 0): 0, (2, 1): 1, (2, 2): 0}


def test_a_list_past_its_end_judges_nothing() -> None:
    text = sign_form_a(claims_of(1, "old list"), ISSUER)
    assert verify_offline(text, trust=listed(expires_at=AT), now=AT).outcome is Outcome.STALE_LISTS


def test_a_list_without_an_end_is_not_published() -> None:
    with pytest.raises(ValueError, match="end"):
        sign_trust_list(listed(expires_at=None), ROOT)


def test_an_unproven_code_says_nothing() -> None:
    trust = listed()
    unproven = verify_offline(sign_form_a(claims_of(1, "unproven"), STRANGER), trust=trust, now=AT)
    assert unproven.claims is None
    late = verify_offline(sign_form_a(claims_of(1, "late"), ISSUER), trust=trust, now=AT + HOUR)
    assert late.outcome is Outcome.EXPIRED
    assert late.claims == claims_of(1, "late")


def test_es256_keys_on_another_curve_have_no_entry() -> None:
    public = ec.generate_private_key(ec.SECP384R1()).public_key()
    entry = TrustEntry.of(public, kinds=[1], not_before=AT, not_after=AT + DAY)
    with pytest.raises(UntrustedList, match="P-256"):
        TrustList([entry], issued_at=AT)
