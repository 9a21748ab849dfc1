"""Vectors of the signed lists: what a terminal comes to by those it holds, and which ones it refuses.

The same of either suite: all by ES256; and all by SM2 but the key of codes that comes after, for a deployment
may change from one suite to the other at any rotation.
"""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from haiyiban.codes import deny_list, jws, status_list
from haiyiban.codes.claims import CertificateBody, Kind, StatusEntry
from haiyiban.codes.deny_list import Changes, DenyList
from haiyiban.codes.envelope import sign_form_a, sign_form_b
from haiyiban.codes.rotation import SIGNS_AFTER, next_entries
from haiyiban.codes.status_list import StatusCode, packed
from haiyiban.codes.trust import TYP as TRUST_LIST
from haiyiban.codes.trust import TrustList, sign_trust_list
from haiyiban.codes.vectors.cast import (
    AT,
    DAY,
    DEVICE,
    Case,
    capsule_of,
    case,
    claims_of,
    national_key,
    signing_key,
)
from haiyiban.crypto import SigningKey
from haiyiban.signatures import public_jwk


class Signers(NamedTuple):
    """Who signs in one file."""

    root: SigningKey
    lists: SigningKey
    old: SigningKey
    """Of codes, until SWITCH."""
    new: SigningKey
    """Of codes, from SWITCH on."""
    stranger: SigningKey


ES256_SIGNERS = Signers(
    root=signing_key("HYB1 test trust root"),
    lists=signing_key("HYB1 test key of lists"),
    old=signing_key("HYB1 test issuer before"),
    new=signing_key("HYB1 test issuer after"),
    stranger=signing_key("HYB1 test stranger"),
)
SM2_SIGNERS = Signers(
    root=national_key("HYB1 test trust root"),
    lists=national_key("HYB1 test key of lists"),
    old=national_key("HYB1 test issuer before"),
    new=ES256_SIGNERS.new,
    stranger=national_key("HYB1 test stranger"),
)
ROOT, LISTS = ES256_SIGNERS.root, ES256_SIGNERS.lists
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_LIFE = 90 * DAY
_URI = "https://hyb.example/api/v1/status-lists/3"
_KINDS = tuple(Kind)
SWITCH = AT + DAY + SIGNS_AFTER
"""When the new key signs first: it is listed at AT."""


def document(by: Signers = ES256_SIGNERS) -> dict[str, Any]:
    """The file of these signers."""
    return {
        "root": public_jwk(by.root.public) | {"kid": by.root.kid},
        "lists": _lists(by),
        "cases": _cases(by),
        "refused": _refused(),
        "changes": _changes(by),
    }


def _trust_lists(by: Signers) -> dict[str, TrustList]:
    def listed(previous: TrustList | None, *codes: SigningKey, at: datetime) -> TrustList:
        entries = next_entries(
            previous.entries if previous else (),
            codes=codes,
            lists=[_since(by.lists)],
            kinds=_KINDS,
            now=at,
            until=at + _LIFE,
        )
        return TrustList(entries, issued_at=at, expires_at=at + _LIFE)

    first = listed(None, _since(by.old), at=AT - 10 * DAY)
    rotated = listed(first, _since(by.old), _since(by.new), at=AT)
    stolen = SigningKey(by.new.kid, by.new.private, AT - 30 * DAY, SWITCH + _HOUR)
    return {
        "before the rotation": first,
        "the new key listed": rotated,
        "the new key revoked": listed(rotated, _since(by.old), stolen, at=SWITCH + _HOUR),
    }


def _since(key: SigningKey) -> SigningKey:
    return SigningKey(key.kid, key.private, AT - 30 * DAY)


