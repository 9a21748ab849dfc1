"""Vectors of the counter's code: what a phone comes to, and what each good one says."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from haiyiban.codes import base45, cbor, counter_code
from haiyiban.codes.counter_code import PREFIX, Drawn, signed_text, unsigned_text
from haiyiban.codes.trust import USE_LISTS, TrustEntry
from haiyiban.codes.vectors.cast import (
    AT,
    CHALLENGE,
    DAY,
    ISSUER,
    STRANGER,
    Case,
    case,
    signing_key,
    trust_entries,
)
from haiyiban.errors import Words

LISTS = signing_key("HYB1 test key of lists")
_ENDED = signing_key("HYB1 test key of lists before")
_NAME = Words("海口市秀英区滨海小学", "Binhai Primary School, Xiuying")
_NOW = int(AT.timestamp())
_DRAWN = Drawn(CHALLENGE, _NOW + 40)


def document() -> dict[str, Any]:
    """The file."""
    entries = json.loads(msgspec.json.encode(counter_entries()))
    return {"trustList": {"entries": entries}, "cases": [*_good(), *_refused(), *_malformed()]}


def counter_entries() -> list[TrustEntry]:
    """The trust list that these are judged by: the keys for lists sign them."""

    def lists(key: Any, **ends: Any) -> TrustEntry:
        span = {"not_before": AT - 30 * DAY, "not_after": AT + 365 * DAY} | ends
        return TrustEntry.of(key.public, kinds=(), use=USE_LISTS, **span)

    return [*trust_entries(), lists(LISTS), lists(_ENDED, not_after=AT - DAY)]


def _good() -> Iterator[Case]:
    def good(name: str, text: str) -> Case:
        code = counter_code.parse(text)
        says = {"challenge": code.drawn.challenge.hex(), "exp": code.drawn.exp}
        named = {"verifier": list(code.verifier)} if code.verifier else {}
        return case(name, text, outcome="valid", says=says | named)

    yield good("signed", _signed())
    yield good("drawn by a terminal", unsigned_text(_DRAWN))
    yield good("a line end of CR LF", _signed() + "\r\n")
    yield good("drawn this second", unsigned_text(Drawn(CHALLENGE, _NOW + 60)))
    yield good("drawn by a clock 5 s ahead", unsigned_text(Drawn(CHALLENGE, _NOW + 65)))
    yield good("over since 5 s", _signed(Drawn(CHALLENGE, _NOW - 5)))


def _refused() -> Iterator[Case]:
    yield case("over since 6 s", _signed(Drawn(CHALLENGE, _NOW - 6)), outcome="expired")
    yield case("a terminal's, over", unsigned_text(Drawn(CHALLENGE, _NOW - 6)), outcome="expired")
    yield case("that lives 66 s", unsigned_text(Drawn(CHALLENGE, _NOW + 66)), outcome="not_yet_valid")
    yield case("signed, that lives a day", _signed(Drawn(CHALLENGE, _NOW + 86_400)), outcome="not_yet_valid")
    yield case("signed by a stranger", _signed(key=STRANGER), outcome="unknown_issuer")
    yield case("signed by a key of codes", _signed(key=ISSUER), outcome="unknown_issuer")
    yield case("signed by a key past its end", _signed(key=_ENDED), outcome="unknown_issuer")
    parts = _parts()
    yield case("another name", _text([*parts[:2], "别的单位", *parts[3:]]), outcome="bad_signature")
    yield case("another challenge", _text([bytes(8), *parts[1:]]), outcome="bad_signature")
    yield case("another end", _text([parts[0], _NOW + 41, *parts[2:]]), outcome="bad_signature")


def _malformed() -> Iterator[Case]:
    parts, signed = _parts(), _signed()
    texts = {
        "nothing": "",
        "the prefix alone": PREFIX,
        "a code's prefix": "HYB1:" + signed.removeprefix(PREFIX),
        "a small prefix": signed.replace(PREFIX, PREFIX.lower()),
        "a space before it": " " + signed,
        "cut off": signed[:-3],
        "not Base45": PREFIX + "aa",
        "over 1,024 characters": signed + " " * 1024,
        "one part": _text([CHALLENGE]),
        "three parts": _text([*parts[:2], "甲"]),
        "seven parts": _text([*parts, 1]),
        "a challenge of 7 bytes": _text([CHALLENGE[:7], _NOW]),
        "a challenge of 16 bytes": _text([CHALLENGE * 2, _NOW]),
        "a challenge that is text": _text([CHALLENGE.hex()[:8], _NOW]),
        "an end before 1970": _text([CHALLENGE, -1]),
        "an end that is text": _text([CHALLENGE, str(_NOW)]),
        "an end that is true": _text([CHALLENGE, True]),
        "an end of 2^53": _text([CHALLENGE, 1 << 53]),
        "an empty name": _text([*parts[:2], "", *parts[3:]]),
        "a name that is bytes": _text([*parts[:2], b"name", *parts[3:]]),
        "a kid of 7 bytes": _text([*parts[:4], parts[4][:7], parts[5]]),
        "a signature of 63 bytes": _text([*parts[:5], parts[5][:63]]),
        "a map": PREFIX + base45.encode(cbor.encode({1: CHALLENGE, 2: _NOW})),
        "bytes after the end": PREFIX + base45.encode(cbor.encode([CHALLENGE, _NOW]) + b"\0"),
        "a number spelt long": PREFIX + base45.encode(b"\x82\x48" + CHALLENGE + b"\x1b" + _NOW.to_bytes(8)),
    }
    for name, text in texts.items():
        yield case(name, text, outcome="malformed")


def _signed(drawn: Drawn = _DRAWN, key: Any = LISTS) -> str:
    return signed_text(drawn, verifier=_NAME, key=key)


def _parts() -> list[Any]:
    parts: list[Any] = cbor.decode(base45.decode(_signed().removeprefix(PREFIX)))
    return parts


def _text(parts: list[Any]) -> str:
    return PREFIX + base45.encode(cbor.encode(parts))
