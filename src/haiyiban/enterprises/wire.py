"""What crosses the wire about enterprises."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.delegations.wire import Bounds, DelegationRead, TakerName
from haiyiban.wire import Input, Output


class EnterpriseSignIn(Input):
    """Sign in for an enterprise. `consent`: the hash of `GET /texts/legal-representative`, which its legal
    representative gives the first time."""

    credit_code: Annotated[str, Meta(max_length=40)]
    consent: Annotated[str, Meta(max_length=64)] = ""


class RoleCreate(Bounds, kw_only=True):
    """Appoint somebody; `consent` is the hash of `GET /texts/enterprise-role`."""

    role: Literal["finance", "clerk"]
    taker: TakerName


class EnterpriseRead(Output, kw_only=True, omit_defaults=False):
    """An enterprise that I act for, as its register last described it."""

    id: UUID
    name: str
    credit_code: str
    kind: str
    """company, sole_trader or cooperative."""
    division: str
    status: str
    """in_business, revoked, cancelled or unregistered."""
    registered_on: date
    term_until: date | None
    checked_at: datetime
    """As of when the register says so."""
    role: str
    """Mine: legal_representative, finance or clerk."""
    delegation: UUID
    """What `onBehalfOf` of `POST /cases` takes."""
    matters: list[str] | None
    """In which I may act; null for all of the enterprise's."""
    until: date
    """The last day of my role, unless the register ends it before."""


class EnterpriseList(Output, omit_defaults=False):
    """All that I act for; `next` is always null."""

    items: list[EnterpriseRead]
    next: str | None = None


class RoleList(Output, omit_defaults=False):
    """The roles of an enterprise, newest first, the ended ones too; `next` is always null."""

    items: list[DelegationRead]
    next: str | None = None


class EnterpriseCodeCreate(Input):
    """Which certificate to show."""

    certificate_id: UUID


class EnterpriseCodeRead(Output):
    """A code of the enterprise's certificate, for a verifier to scan before it expires."""

    id: UUID
    text: str
    expires_at: datetime
