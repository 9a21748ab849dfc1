"""Identifiers of rows: UUIDv7, so that they sort by time and index well."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562 §5.7)."""
    return uuid7()
