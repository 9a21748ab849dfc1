"""What crosses the wire at the holder's side of codes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.codes.consent_wire import ConsentAskedRead
from haiyiban.wire import Input, Output


class CodeCreate(Input):
    """What to show. `subjectId` of a certificate is its id; an identity code is one's own and has none.

    With `deviceKey` and `deviceProof` the code is bound to the phone that holds the key.
    """

    kind: Literal["certificate", "identity", "health", "voucher", "pickup"]
    subject_id: UUID | None = None
    device_key: dict[str, Any] | None = None
    """A public JWK on P-256, of a key pair made for this capsule alone."""
    device_proof: Annotated[str, Meta(max_length=200)] | None = None
    """ES256 (r‖s) in base64url over "HYB1-BIND", the account's id (16 bytes) and a nonce."""


class CodeRead(Output):
    """A code to draw: `text` goes into the QR as it is."""

    id: UUID
    text: str
    expires_at: datetime


class CapsuleRead(Output):
    """A capsule (base64url) for the phone to keep, and to add its own proof to every 30 seconds."""

    id: UUID
    capsule: str
    expires_at: datetime


class NonceRead(Output):
    """A nonce (base64url), good once, to be signed by the phone's new key."""

    nonce: str
    expires_in_seconds: int


class CodeStateRead(Output):
    """What became of a code or a capsule; `usedBy` is the accredited name of the verifier that accepted it
    last. `consent` is there while the state is `consent_asked`."""

    id: UUID
    kind: str
    state: str
    expires_at: datetime
    used_at: datetime | None = None
    used_by: str | None = None
    consent: ConsentAskedRead | None = None
