"""HTTP messages signed and checked: RFC 9421 signatures over RFC 9530 content digests, by a kept library.

What is signed is pinned here, so that a message whose signature covers less is refused however good it is:
a request by method, path, content type and digest; an answer by status, content type, digest, and the digest
of the request that it answers, so that a receipt is a receipt of exactly these bytes.

Source: RFC 9421 §2–3, §2.4 (`req`); RFC 9530 §2; docs/domain.md §9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from typing_extensions import override

from haiyiban.crypto import SigningKey

JSON: Final = "application/json"
SKEW: Final = timedelta(minutes=5)
"""How far two deployments' clocks may be apart, and how old a signature may be when it arrives."""
REQUEST_TAG: Final = "haiyiban-exchange"
RECEIPT_TAG: Final = "haiyiban-receipt"
_REQUEST_COVERS: Final = ("@method", "@path", "content-type", "content-digest")
_RECEIPT_COVERS: Final = ("@status", "content-type", "content-digest", '"content-digest";req')
_DOCUMENT_COVERS: Final = ("@status", "content-type", "content-digest", '"@path";req')
_ORIGIN: Final = "https://exchange.invalid"
"""The library wants an absolute address; none of it but the path is covered, for proxies change the rest."""

Keys = Callable[[str], ec.EllipticCurvePublicKey | None]
"""The public key that a key id names; None for one that is not known."""


class NotSigned(Exception):
    """The signature does not hold, covers too little, or is not of its time; the words say which."""


class Headers(msgspec.Struct, frozen=True, rename="camel"):
    """The fields that a signature stands in and what it covers, as they went over the wire."""

    content_digest: str
    signature_input: str
    signature: str
    content_type: str = JSON

    def fields(self) -> dict[str, str]:
        """As HTTP header fields."""
        return {
            "content-type": self.content_type,
            "content-digest": self.content_digest,
            "signature-input": self.signature_input,
            "signature": self.signature,
        }

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Headers:
        """Of a message that came. Raises NotSigned for one without them."""
        try:
            return cls(
                fields["content-digest"],
                fields["signature-input"],
                fields["signature"],
                fields["content-type"],
            )
        except KeyError as error:
            raise NotSigned(f"{error.args[0]} is missing") from None


@dataclass(slots=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]

    @property
    def url(self) -> str:
        return _ORIGIN + self.path


@dataclass(slots=True)
class _Answer:
    status_code: int
    headers: dict[str, str]
    request: _Request


@dataclass(frozen=True, slots=True)
class Proven:
    """A signature that holds: by which key and when it was made."""

    key_id: str
    created: datetime


def sign_request(body: bytes, *, path: str, key: SigningKey, now: datetime) -> Headers:
    """The header fields of a POST that carries a message."""
    return _sign(_Request("POST", path, {"content-type": JSON}), body, _REQUEST_COVERS, REQUEST_TAG, key, now)


def check_request(body: bytes, headers: Headers, *, path: str, keys: Keys, now: datetime | None) -> Proven:
    """Who signed a POST. `now` None: judged later, by its own time. Raises NotSigned."""
    request = _Request("POST", path, headers.fields())
    return _check(request, body, _REQUEST_COVERS, REQUEST_TAG, keys, now)


def sign_receipt(body: bytes, request: Headers, *, key: SigningKey, now: datetime) -> Headers:
    """The header fields of the answer to a message."""
    answer = _Answer(200, {"content-type": JSON}, _Request("POST", "/", request.fields()))
    return _sign(answer, body, _RECEIPT_COVERS, RECEIPT_TAG, key, now)


def check_receipt(
    body: bytes, headers: Headers, request: Headers, *, keys: Keys, now: datetime | None
) -> Proven:
    """Who signed the receipt of a message. A receipt is given again as it was first given, so its age is not
    judged unless `now` is given. Raises NotSigned."""
    answer = _Answer(200, headers.fields(), _Request("POST", "/", request.fields()))
    return _check(answer, body, _RECEIPT_COVERS, RECEIPT_TAG, keys, now)


def sign_document(body: bytes, *, path: str, key: SigningKey, now: datetime) -> Headers:
    """The header fields of what is published at a path."""
    answer = _Answer(200, {"content-type": JSON}, _Request("GET", path, {}))
    return _sign(answer, body, _DOCUMENT_COVERS, RECEIPT_TAG, key, now)


def check_document(body: bytes, headers: Headers, *, path: str, keys: Keys, now: datetime) -> Proven:
    """Who published what came from a path. Raises NotSigned."""
    answer = _Answer(200, headers.fields(), _Request("GET", path, {}))
    return _check(answer, body, _DOCUMENT_COVERS, RECEIPT_TAG, keys, now)


class _Resolver(HTTPSignatureKeyResolver):
    def __init__(self, keys: Keys | None = None, own: SigningKey | None = None) -> None:
        self._keys, self._own = keys, own

    @override
    def resolve_public_key(self, key_id: str) -> ec.EllipticCurvePublicKey | None:
        return self._keys(key_id) if self._keys else None

    @override
    def resolve_private_key(self, key_id: str) -> ec.EllipticCurvePrivateKey:
        assert self._own is not None, "only who signs asks for it"
        assert self._own.kid == key_id, "we sign with our own key"
        return self._own.es256


class _Verifier(HTTPMessageVerifier):
    """Leaves the times to us: they are judged by the deployment's clock, and by none in a proof."""

    @override
    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        return None


def _sign(
    message: _Request | _Answer,
    body: bytes,
    covers: tuple[str, ...],
    tag: str,
    key: SigningKey,
    now: datetime,
) -> Headers:
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_Resolver(own=key)
    )
    message.headers["content-digest"] = signer.content_digest_class.create(body)
    signer.sign(
        message,
        key_id=key.kid,
        created=now,
        label="sig",
        tag=tag,
        covered_component_ids=covers,
        body=body,
        use_existing_digest=True,
    )
    return Headers.of({name.lower(): value for name, value in message.headers.items()})


def _check(
    message: _Request | _Answer,
    body: bytes,
    covers: tuple[str, ...],
    tag: str,
    keys: Keys,
    now: datetime | None,
) -> Proven:
    verifier = _Verifier(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=_Resolver(keys=keys))
    try:
        [found] = verifier.verify(message, max_age=None, expect_tag=tag, require_components=covers, body=body)
        created = datetime.fromtimestamp(int(found.parameters["created"]), UTC)
    except InvalidSignature as error:
        raise NotSigned(str(error)) from None
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise NotSigned(f"the signature cannot be read: {error}") from None
    if now is not None and abs(now - created) > SKEW:
        raise NotSigned(f"signed at {created:%F %T}, too far from {now:%F %T} UTC here")
    return Proven(str(found.parameters["keyid"]), created)
