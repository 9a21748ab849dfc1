"""How the sandbox says no: `{"error", "detail"}`, never with personal data in it."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

WORDS = {400: "malformed", 401: "unauthorized", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class Malformed(HTTPException):
    """The request cannot be understood."""

    status_code = 400


def refuse(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Litestar's exceptions in the sandbox's one form."""
    body: dict[str, Any] = {"error": WORDS.get(error.status_code, "refused"), "detail": error.detail}
    return Response(body, status_code=error.status_code)
