"""Who may ask: the platform, by the key it was given."""

import os
from hmac import compare_digest
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler


def key_from_environment() -> str:
    """HAIYIBAN_SANDBOX_KEY, or the demo's well-known one."""
    return os.environ.get("HAIYIBAN_SANDBOX_KEY") or "sandbox"


async def needs_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse who does not send the key in X-Api-Key."""
    sent = connection.headers.get("x-api-key", "")
    if not compare_digest(sent.encode(), connection.app.state.key.encode()):
        raise NotAuthorizedException("X-Api-Key is missing or wrong")
