"""The counter's challenge as a code of its own (柜台动态码): what the holder's phone scans before it shows.

A phone that answers it signs these 8 bytes into its code, which so was made here and now and for this
counter. A connected counter's is signed by us and names the verifier, so that the phone can say who asks;
an offline terminal draws its own, which names nobody.

Bytes: CBOR `[challenge, exp]`, or `[challenge, exp, Chinese name, English name, kid, signature]` with
A signature by a key for lists over `"HYB1-COUNTER"` and the CBOR of the first four.

Source: schemas/codes/README.md §6.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec

from haiyiban.codes import base45, cbor
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.envelope import CHALLENGE_BYTES
from haiyiban.codes.offline import SKEW_SECONDS
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustList
from haiyiban.crypto import SigningKey
from haiyiban.errors import Words
from haiyiban.signatures import raw_signature, signature_holds

PREFIX = "HYB1C:"
LIFE = timedelta(seconds=60)
MAX_TEXT = 1024
_KID_BYTES = 8
_SIGNATURE_BYTES = 64
_SIGNED_AS = b"HYB1-COUNTER"


class Drawn(msgspec.Struct, frozen=True):
    """A challenge and the second (since 1970) until which the counter shows it."""

    challenge: bytes
    exp: int


class CounterCode(msgspec.Struct, frozen=True):
    """A counter's code that is well formed. Who it names is nobody's word before `judge`."""

    drawn: Drawn
    verifier: Words | None = None
    kid: bytes = b""
    signature: bytes = b""


def draw(now: datetime) -> Drawn:
    """A fresh challenge, to be shown for 60 seconds and to one holder."""
    return Drawn(secrets.token_bytes(CHALLENGE_BYTES), int((now + LIFE).timestamp()))


def is_in_time(drawn: Drawn, *, now: datetime) -> bool:
    """Whether an answer to it still counts: an offline terminal asks this of what it drew itself."""
    return now.timestamp() <= drawn.exp + SKEW_SECONDS


def unsigned_text(drawn: Drawn) -> str:
    """The text of an offline terminal's own challenge."""
    return PREFIX + base45.encode(cbor.encode([drawn.challenge, drawn.exp]))


def signed_text(drawn: Drawn, *, verifier: Words, key: SigningKey) -> str:
    """The text of a connected counter's challenge, which names the verifier."""
    said: list[Any] = [drawn.challenge, drawn.exp, verifier.zh, verifier.en]
    parts = [*said, bytes.fromhex(key.kid), raw_signature(key.private, _message(said))]
    return PREFIX + base45.encode(cbor.encode(parts))


def parse(text: str) -> CounterCode:
    """Read a scanned text. Raises MalformedCode, and nothing else, when it is not a counter's code."""
    if len(text) > MAX_TEXT:
        raise MalformedCode("over 1 KB")
    line = text.strip("\r\n")
    if not line.startswith(PREFIX):
        raise MalformedCode("not a counter's code of this scheme")
    try:
        data = base45.decode(line[len(PREFIX) :])
    except ValueError as error:
        raise MalformedCode(str(error)) from None
    match cbor.decode(data):
        case [bytes() as challenge, exp, *named] if _is_drawn(challenge, exp):
            drawn = Drawn(challenge, exp)
        case _:
            raise MalformedCode("not a counter's code")
    match named:
        case []:
            return CounterCode(drawn)
        case [str() as zh, str() as en, bytes() as kid, bytes() as signature] if (
            zh and en and len(kid) == _KID_BYTES and len(signature) == _SIGNATURE_BYTES
        ):
            return CounterCode(drawn, Words(zh, en), kid, signature)
        case _:
            raise MalformedCode("not a counter's code")


def judge(text: str, *, trust: TrustList, now: datetime) -> tuple[Outcome, CounterCode | None]:
    """What a phone comes to: `valid`, or why it does not answer. The code is there where its signature holds
    or it has none."""
    try:
        code = parse(text)
    except MalformedCode:
        return Outcome.MALFORMED, None
    at = now.timestamp()
    if code.verifier is not None:
        if trust.is_stale(at):
            return Outcome.STALE_LISTS, None
        keys = trust.list_keys_for(code.kid, at=at)
        if not keys:
            return Outcome.UNKNOWN_ISSUER, None
        said = [code.drawn.challenge, code.drawn.exp, code.verifier.zh, code.verifier.en]
        if not any(signature_holds(key, code.signature, _message(said)) for key in keys):
            return Outcome.BAD_SIGNATURE, None
    if not is_in_time(code.drawn, now=now):
        return Outcome.EXPIRED, code
    # One that says it lives longer was not drawn just now, whoever signed it.
    if code.drawn.exp > at + LIFE.total_seconds() + SKEW_SECONDS:
        return Outcome.NOT_YET_VALID, code
    return Outcome.VALID, code


def _is_drawn(challenge: bytes, exp: object) -> bool:
    return len(challenge) == CHALLENGE_BYTES and type(exp) is int and 0 <= exp < 1 << 53


def _message(said: list[Any]) -> bytes:
    return _SIGNED_AS + cbor.encode(said)
