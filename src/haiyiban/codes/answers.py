"""What a verifier reads of a verification: built from what was recorded, so that a repeated request and a
later look get the first answer word for word.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from haiyiban.certificates import CertificateType, types
from haiyiban.certificates.models import Certificate
from haiyiban.codes import disclosures
from haiyiban.codes.claims import Kind
from haiyiban.codes.entitlement import PORTRAIT_LIFE, kind_name, shows_portrait
from haiyiban.codes.models import Consent
from haiyiban.codes.outcomes import NO_ANSWER, PRESENTATION_PENDING, Explanation, Outcome, explain
from haiyiban.codes.statement import Recorded
from haiyiban.crypto import vault
from haiyiban.sealed import place
from haiyiban.verifiers.purposes import purposes
from haiyiban.wire import API, Output


class HolderRead(Output):
    """Whom the code speaks of, masked."""

    name: str


class VerifiedCertificate(Output, omit_defaults=False):
    """The certificate behind the code, as far as the purpose shows it."""

    type: str
    type_name: str
    status: str
    valid_until: date | None
    claims: dict[str, Any]


class PortraitOffer(Output):
    """Where the holder's portrait can be looked at, with the verifier's own token, and until when."""

    path: str
    until: datetime


class VerificationRead(Output):
    """The outcome of a verification, why, and what to do next. Only `valid` lets anyone in."""

    id: UUID
    outcome: Outcome
    reason: str
    advice: str
    verified_at: datetime
    kind: str | None = None
    """What the code turned out to be."""
    holder: HolderRead | None = None
    certificate: VerifiedCertificate | None = None
    subject: dict[str, Any] | None = None
    """Of another kind, what it shows beside the name."""
    portrait: PortraitOffer | None = None
    """Where the purpose allows a look at the holder's face."""


_TELLS_KIND = frozenset(
    {
        Outcome.VALID,
        Outcome.REVOKED,
        Outcome.SUSPENDED,
        Outcome.WRONG_KIND,
        Outcome.ALREADY_USED,
        Outcome.CONSENT_PENDING,
        Outcome.CONSENT_REFUSED,
    }
)
_TELLS_CERTIFICATE = frozenset({Outcome.VALID, Outcome.REVOKED, Outcome.SUSPENDED})


def answer_of(recorded: Recorded) -> VerificationRead:
    """The answer to a verification; a refusal shows no more of the holder than its reason needs."""
    outcome = recorded.outcome
    reason, advice = _explained(recorded)
    answer = VerificationRead(
        id=recorded.id,
        outcome=outcome,
        reason=reason.in_language(recorded.language),
        advice=advice.in_language(recorded.language),
        verified_at=recorded.at,
    )
    if outcome in _TELLS_KIND and recorded.kind is not None:
        answer.kind = kind_name(recorded.kind)
    if outcome in _TELLS_CERTIFICATE and recorded.type is not None:
        answer.certificate = _certificate(recorded)
    if outcome is Outcome.VALID and recorded.holder_masked is not None:
        answer.holder = HolderRead(name=recorded.holder_masked)
    if recorded.shown_sealed is not None:
        disclosed = disclosures.open_sealed(recorded.shown_sealed, recorded.id)
        answer.holder = HolderRead(name=disclosed.name)
        answer.subject = disclosed.subject
    if outcome is Outcome.VALID and recorded.kind is not None:
        answer.portrait = _portrait(recorded, recorded.kind)
    return answer


def settled_answer(recorded: Recorded, consent: Consent, certificate: Certificate | None) -> VerificationRead:
    """The answer once the holder was asked: what was allowed is shown uncovered, and nothing else."""
    is_shown = consent.outcome == Outcome.VALID
    seen = recorded._replace(
        outcome=Outcome(consent.outcome), at=consent.at, fields=(), status=consent.status
    )
    if certificate is not None:
        seen = seen._replace(
            kind=int(Kind.CERTIFICATE),
            certificate_id=certificate.id,
            type=certificate.type,
            type_version=certificate.type_version,
            holder_masked=certificate.holder_masked,
            valid_until=certificate.valid_until,
        )
    answer = answer_of(seen)
    if consent.decision == "none":
        answer.reason = NO_ANSWER.reason.in_language(recorded.language)
        answer.advice = NO_ANSWER.advice.in_language(recorded.language)
    if is_shown and certificate is not None and answer.certificate is not None and answer.holder is not None:
        claims = certificate.claims
        answer.certificate.claims = {name: claims[name] for name in consent.fields if name in claims}
        answer.holder.name = answer.certificate.claims.get("name", answer.holder.name)
    return answer


def _portrait(recorded: Recorded, kind: int) -> PortraitOffer | None:
    wanted = purposes().get(recorded.purpose)
    if wanted is None or not shows_portrait(wanted, kind, is_printed=recorded.is_printed):
        return None
    path = f"{API}/verifications/{recorded.id}/portrait"
    return PortraitOffer(path=path, until=recorded.at + PORTRAIT_LIFE)


def _explained(recorded: Recorded) -> Explanation:
    if recorded.outcome is Outcome.CONSENT_PENDING and recorded.kind is None:
        return PRESENTATION_PENDING
    return explain(recorded.outcome, recorded.because)


def _certificate(recorded: Recorded) -> VerifiedCertificate:
    assert recorded.type is not None
    assert recorded.type_version is not None
    assert recorded.status is not None
    kind = _published(recorded.type, recorded.type_version)
    claims = {}
    if recorded.fields:
        all_claims = _claims(recorded)
        claims = {name: all_claims[name] for name in recorded.fields if name in all_claims}
        if not kind.masked.isdisjoint(claims):
            claims = kind.type.masked(claims)
    return VerifiedCertificate(
        type=recorded.type,
        type_name=kind.type.name.in_language(recorded.language),
        status=recorded.status,
        valid_until=recorded.valid_until,
        claims=claims,
    )


class _Published(NamedTuple):
    type: CertificateType
    masked: frozenset[str]
    """The claims that are covered before consent."""


@lru_cache(maxsize=1024)
def _published(type_: str, version: int) -> _Published:
    # Kept by name and version, because looking a type up costs as much as the rest of the answer.
    kind = types.published(type_, version)
    properties = kind.document["properties"]
    return _Published(kind, frozenset(name for name, said in properties.items() if "x-mask" in said))


def _claims(recorded: Recorded) -> dict[str, Any]:
    assert recorded.claims_sealed is not None
    # Opened by hand and not through the model: the statement brings rows, not objects of the ORM.
    where = place(Certificate.__tablename__, "claims_sealed", recorded.certificate_id)
    claims: dict[str, Any] = msgspec.json.decode(vault().open(recorded.claims_sealed, where=where))
    return claims
