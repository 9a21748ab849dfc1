"""What a verifier read of a kind other than the certificate, kept sealed with its verification: a colour may
be another an hour later, and a repeated request is answered as at first.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from haiyiban.codes.models import Verification
from haiyiban.crypto import vault
from haiyiban.sealed import place


class Disclosure(msgspec.Struct, frozen=True):
    """A masked name, and facts of the kind."""

    name: str
    subject: dict[str, Any] | None = None


def seal(disclosed: Disclosure, verification_id: UUID) -> bytes:
    """As it is kept in the row of a verification."""
    return vault().seal(msgspec.json.encode(disclosed), where=_where(verification_id))


def open_sealed(sealed: bytes, verification_id: UUID) -> Disclosure:
    """As it was disclosed."""
    return msgspec.json.decode(vault().open(sealed, where=_where(verification_id)), type=Disclosure)


def _where(verification_id: UUID) -> str:
    return place(Verification.__tablename__, "shown_sealed", verification_id)
