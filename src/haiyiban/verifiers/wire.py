"""What crosses the wire about verifiers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from haiyiban.verifiers.models import Verifier
from haiyiban.verifiers.purposes import Purpose
from haiyiban.wire import Input, Output

Short = Annotated[str, Meta(max_length=200)]


class ClientCredentials(Input):
    """What a verifier's system signs in with."""

    client_id: Short
    client_secret: Short


class VerifierToken(Output):
    """The access token of a verifier; there is no refresh token, ask again instead."""

    access_token: str
    expires_in_seconds: int
    purposes: list[str]
    """What it may verify for; each with its words at `GET /verification-purposes`."""


class SuspensionCreate(Input):
    """Why a verifier may not verify for now."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class VerifierRead(Output):
    """A verifier as the operator sees it."""

    id: UUID
    name: str
    unit: str
    purposes: list[str]
    status: str
    suspended_at: datetime | None = None
    reason: str | None = None

    @classmethod
    def of(cls, verifier: Verifier, language: str) -> VerifierRead:
        return cls(
            id=verifier.id,
            name=verifier.name_en if language.startswith("en") else verifier.name_zh,
            unit=verifier.unit,
            purposes=verifier.purposes,
            status=verifier.status,
            suspended_at=verifier.suspended_at,
            reason=verifier.suspension_reason,
        )


class VerifierList(Output, omit_defaults=False):
    """Every verifier; `next` is always null."""

    items: list[VerifierRead]
    next: str | None = None


class SightRead(Output):
    """What a purpose shows of one type of certificate: at once, and with the holder's consent at most."""

    type: str
    least: list[str]
    most: list[str]


class PurposeRead(Output, omit_defaults=False):
    """A purpose of verification: what it is about and what a verifier sees."""

    purpose: str
    title: str
    kinds: list[str]
    certificates: list[SightRead]
    presence: bool
    portrait: list[str]
    """Kinds of code of which the verifier may look at the holder's portrait."""

    @classmethod
    def of(cls, purpose: Purpose, language: str) -> PurposeRead:
        return cls(
            purpose=purpose.purpose,
            title=purpose.title.words.in_language(language),
            kinds=list(purpose.kinds),
            certificates=[
                SightRead(type=type_, least=list(sight.least), most=list(sight.most))
                for type_, sight in purpose.certificates.items()
            ],
            presence=purpose.presence,
            portrait=list(purpose.portrait),
        )


class PurposeList(Output, omit_defaults=False):
    """Every purpose; `next` is always null."""

    items: list[PurposeRead]
    next: str | None = None
