"""What each key is for, and a new one for each purpose as a key file keeps it."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from typing import Any

from haiyiban import clock
from haiyiban.signatures import Suite, kid_of, new_private_key, private_pem
from haiyiban.sm import Sm2PrivateKey

SIGNING_PURPOSES = ("access-token", "code", "document", "list", "exchange")
"""Keys that the servers hold. `list` signs the deny-list and the status lists, `exchange` the messages to
other deployments."""
ROOT_PURPOSE = "trust-root"
"""In a folder of its own, which no server reads: it signs the trust list."""
SECRET_PURPOSES = ("field", "blind-index", "cti", "idempotency", "checkpoint")
ALWAYS_ES256 = ("access-token", "exchange")
"""Access tokens never leave the deployment; other provinces agreed on what their messages are signed with."""


def new_entry(purpose: str, suite: Suite) -> dict[str, Any]:
    """A new key for a purpose, in use at once."""
    if purpose in ALWAYS_ES256:
        suite = Suite.INTERNATIONAL
    if purpose in (*SIGNING_PURPOSES, ROOT_PURPOSE):
        return _new_signing_entry(suite)
    return _new_secret_entry(purpose, suite)


def _new_signing_entry(suite: Suite) -> dict[str, Any]:
    private = new_private_key(suite)
    return {
        "kid": kid_of(private.public_key()),
        "key": private_pem(private),
        "notBefore": datetime(2020, 1, 1, tzinfo=UTC).isoformat(),
        "madeAt": clock.wall().isoformat(),
    }


def _new_secret_entry(purpose: str, suite: Suite) -> dict[str, Any]:
    secret = secrets.token_bytes(32)
    if suite is Suite.NATIONAL and purpose == "checkpoint":
        made = Sm2PrivateKey.generate()
        secret = made.secret + made.point
    return {
        "kid": secrets.token_hex(4),
        "key": base64.b64encode(secret).decode(),
        "suite": suite,
        "notBefore": datetime(2020, 1, 1, tzinfo=UTC).isoformat(),
    }
