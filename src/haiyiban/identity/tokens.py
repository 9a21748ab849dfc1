"""Access tokens: short-lived ES256 JWTs, verified once and then remembered.

Rotation signs nobody out: the newest key signs, every key of the folder verifies, and the key set
(JWKS) publishes them all.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from haiyiban import clock
from haiyiban.crypto import KeyProvider, SigningKey
from haiyiban.errors import NotSignedIn, Words
from haiyiban.identity.callers import (
    Caller,
    Level,
    ResidentCaller,
    StaffCaller,
    TerminalCaller,
    VerifierCaller,
)
from haiyiban.signatures import public_jwk

LIFE = timedelta(minutes=5)
_REMEMBERED_MOST = 100_000


class InvalidToken(NotSignedIn):
    """The access token is forged, expired or of an ended session."""

    type = "identity/invalid-token"
    title = Words("登录已失效，请重新登录", "Your sign-in has ended; please sign in again")


class AccessTokens:
    """Issues and verifies the access tokens of one deployment."""

    def __init__(self, keys: KeyProvider, *, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._remembered: dict[bytes, tuple[Caller, float]] = {}
        self.reload()

    def reload(self) -> None:
        """Read the key folder again, as after a rotation."""
        self._signing: list[SigningKey] = self._keys.signing("access-token")
        self._verifying = {key.kid: key.es256.public_key() for key in self._signing}

    def issue(self, caller: Caller, *, now: datetime) -> str:
        """A token for this caller, good for five minutes from `now`."""
        key = [key for key in self._signing if key.not_before <= now][-1]
        claims = {"iss": self._issuer, "iat": int(now.timestamp()), "exp": int((now + LIFE).timestamp())}
        return jwt.encode(claims | _claims_of(caller), key.es256, algorithm="ES256", headers={"kid": key.kid})

    def verify(self, token: str) -> Caller:
        """The caller that a token speaks for. Raises InvalidToken."""
        digest = hashlib.blake2b(token.encode(), digest_size=16).digest()
        known = self._remembered.get(digest)
        if known is not None:
            if known[1] > clock.now().timestamp():
                return known[0]
            raise InvalidToken
        caller, expires = self._check(token)
        if len(self._remembered) >= _REMEMBERED_MOST:
            self._remembered.clear()
        self._remembered[digest] = (caller, expires)
        return caller

    def replace(self, token: str, caller: Caller) -> None:
        """Remember a raised level for a token in hand, so that a step-up needs no new token."""
        digest = hashlib.blake2b(token.encode(), digest_size=16).digest()
        known = self._remembered.get(digest)
        if known is not None:
            self._remembered[digest] = (caller, known[1])

    def key_set(self) -> dict[str, Any]:
        """The JWKS document."""
        documents = []
        for kid, public in self._verifying.items():
            documents.append(public_jwk(public) | {"kid": kid, "alg": "ES256", "use": "sig"})
        return {"keys": documents}

    def _check(self, token: str) -> tuple[Caller, float]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            claims = jwt.decode(
                token,
                self._verifying[str(kid)],
                algorithms=["ES256"],
                issuer=self._issuer,
                # The clock of this process may be moved (HAIYIBAN_CLOCK_OFFSET), so times are checked here.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "knd"]},
            )
            expires = float(claims["exp"])
            if expires <= clock.now().timestamp():
                raise InvalidToken
            return _caller_of(claims), expires
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            raise InvalidToken from None


def _claims_of(caller: Caller) -> dict[str, Any]:
    match caller:
        case ResidentCaller():
            claims: dict[str, Any] = {
                "sub": str(caller.account_id),
                "sid": str(caller.session_id),
                "lvl": caller.level.value,
            }
            if caller.person_id:
                claims["per"] = str(caller.person_id)
            if caller.face_at:
                claims["fac"] = int(caller.face_at.timestamp())
        case StaffCaller():
            claims = {
                "sub": str(caller.staff_id),
                "sid": str(caller.session_id),
                "rol": sorted(caller.roles),
                "agy": caller.agency,
                "div": caller.division,
            }
        case VerifierCaller():
            claims = {
                "sub": str(caller.verifier_id),
                "cid": caller.client_id,
                "nam": caller.name,
                "pur": sorted(caller.purposes),
            }
            if caller.terminal:
                claims |= {
                    "ter": str(caller.terminal.id),
                    "sid": str(caller.terminal.key_id),
                    "ten": caller.terminal.name,
                    "pla": caller.terminal.place,
                }
        case _:
            raise ValueError("nobody signed in has no token")
    return claims | {"knd": caller.kind}


def _caller_of(claims: dict[str, Any]) -> Caller:
    match claims["knd"]:
        case "resident":
            return ResidentCaller(
                account_id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                level=Level(claims["lvl"]),
                person_id=UUID(claims["per"]) if "per" in claims else None,
                face_at=datetime.fromtimestamp(claims["fac"], tz=clock.SHANGHAI) if "fac" in claims else None,
            )
        case "staff":
            return StaffCaller(
                staff_id=UUID(claims["sub"]),
                session_id=UUID(claims["sid"]),
                roles=frozenset(claims["rol"]),
                agency=claims["agy"],
                division=claims["div"],
            )
        case "verifier":
            return VerifierCaller(
                verifier_id=UUID(claims["sub"]),
                client_id=claims["cid"],
                name=claims["nam"],
                purposes=frozenset(claims["pur"]),
                terminal=_terminal_of(claims) if "ter" in claims else None,
            )
    raise ValueError("unknown kind of caller")


def _terminal_of(claims: dict[str, Any]) -> TerminalCaller:
    return TerminalCaller(
        id=UUID(claims["ter"]), key_id=UUID(claims["sid"]), name=claims["ten"], place=claims["pla"]
    )


_tokens: AccessTokens | None = None


def install(tokens: AccessTokens) -> None:
    """Make this process use these tokens; done once at its start."""
    global _tokens
    _tokens = tokens


def access_tokens() -> AccessTokens:
    """The access tokens of this process."""
    if _tokens is None:
        raise RuntimeError("no access tokens are installed in this process")
    return _tokens
