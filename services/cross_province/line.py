"""The line to another deployment: HTTPS, and the other end's certificate judged by what both signed.

An agreement may pin the authorities under which a side's certificate must be (`tlsRoots`), such as a
province's own; without them those count that browsers know. Nothing goes over plain HTTP outside the demo and
tests.
"""

from __future__ import annotations

import ssl

import httpx

from haiyiban.settings import Settings
from services.cross_province.directory import NotAgreed, Party

_SECONDS = 10.0


class NoSafeLine(Exception):
    """The other side's address would carry messages in the clear."""


def client(other: Party) -> httpx.AsyncClient:
    """A client of another deployment's API. Raises NoSafeLine."""
    if not is_safe(other.origin):
        raise NoSafeLine(f"{other.origin} is not https")
    # Another deployment's address, signed by both: no proxy of the environment gets to see it.
    return httpx.AsyncClient(
        base_url=other.origin,
        timeout=_SECONDS,
        verify=pinned(other) or True,
        trust_env=False,
        follow_redirects=False,
    )


def is_safe(origin: str) -> bool:
    """Whether messages may go to an address: over HTTPS, or inside the demo and tests."""
    return origin.startswith("https://") or not Settings.from_env().is_production


def pinned(other: Party) -> ssl.SSLContext | None:
    """What trusts the pinned authorities and no other; None where nothing is pinned. Raises NotAgreed."""
    if not other.tls_roots:
        return None
    try:
        context = ssl.create_default_context(cadata="\n".join(other.tls_roots))
    except (ssl.SSLError, ValueError) as error:
        raise NotAgreed(f"the TLS authorities of {other.division} cannot be read: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def why(error: httpx.HTTPError) -> str:
    """Why there is no answer, in a word that an operator can act on."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or type(cause).__name__
            return f"the certificate is refused: {reason}"
        cause = cause.__cause__ or cause.__context__
    return f"no answer: {type(error).__name__}"
