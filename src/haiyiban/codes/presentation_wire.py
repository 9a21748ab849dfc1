"""What crosses the wire when the holder scans the counter (主扫)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.codes.consent_wire import Fields, FieldTitle
from haiyiban.wire import Input, Output

RequestText = Annotated[str, Meta(min_length=1, max_length=4000)]
"""The fragment of the address that was scanned, a compact JWS."""


class PresentationRequestCreate(Input):
    """What a counter asks for. `fields`: names of claims, what the purpose shows by itself where left out;
    `certificateType`: where one type only will do."""

    purpose: Annotated[str, Meta(max_length=40)]
    fields: Fields = ()
    certificate_type: Annotated[str, Meta(max_length=60)] | None = None
    place: Annotated[str, Meta(max_length=100)] | None = None


class PresentationRequestRead(Output):
    """A request to show on the counter: `url` goes into a QR as it is. Its outcome is read at
    GET /verifications/{id}."""

    id: UUID
    url: str
    expires_at: datetime


class PresentationRequestText(Input):
    """A request as it was scanned."""

    request: RequestText


class PresentableRead(Output):
    """A certificate of mine that fits, and the claims that would be shown."""

    id: UUID
    type: str
    type_name: str
    holder: str
    """The masked name, to tell children apart."""
    fields: list[FieldTitle]


class PresentationPreviewRead(Output, omit_defaults=False):
    """Who asks (its accredited name), for what, until when, and what of mine would do."""

    id: UUID
    verifier: str
    purpose: str
    place: str | None
    asked_at: datetime
    answer_by: datetime
    certificates: list[PresentableRead]


class PresentationAnswerCreate(Input):
    """My answer. To allow, `subjectId` is the certificate to show, and `fields` the claims, all where left
    out."""

    request: RequestText
    decision: Literal["allow", "refuse"]
    subject_id: UUID | None = None
    fields: Fields | None = None
