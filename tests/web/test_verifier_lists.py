"""The second verifier reads the lists that the server signs, and no list that somebody touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from haiyiban.codes import deny_list, jws, status_list
from haiyiban.codes.deny_list import Changes, DenyList
from haiyiban.codes.status_list import StatusCode
from haiyiban.codes.trust import USE_LISTS, TrustEntry, TrustList, sign_trust_list
from haiyiban.crypto import SigningKey
from haiyiban.signatures import kid_of
from tests.web.node import Asking, asking

NOW = datetime(2026, 9, 1, 0, 0, 30, tzinfo=UTC)
AT = int(NOW.timestamp())
URI = "https://hyb.example/api/v1/status-lists/7"


def key() -> SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    return SigningKey(kid_of(private.public_key()), private, NOW)


ROOT, CODES, LISTS, OTHER = key(), key(), key(), key()
ROOT_JWK: dict[str, Any] = ECAlgorithm.to_jwk(ROOT.private.public_key(), as_dict=True)


def entry(of: SigningKey, **changes: Any) -> TrustEntry:
    about = {"kinds": [1], "not_before": NOW - timedelta(days=2), "not_after": NOW + timedelta(days=2)}
    return TrustEntry.of(of.private.public_key(), **{**about, **changes})


def trust_list(*entries: TrustEntry, issued_at: datetime = NOW, root: SigningKey = ROOT) -> str:
    listed = TrustList(entries, issued_at=issued_at, expires_at=issued_at + timedelta(days=7))
    return sign_trust_list(listed, root)


TRUST = trust_list(entry(CODES), entry(LISTS, kinds=[], use=USE_LISTS))
CTIS = [bytes([each]) * 16 for each in range(5)]
DENY = deny_list.sign(DenyList(frozenset(CTIS[:3]), NOW, NOW - timedelta(days=1)), LISTS)
CHANGES = deny_list.sign(
    Changes(AT, frozenset(CTIS[3:]), frozenset(CTIS[:1]), NOW + timedelta(seconds=9)), LISTS
)
PACKED = status_list.packed([(0, StatusCode.REVOKED), (6, StatusCode.SUSPENDED)], size=4096)
STATUS = status_list.sign(URI, status_list.compressed(PACKED), issued_at=NOW, key=LISTS)


@pytest.fixture(scope="module")
def reader() -> Iterator[Asking]:
    with asking(Path(__file__).with_name("read_lists.mjs")) as node:
        yield node


def read(reader: Asking, **asked: Any) -> Any:
    (answer,) = reader.ask([{"root": ROOT_JWK, "trustList": TRUST, "at": AT, **asked}])
    return answer


def test_a_trust_list_of_the_root_is_read(reader: Asking) -> None:
    assert read(reader)["trust"] == [AT, AT + 7 * 86400, 2]


def test_a_deny_list_and_its_changes_are_read(reader: Asking) -> None:
    whole = read(reader, denyList=DENY)["deny"]
    assert whole == {"entries": [cti.hex() for cti in CTIS[:3]], "iat": AT, "trustIat": AT - 86400}
    changed = read(reader, denyList=DENY, changes=CHANGES)["deny"]
    assert changed["entries"] == [cti.hex() for cti in CTIS[1:]]
    assert changed["iat"] == AT + 9


def test_a_status_list_is_read_to_its_end(reader: Asking) -> None:
    answer = read(reader, statusList=STATUS, indexes=[0, 1, 6, 7, 4095, 4096])
    assert answer["statuses"] == [1, 0, 2, 0, 0, None]
    assert answer["uri"] == URI


REFUSED = {
    "a trust list of another root": {"trustList": trust_list(entry(CODES), root=OTHER)},
    "a trust list older than the one held": {
        "heldTrustList": trust_list(entry(CODES), issued_at=NOW + timedelta(seconds=1))
    },
    "a deny-list in place of the trust list": {"trustList": jws.sign(b"{}", typ="deny-list+jwt", key=ROOT)},
    "a trust list without entries": {"trustList": jws.sign(b"{}", typ="trust-list+jwt", key=ROOT)},
    "a payload that is no object": {"trustList": jws.sign(b"null", typ="trust-list+jwt", key=ROOT)},
    "no JWS": {"trustList": "x"},
    "a deny-list by a key for codes": {"denyList": deny_list.sign(DenyList(frozenset(), NOW), CODES)},
    "a deny-list by nobody known": {"denyList": deny_list.sign(DenyList(frozenset(), NOW), OTHER)},
    "a deny-list by a key that has ended": {"denyList": DENY, "at": AT + 3 * 86400},
    "changes without a list": {"denyList": CHANGES},
    "changes since another list": {
        "denyList": DENY,
        "changes": deny_list.sign(Changes(AT - 1, frozenset(), frozenset(), NOW), LISTS),
    },
    "a cti of 15 bytes": {"denyList": deny_list.sign(DenyList(frozenset([b"\0" * 15]), NOW), LISTS)},
    "a status list in place of a deny-list": {"denyList": STATUS},
    "a status list that is cut off": {
        "statusList": status_list.sign(URI, status_list.compressed(PACKED)[:-8], issued_at=NOW, key=LISTS)
    },
    "a status list that fills the memory": {
        "statusList": status_list.sign(
            URI, status_list.compressed(bytes(5_000_000)), issued_at=NOW, key=LISTS
        )
    },
}


@pytest.mark.parametrize("asked", REFUSED.values(), ids=REFUSED)
def test_a_list_that_is_not_to_be_trusted_is_refused(reader: Asking, asked: dict[str, Any]) -> None:
    assert "refused" in read(reader, indexes=[0], **asked)


@pytest.mark.parametrize(
    ("name", "signed"), [("trustList", TRUST), ("denyList", DENY), ("statusList", STATUS)]
)
def test_no_character_of_a_list_may_change(reader: Asking, name: str, signed: str) -> None:
    about = {"root": ROOT_JWK, "trustList": TRUST, "at": AT, "indexes": [0]}
    # The last character carries bits that base64 does not use.
    tampered = [
        signed[:at] + ("A" if letter != "A" else "B") + signed[at + 1 :]
        for at, letter in enumerate(signed[:-1])
        if letter != "."
    ]
    answers = reader.ask([{**about, name: each} for each in tampered])
    assert all("refused" in answer for answer in answers)
