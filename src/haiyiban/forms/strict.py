"""Reading JSON that came from outside, and refusing what a lenient parser lets through.

Two members of one name are refused because two readers would disagree about which counts; numbers beyond
±(2^53 − 1) because a browser rounds them; NaN because it is not JSON; half a surrogate pair and NUL because
neither can be stored.

Source: RFC 8259 §4, §8; RFC 7493 (I-JSON) §2; issue "Bad input and bad days".
"""

import json
import math
import re
from typing import Final, NoReturn

from haiyiban.errors import Malformed, Words
from haiyiban.forms.limits import is_unicode
from haiyiban.forms.pointers import Json

MAX_DEPTH: Final = 32
MAX_INT: Final = 2**53 - 1

# The closing quote may be missing: where a match could fail, every quote after it would be tried anew, and a
# megabyte of them would keep the process busy for an hour.
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}", re.ASCII)


class MalformedJson(Malformed):
    """The body is not JSON that two readers would read alike; the detail says where."""

    type = "kernel/malformed-json"
    title = Words("提交的数据格式不对", "The data sent is not well-formed JSON")


def parse_json(body: bytes) -> Json:
    """The value of a JSON text. Raises MalformedJson."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _refuse(
            f"第 {error.start + 1} 个字节不是 UTF-8", f"byte {error.start + 1} is not UTF-8"
        ) from None
    if _depth_exceeds(body, MAX_DEPTH):
        raise _refuse(f"嵌套超过 {MAX_DEPTH} 层", f"nested deeper than {MAX_DEPTH} levels")
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _refuse(
            f"第 {error.lineno} 行第 {error.colno} 列不是 JSON",
            f"not JSON at line {error.lineno}, column {error.colno}",
        ) from None
    # Raw NUL is refused by the grammar and raw surrogates by UTF-8: only an escape can bring either.
    if "\\u" in text:
        _refuse_unstorable(value)
    return value


def _refuse(zh: str, en: str) -> MalformedJson:
    return MalformedJson(Words(zh, en))


def _depth_exceeds(body: bytes, limit: int) -> bool:
    """Looks at brackets only, and precisely only where there are enough of them: almost every body is done
    after two counts."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    depth = 0
    for byte in _STRINGS.sub(b"", body):
        if byte in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _once_each(members: list[tuple[str, Json]]) -> dict[str, Json]:
    read = dict(members)
    if len(read) == len(members):
        return read
    twice = _twice([name for name, _ in members])
    if _NAME.fullmatch(twice):
        raise _refuse(f"“{twice}”出现了两次", f"“{twice}” appears twice in one object")
    raise _refuse("同一对象里有重名的字段", "one object has two members of the same name")


def _twice(names: list[str]) -> str:
    """The first name that was there before. In one walk: counting each would take minutes over a megabyte."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    raise ValueError("every name is there once")


def _integer(digits: str) -> int:
    # The length is looked at first: turning a very long number into an int takes quadratic time.
    if len(digits) > 17 or abs(number := int(digits)) > MAX_INT:
        raise _refuse("有一个整数太大", "a whole number is out of range")
    return number


def _real(digits: str) -> float:
    if len(digits) > 64 or not math.isfinite(number := float(digits)):
        raise _refuse("有一个数字太大或太长", "a number is out of range")
    return number


def _constant(name: str) -> NoReturn:
    raise _refuse(f"{name} 不是 JSON", f"{name} is not JSON")


def _refuse_unstorable(value: Json) -> None:
    waiting: list[Json] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\0" in item or not is_unicode(item):
                raise _refuse("含有无法保存的字符", "this holds a character that cannot be kept")
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            waiting += item
            waiting += item.values()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
