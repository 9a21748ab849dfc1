"""What crosses the wire when a holder is asked for consent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.wire import Input, Output

Fields = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=60)], ...], Meta(max_length=20)]
"""Names of claims."""


class ConsentCreate(Input):
    """The holder's answer. `fields`: the claims allowed, all that were asked for where it is left out."""

    decision: Literal["allow", "refuse"]
    fields: Fields | None = None


class FieldTitle(Output):
    """A claim that is asked for, by its name and as people read it."""

    name: str
    title: str


class AskedCertificate(Output):
    """The certificate whose claims are asked for."""

    id: UUID
    type: str
    type_name: str


class ConsentAskedRead(Output, omit_defaults=False):
    """A verifier asks for more than the least: who (its accredited name), for what, which claims, and until
    when the answer counts. `id` is the verification's."""

    id: UUID
    code_id: UUID | None
    verifier: str
    purpose: str
    place: str | None
    certificate: AskedCertificate
    fields: list[FieldTitle]
    asked_at: datetime
    answer_by: datetime


class ConsentList(Output, omit_defaults=False):
    """What I am asked at this moment; it lasts a minute, so there are no pages."""

    items: list[ConsentAskedRead]


class ConsentRead(Output, omit_defaults=False):
    """How a request was answered. `outcome` is what the verifier reads: `valid` where it sees the claims."""

    id: UUID
    decision: str
    fields: list[str]
    outcome: str
    answered_at: datetime
