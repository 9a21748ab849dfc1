"""Reading a verifier's credentials: JSON in our own words, or a form in the words of RFC 6749.

Source: RFC 6749 §2.3.1 (Basic or body), §4.4 (client credentials), §5.2 (errors).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal
from urllib.parse import parse_qs, unquote_plus

from litestar import Request, Response

from haiyiban.errors import Problem, Words
from haiyiban.verifiers.wire import ClientCredentials

FORM = "application/x-www-form-urlencoded"
REFUSAL = {
    "application/json": {
        "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    }
}
"""What a refused form is answered, for the contract."""
_NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenRefused(Problem):
    """A refusal in RFC 6749's form, for clients that come with a form."""

    type = "verifiers/token-refused"
    title = Words("无法签发访问令牌", "No token can be issued")

    def __init__(
        self,
        error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "unauthorized_client"],
    ) -> None:
        super().__init__(members={"error": error})
        self.answer_status = 401 if error == "invalid_client" else 400


def credentials_of(form: bytes, authorization: str | None) -> ClientCredentials:
    """The credentials of a token request by form. Raises TokenRefused."""
    try:
        fields = parse_qs(form.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise TokenRefused("invalid_request") from None
    if any(len(values) != 1 for values in fields.values()):
        raise TokenRefused("invalid_request")
    said = {name: values[0] for name, values in fields.items()}
    if "grant_type" not in said:
        raise TokenRefused("invalid_request")
    if said["grant_type"] != "client_credentials":
        raise TokenRefused("unsupported_grant_type")
    if authorization is not None:
        if "client_secret" in said:
            raise TokenRefused("invalid_request")
        return _basic(authorization)
    if "client_id" not in said or "client_secret" not in said:
        raise TokenRefused("invalid_client")
    return ClientCredentials(client_id=said["client_id"], client_secret=said["client_secret"])


def granted(access_token: str, *, expires_in: int) -> Response[Any]:
    """The answer to a form. Source: RFC 6749 §5.1."""
    return Response(
        {"access_token": access_token, "token_type": "Bearer", "expires_in": expires_in},
        status_code=200,
        headers=_NEVER_STORED,
    )


def refused(request: Request[Any, Any, Any], problem: TokenRefused) -> Response[Any]:
    """The refusal of a form. Source: RFC 6749 §5.2."""
    # The edge undoes the request's work and records the refusal by what it finds here.
    request.scope["state"]["unit"].problem = problem
    headers = dict(_NEVER_STORED)
    if problem.answer_status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="haiyiban"'
    return Response(problem.members, status_code=problem.answer_status, headers=headers)


def _basic(authorization: str) -> ClientCredentials:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TokenRefused("invalid_client")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TokenRefused("invalid_client") from None
    if not colon:
        raise TokenRefused("invalid_client")
    return ClientCredentials(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret))