def _lists(by: Signers) -> dict[str, str]:
    signed = {name: sign_trust_list(listed, by.root) for name, listed in _trust_lists(by).items()}
    withdrawn = frozenset({claims_of(Kind.IDENTITY, "withdrawn").cti, bytes(16)})
    bits = packed([(5, StatusCode.REVOKED), (6, StatusCode.SUSPENDED), (7, _UNKNOWN)], size=1024)
    lst = status_list.compressed(bits)
    revoked_at = _trust_lists(by)["the new key revoked"].issued_at
    return {
        **signed,
        "deny-list of now": deny_list.sign(DenyList(frozenset(), AT), by.lists),
        "deny-list with a withdrawal": deny_list.sign(DenyList(withdrawn, AT), by.lists),
        "deny-list after the switch": deny_list.sign(DenyList(frozenset(), SWITCH), by.lists),
        "deny-list that tells of the revocation": deny_list.sign(
            DenyList(frozenset(), SWITCH + 3 * _HOUR, revoked_at), by.lists
        ),
        "deny-list by a stranger": deny_list.sign(DenyList(frozenset(), AT), by.stranger),
        "deny-list by a key of codes": deny_list.sign(DenyList(frozenset(), AT), by.old),
        "deny-list signed as a trust list": jws.sign(_EMPTY, typ=TRUST_LIST, key=by.lists),
        "trust list by a stranger": sign_trust_list(_trust_lists(by)["before the rotation"], by.stranger),
        "trust list cut off": signed["before the rotation"][:300],
        "status list of now": status_list.sign(_URI, lst, issued_at=AT, key=by.lists),
        "status list by a key of codes": status_list.sign(_URI, lst, issued_at=AT, key=by.old),
    }


_UNKNOWN: Any = 3
_EMPTY = json.dumps({"iat": int(AT.timestamp()), "exp": int(AT.timestamp()) + 86_400, "entries": []}).encode()


def _cases(by: Signers) -> list[Case]:
    plain: dict[str, Any] = {"trustList": "before the rotation", "denyList": "deny-list of now"}
    fresh = [
        case(f"a {kind.name.lower()} capsule", _b(by.old, kind, at=AT), outcome="valid", **plain)
        for kind in _KINDS
    ]
    return [*fresh, *_old_lists(plain, by), *_rotation(by), *_printed(plain, by)]


def _old_lists(plain: dict[str, Any], by: Signers) -> list[Case]:
    withdrawing = plain | {"denyList": "deny-list with a withdrawal"}

    def after(name: str, kind: Kind, passed: timedelta, outcome: str) -> Case:
        return case(name, _b(by.old, kind, at=AT + passed), at=AT + passed, outcome=outcome, **plain)

    return [
        case("a withdrawn capsule", _b(by.old, Kind.IDENTITY, "withdrawn"), outcome="denied", **withdrawing),
        case("another capsule", _b(by.old, Kind.IDENTITY, "another"), outcome="valid", **withdrawing),
        after("a health capsule and a deny-list of 30 min", Kind.HEALTH, 30 * _MINUTE, "valid"),
        after("a health capsule and one of 31 min", Kind.HEALTH, 31 * _MINUTE, "stale_lists"),
        after("an identity capsule and a deny-list of 24 h", Kind.IDENTITY, 24 * _HOUR, "valid"),
        after(
            "an identity capsule and one of 24 h 1 min", Kind.IDENTITY, 24 * _HOUR + _MINUTE, "stale_lists"
        ),
    ]


def _rotation(by: Signers) -> list[Case]:
    lists = {"trustList": "the new key listed", "denyList": "deny-list after the switch"}
    told = {"denyList": "deny-list that tells of the revocation"}
    revoked = {"trustList": "the new key revoked"}
    late = SWITCH + 3 * _HOUR

    def shown(name: str, key: SigningKey, at: datetime, outcome: str, **lists: str) -> Case:
        return case(name, _a(key, at), at=at, outcome=outcome, **lists)

    return [
        shown("by the new key at its first moment", by.new, SWITCH, "valid", **lists),
        shown("by the old key after the switch", by.old, SWITCH, "valid", **lists),
        shown(
            "by the new key, the list not fetched",
            by.new,
            SWITCH,
            "unknown_issuer",
            **(lists | {"trustList": "before the rotation"}),
        ),
        shown("by the revoked key", by.new, late, "unknown_issuer", **(told | revoked)),
        shown("by the key before it", by.old, late, "valid", **(told | revoked)),
        shown(
            "the trust list is not the newest",
            by.old,
            late,
            "stale_lists",
            **(told | {"trustList": "the new key listed"}),
        ),
        case(
            "printed years ago by a key long out of use",
            sign_form_a(claims_of(1, "years ago", iat=_s(AT - 5 * DAY), exp=_s(AT + 5000 * DAY)), by.old),
            at=SWITCH,
            outcome="valid",
            **lists,
        ),
    ]


