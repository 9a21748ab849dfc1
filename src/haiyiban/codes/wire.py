"""What crosses the wire at the holder's side of codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.certificates import types
from haiyiban.codes.access_log import Entry
from haiyiban.errors import Words
from haiyiban.verifiers.purposes import purposes
from haiyiban.wire import Input, Output


class CodeCreate(Input):
    """What to show. `subjectId` of a certificate is its id."""

    kind: Literal["certificate", "identity", "health", "voucher", "pickup"]
    subject_id: UUID | None = None
    device_key: dict[str, str] | None = None
    device_proof: Annotated[str, Meta(max_length=200)] | None = None


class CodeRead(Output):
    """A code to draw: `text` goes into the QR as it is."""

    id: UUID
    text: str
    expires_at: datetime


class CodeStateRead(Output):
    """What became of a code; `usedBy` is the accredited name of the verifier that accepted it."""

    id: UUID
    kind: str
    state: str
    expires_at: datetime
    used_at: datetime | None = None
    used_by: str | None = None


class AccessRead(Output):
    """One look at my data: who, at what, for what, which fields, with what outcome."""

    id: UUID
    at: datetime
    who: str
    action: str
    what: str
    outcome: str
    fields: list[str]
    purpose: str | None = None
    place: str | None = None

    @classmethod
    def of(cls, entry: Entry, language: str) -> AccessRead:
        """An entry in words."""
        record, verification, type_, type_version, verifier = entry
        who = record.actor_unit or ""
        if verifier is not None:
            who = verifier.name_en if language.startswith("en") else verifier.name_zh
        what = _WHAT.get(record.object_kind or "", _OTHER).in_language(language)
        if type_ is not None and type_version is not None:
            what = types.published(type_, type_version).name.in_language(language)
        purpose = purposes().get(record.reason or "") if verification is not None else None
        return cls(
            id=record.id,
            at=record.at,
            who=who,
            action=record.action,
            what=what,
            outcome=record.outcome,
            fields=record.fields,
            purpose=purpose.title.words.in_language(language) if purpose else record.reason,
            place=verification.place if verification is not None else None,
        )


_WHAT = {
    "verification": Words("亮证码", "Code"),
    "certificate": Words("电子证照", "Certificate"),
    "case": Words("办件", "Case"),
}
_OTHER = Words("个人信息", "Personal data")
