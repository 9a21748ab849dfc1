"""What msgspec says of a wrong field, as a pointer and words. The value itself is never repeated."""

from __future__ import annotations

import re

from litestar.exceptions import ValidationException

from haiyiban.errors import FieldError, Words
from haiyiban.forms.pointers import pointer

_PATH = re.compile(r" - at `\$?([^`]*)`")
_NAMED = re.compile(r"unknown field `([^`]+)`|missing required field `([^`]+)`")
_WORDS = {
    "int": Words("这里要填整数，不带引号", "a whole number is expected, without quotes"),
    "str": Words("这里要填文字", "text is expected"),
    "bool": Words("这里要填 true 或 false", "true or false is expected"),
    "array": Words("这里要填列表", "a list is expected"),
    "object": Words("这里要填一组字段", "an object is expected"),
    "float": Words("这里要填数字", "a number is expected"),
    "null": Words("这里要留空", "null is expected"),
}
_EXPECTED = re.compile(r"Expected `([^`]+)`, got")


def field_error(message: str, *, within: str = "") -> FieldError:
    """One message of msgspec; `within` is the parameter it was said of, empty for the body."""
    where = _PATH.search(message)
    path = [within, *(re.split(r"[.\[\]]+", where.group(1)) if where else ())]
    named = _NAMED.search(message)
    if named:
        path.append(named.group(1) or named.group(2))
    return FieldError(pointer(*filter(None, path)), _words(_PATH.sub("", message), named))


def field_errors(error: ValidationException) -> list[FieldError]:
    """Everything that Litestar found wrong with parameters."""
    found = []
    for item in error.extra if isinstance(error.extra, list) else []:
        said: dict[str, str] = item if isinstance(item, dict) else {"message": str(item)}
        found.append(field_error(str(said.get("message", "")), within=str(said.get("key", ""))))
    return found


def _words(message: str, named: re.Match[str] | None) -> Words:
    if named:
        if named.group(1):
            return Words("不认识这一项，请检查拼写", "Unknown field; check its spelling")
        return Words("缺少这一项，请补上", "This field is missing; please add it")
    expected = _EXPECTED.search(message)
    known = _WORDS.get(expected.group(1).split(" |")[0]) if expected else None
    if known:
        return Words("格式不对：" + known.zh, "Not of the expected form: " + known.en)
    # msgspec quotes the value of an enumeration or a tag; what it says of lengths and formats has no quotes.
    told = "" if "'" in message else f": {message}"
    return Words("格式不对，请按说明填写", f"Not of the expected form{told}")