def _printed(plain: dict[str, Any], by: Signers) -> list[Case]:
    def printed(name: str, index: int, outcome: str, **lists: Any) -> Case:
        body = CertificateBody("disability", "冼*", None, StatusEntry(_URI, index))
        said = claims_of(1, name, body=body, iat=_s(AT - 9 * DAY), exp=_s(AT + 1000 * DAY))
        lists = plain | {"statusLists": ["status list of now"]} | lists
        return case(name, sign_form_a(said, by.old), outcome=outcome, **lists)

    return [
        printed("printed, and it stands", 4, "valid"),
        printed("printed, revoked since", 5, "revoked"),
        printed("printed, suspended", 6, "suspended"),
        printed("printed, with a status of a later version", 7, "unavailable"),
        printed("printed, the last place", 1023, "valid"),
        printed("printed, a place beyond the list", 1024, "unavailable"),
        printed("printed, and its list is not held", 4, "unavailable", statusLists=[]),
    ]


def _refused() -> list[dict[str, Any]]:
    """Lists that a terminal does not take: it judges nothing by them."""

    def refused(name: str, at: datetime = AT, **lists: Any) -> dict[str, Any]:
        held: dict[str, Any] = {"trustList": "before the rotation", "denyList": "deny-list of now"}
        return {"name": name, "at": at.isoformat()} | held | lists

    return [
        refused("the clock is a minute behind the deny-list", AT - _MINUTE),
        refused("the clock is behind the trust list", AT - 11 * DAY),
        refused("a trust list that another root signed", trustList="trust list by a stranger"),
        refused("a trust list cut off", trustList="trust list cut off"),
        refused("a deny-list where the trust list goes", trustList="deny-list of now"),
        refused("a deny-list by a key that is not listed", denyList="deny-list by a stranger"),
        refused("a deny-list by a key that signs codes", denyList="deny-list by a key of codes"),
        refused("a deny-list signed as a trust list", denyList="deny-list signed as a trust list"),
        refused("a status list by a key that signs codes", statusLists=["status list by a key of codes"]),
        refused("a deny-list older than the one held", lastSeen={"trustList": 0, "denyList": _s(AT) + 1}),
        refused("a trust list older than the one held", lastSeen={"trustList": _s(AT), "denyList": 0}),
    ]


def _changes(by: Signers) -> list[dict[str, Any]]:
    """A deny-list, what came and went, and the list that comes of it."""
    one, two, three = (bytes([number]) * 16 for number in (1, 2, 3))
    told = Changes(_s(AT), frozenset({two, three}), frozenset({one}), AT + _MINUTE)
    return [
        {
            "name": "one goes, one stays and is named again, one comes",
            "at": (AT + _MINUTE).isoformat(),
            "trustList": "before the rotation",
            "denyList": deny_list.sign(DenyList(frozenset({one, two}), AT), by.lists),
            "changes": deny_list.sign(told, by.lists),
            "entries": [two.hex(), three.hex()],
        }
    ]


def _a(key: SigningKey, at: datetime) -> str:
    return sign_form_a(claims_of(Kind.CERTIFICATE, "rotation", iat=_s(at), exp=_s(at) + 60), key)


def _b(key: SigningKey, kind: Kind, name: str = "lists", *, at: datetime = AT) -> str:
    lasting = {"iat": _s(at) - 60, "exp": _s(at) + 3600}
    return sign_form_b(capsule_of(kind, name, key, **lasting), DEVICE, t=_s(at))


def _s(at: datetime) -> int:
    return int(at.timestamp())
