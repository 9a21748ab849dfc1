"""Whether a verifier may see a code for a purpose: step 9 of a verification. Pure.

Source: schemas/codes/README.md §3; docs/domain.md §13 (data minimisation).
"""

from __future__ import annotations

from haiyiban.codes.claims import CertificateBody, Claims, Kind
from haiyiban.identity.callers import VerifierCaller
from haiyiban.verifiers import Purpose


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


def fields_shown(purpose: Purpose, claims: Claims) -> tuple[str, ...]:
    """The names of the claims that the verifier sees without asking the holder."""
    body = claims.body
    return purpose.least(body.type) if isinstance(body, CertificateBody) else ()


_NAMES = {int(kind): kind.name.lower() for kind in Kind}
