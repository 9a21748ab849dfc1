"""What deployments say to each other: one message shape for every step of a case. Pure.

Source: docs/domain.md §9 (message design; fields of GB/T 39046 with routing).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from haiyiban.wire import Input

VERSION = 1
Instant = Annotated[datetime, Meta(tz=True)]
Short = Annotated[str, Meta(max_length=100)]
Words500 = Annotated[str, Meta(max_length=2000)]


class Type(StrEnum):
    """What a message is: the eight kinds of docs/domain.md §9, and what becomes of a certificate after."""

    INTAKE = "intake"
    """收件: originals are on their way, under an express number."""
    FORWARD = "forward"
    """转递: the application itself."""
    CORRECTION = "correction"
    """补正: to the receiving place the one complete list; from there the corrected form."""
    ACCEPTED = "accepted"
    """受理: the handling place's clock has begun."""
    PROGRESS = "progress"
    """进度: a step between; in a joint case also the question to the other place, and its answer."""
    RESULT = "result"
    """结果: how it ended, with the certificate."""
    RETURNED = "returned"
    """退回: it could not be opened, with the reasons."""
    RECEIPT = "receipt"
    """回执: the business receipt, that a case was opened, or that a result was handed over."""
    CERTIFICATE = "certificate"
    """证照变更: what was issued was revoked, suspended, reinstated or corrected; `step` is its status."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Members that are not known are passed over within a part; a message as a whole has none."""


class Place(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A sender or receiver: its province and the code of the body that answers for it."""

    division: Annotated[str, Meta(pattern="^[0-9]{6}$")]
    uscc: Annotated[str, Meta(pattern="^[0-9A-Z]{18}$")]


class CrossApplicant(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Who applies, as the receiving place proved it."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    id_type: Short
    id_number: Annotated[str, Meta(min_length=1, max_length=30)]
    phone: Short | None = None
    proof: Short
    """How the receiving place knows: `face` (online, L3), `counter` (a clerk looked) or `agent` (somebody
    acts for them, who showed their own face)."""


class CrossAgent(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Who acts for the applicant (代办人), under a delegation that the receiving place keeps."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    id_type: Short
    id_number: Annotated[str, Meta(min_length=1, max_length=30)]
    phone: Short | None = None
    basis: Short
    """What the delegation rests on: agreement, adult_child or guardian."""
    delegation: UUID
    """Its id at the receiving place, under which it can be asked about."""
    until: date


class CrossMaterial(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A material by its hash; `certificate` is its 证照标识 where it is one."""

    code: Short
    name: Words500
    form: Short
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    certificate: Short | None = None


class CrossItem(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing to correct, or one reason of a return."""

    pointer: Annotated[str, Meta(max_length=300)]
    message: Words500


class CrossCertificate(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What was issued. `code` is its printed code, which proves it by the issuer's trust list alone."""

    identifier: Short
    type: Short
    name_zh: Words500
    name_en: Words500
    issuer: Words500
    issuer_code: Short
    issued_on: date
    valid_until: date | None = None
    claims: dict[str, Any]
    code: Annotated[str, Meta(max_length=4000)]


class CrossResult(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a case ended: approved, denied, refused, lapsed, terminated, withdrawn."""

    outcome: Short
    certificate: CrossCertificate | None = None


class CrossTimes(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The dates of the handling place: when it accepted, what it promises, what the law allows."""

    accepted_on: date | None = None
    promised_on: date | None = None
    statutory_on: date | None = None
    correct_by: Instant | None = None


class CrossMessage(Input, omit_defaults=True):
    """One message. `traceId` is the case's id at both sides; sequence numbers count per direction from 1."""

    msg_id: UUID
    version: int
    sequence: Annotated[int, Meta(ge=1, le=2**53)]
    type: Short
    mode: Annotated[int, Meta(ge=1, le=3)]
    sender: Place
    receiver: Place
    trace_id: UUID
    at: Instant
    case_no_local: Short | None = None
    """办件编号 at the sender."""
    case_no_remote: Short | None = None
    task_code: Short = ""
    catalog_code: Short = ""
    matter: Short = ""
    matter_version: int = 0
    applicant: CrossApplicant | None = None
    agent: CrossAgent | None = None
    materials: Annotated[tuple[CrossMaterial, ...], Meta(max_length=100)] = ()
    form: dict[str, Any] | None = None
    step: Short = ""
    opinion: Words500 = ""
    items: Annotated[tuple[CrossItem, ...], Meta(max_length=200)] = ()
    result: CrossResult | None = None
    express_no: Short | None = None
    times: CrossTimes | None = None


class CrossReceipt(_Part, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The signed answer to a message: these bytes, under this number, were taken at this time."""

    msg_id: UUID
    sequence: int
    digest: Short
    """Content-Digest of the message (RFC 9530)."""
    received_at: Instant
    receiver: Short
