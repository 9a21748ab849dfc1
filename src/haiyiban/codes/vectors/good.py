"""Codes that every verifier must accept: each kind and form, and the edges of what is good."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from haiyiban.codes import cbor
from haiyiban.codes.claims import CertificateBody, Kind, StatusEntry, to_map
from haiyiban.codes.envelope import sign_form_a, sign_form_b, sign_payload, to_text
from haiyiban.codes.vectors.cast import (
    AT,
    CHALLENGE,
    DEVICE,
    IAT,
    ISSUER,
    Case,
    capsule_of,
    case,
    claims_of,
)

_SECOND = timedelta(seconds=1)


def cases() -> list[Case]:
    """All good codes."""
    return [*_each_kind(), *_at_the_edges(), *_unusual()]


def text_with_two_spaces() -> str:
    """A good code with two spaces side by side, of which a reader that tidies texts would lose one."""
    for number in range(10_000):
        text = sign_form_a(claims_of(Kind.IDENTITY, f"two spaces, {number}"), ISSUER)
        if "  " in text:
            return text
    raise AssertionError("about one code in ten has two spaces side by side")


def _each_kind() -> list[Case]:
    cases = []
    for kind in Kind:
        slug = kind.name.lower()
        capsule = capsule_of(kind, f"{slug}, b")
        answer = sign_form_b(capsule, DEVICE, t=IAT, challenge=CHALLENGE)
        cases += [
            case(f"{slug}, form a", sign_form_a(claims_of(kind, f"{slug}, a"), ISSUER)),
            case(f"{slug}, form b", sign_form_b(capsule, DEVICE, t=IAT)),
            case(f"{slug}, form b with a challenge", answer, challenge=CHALLENGE.hex()),
            case(f"{slug}, form b with a challenge of nobody here", answer),
        ]
    return cases


def _at_the_edges() -> list[Case]:
    good = sign_form_a(claims_of(Kind.CERTIFICATE, "edges, a"), ISSUER)
    proof = sign_form_b(capsule_of(Kind.CERTIFICATE, "edges, b"), DEVICE, t=int(AT.timestamp()))
    health = sign_form_b(capsule_of(Kind.HEALTH, "edges, health"), DEVICE, t=IAT)
    made = datetime.fromtimestamp(IAT, UTC)
    return [
        case("the last second of the skew after exp", good, at=made + 65 * _SECOND),
        case("the first second of the skew before iat", good, at=made - 5 * _SECOND),
        case("a proof 60 s old", proof, at=AT + 60 * _SECOND),
        case("a proof 5 s ahead", proof, at=AT - 5 * _SECOND),
        case("the expected kind", good, expectedKind=int(Kind.CERTIFICATE)),
        case("another code is withdrawn", good, deny=["00" * 16]),
        case("lists 24 h old", good, listsAgeSeconds=86_400),
        case("a health capsule and lists 30 min old", health, listsAgeSeconds=1_800),
    ]


def _unusual() -> list[Case]:
    good = claims_of(Kind.CERTIFICATE, "unusual")
    newer: dict[Any, Any] = {**to_map(good), 99: [True, {"more": b""}], "new": -5}
    newer[-70002] |= {9: "a field of a later version"}
    endless = CertificateBody(type="disability", name="冼*")
    printed = msgspec.structs.replace(
        endless, status=StatusEntry("https://hyb.example/api/v1/status-lists/7", 104_729)
    )
    years = 86_400 * 400
    for_years = claims_of(Kind.CERTIFICATE, "printed", body=printed, iat=IAT - years, exp=IAT + years)
    return [
        case("a line end of CR LF", sign_form_a(good, ISSUER) + "\r\n"),
        case("two spaces side by side", text_with_two_spaces()),
        case("claims and body keys of a later version", to_text(sign_payload(cbor.encode(newer), ISSUER))),
        case("without an end", sign_form_a(claims_of(Kind.CERTIFICATE, "endless", body=endless), ISSUER)),
        case("printed, with its place in a status list", sign_form_a(for_years, ISSUER)),
        case("a kind of a zone", sign_form_a(claims_of(16, "zone"), ISSUER)),
    ]
