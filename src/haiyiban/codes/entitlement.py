"""Whether a verifier may see a code for a purpose: step 9 of a verification. Pure.

Source: schemas/codes/README.md §3; docs/domain.md §13 (data minimisation).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from haiyiban.codes.claims import CertificateBody, Claims, Kind
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.identity.callers import VerifierCaller
from haiyiban.verifiers import Purpose

PORTRAIT_LIFE = timedelta(minutes=2)
"""How long after the verification the portrait may be looked at: as long as the holder stands there."""


class FieldsBeyondPurpose(Problem):
    """The purpose does not go as far as these claims, not even with consent; the pointers say which."""

    type = "codes/fields-beyond-purpose"
    title = Words(
        "所选用途不能查看这些信息，请减少后再试",
        "This purpose does not reach these fields; ask for fewer",
    )


def kind_name(kind: int) -> str | None:
    """The name of a kind on the wire; None for one that this version does not know."""
    return _NAMES.get(kind)


def is_entitled(caller: VerifierCaller, purpose: Purpose, claims: Claims) -> bool:
    """Whether this verifier, for this purpose, may see a code that says this."""
    kind = kind_name(claims.kind)
    body = claims.body
    return (
        kind is not None
        and purpose.purpose in caller.purposes
        and purpose.shows(kind, body.type if isinstance(body, CertificateBody) else None)
    )


def shows_presence(purpose: Purpose, claims: Claims, *, is_device_bound: bool, is_challenged: bool) -> bool:
    """Whether the code shows that its holder is here, where that is asked for.

    Whoever lends a phone can sign device-bound codes ahead, so only one over the verifier's own challenge
    counts; a code that the server signed lives a minute. A printed one may be anybody's paper.
    """
    is_asked = purpose.presence or claims.kind in _ALWAYS_PRESENT
    if not is_asked:
        return True
    return is_challenged if is_device_bound else claims.printed_at is None


def shows_portrait(purpose: Purpose, kind: int, *, is_printed: bool) -> bool:
    """Whether a valid verification for this purpose lets its verifier look at the holder's portrait. A
    printed code may be anybody's paper, and shows nobody's face."""
    return not is_printed and kind_name(kind) in purpose.portrait


def fields_shown(purpose: Purpose, claims: Claims) -> tuple[str, ...]:
    """The names of the claims that the verifier sees without asking the holder; of a printed code, which
    anybody may have picked up, none beyond what it says itself."""
    body = claims.body
    if not isinstance(body, CertificateBody) or claims.printed_at is not None:
        return ()
    return purpose.least(body.type)


def fields_asked(purpose: Purpose, claims: Claims, fields: Sequence[str]) -> tuple[str, ...]:
    """The claims to ask the holder for: those named, where one of them is beyond the least; else none.

    Raises FieldsBeyondPurpose.
    """
    body = claims.body
    type_ = body.type if isinstance(body, CertificateBody) and claims.printed_at is None else ""
    require_within(purpose.most(type_), fields)
    return () if set(fields) <= set(purpose.least(type_)) else tuple(dict.fromkeys(fields))


def require_within(most: Sequence[str], fields: Sequence[str]) -> None:
    """Raises FieldsBeyondPurpose."""
    words = Words(
        f"此用途最多可查看：{'、'.join(most) or '（无）'}", f"at most: {', '.join(most) or '(nothing)'}"
    )
    beyond = [FieldError(f"/fields/{at}", words) for at, name in enumerate(fields) if name not in most]
    if beyond:
        raise FieldsBeyondPurpose(errors=beyond)


_ALWAYS_PRESENT = frozenset({Kind.VOUCHER, Kind.PICKUP})
_NAMES = {int(kind): kind.name.lower() for kind in Kind}
