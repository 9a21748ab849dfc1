"""Saying what is wrong with a field so that anybody understands it: Chinese first, English second, naming
the field by its title.

Source: api.md "Refusals" (`errors: [{pointer, message}]`); docs/domain.md §13 (plain words for elder users).
"""

from collections.abc import Callable, Mapping
from typing import Any

from haiyiban.errors import Words


def choice(schema: Mapping[str, Any]) -> bool:
    """The person picks this field rather than typing it."""
    return "enum" in schema or "oneOf" in schema or schema.get("type") in ("array", "boolean")


def missing(title: Words, schema: Mapping[str, Any]) -> Words:
    """Nothing was filled in where something is needed."""
    if choice(schema):
        return Words(f"请选择{title.zh}", f"Please choose: {title.en}")
    return Words(f"请填写{title.zh}", f"Please fill in: {title.en}")


def unknown(name: str) -> Words:
    """A field that the form does not have; the name is repeated only if it looks like one of ours."""
    if name.isascii() and name.isidentifier() and len(name) <= 40:
        return Words(
            f"表单没有“{name}”这一项，请删去", f"This form has no field “{name}”; please leave it out"
        )
    return Words("表单没有这一项，请删去", "This form has no such field; please leave it out")


def failed(keyword: str, value: Any, title: Words, schema: Mapping[str, Any]) -> Words:
    """A filled field breaks `keyword` of its schema.

    A form may say it better itself (`x-message`, `x-message-en`) and name what it counts (`x-unit`: 所).
    """
    own = schema.get("x-message")
    if keyword in ("pattern", "format", "const", "not", "anyOf", "oneOf") and isinstance(own, str):
        return Words(own, str(schema.get("x-message-en", f"{title.en} is not right; please check it")))
    if keyword == "minLength" and value == 1:
        return missing(title, schema)
    unit = str(schema.get("x-unit", "项"))
    if keyword == "maxItems":
        return Words(f"{title.zh}最多选 {value} {unit}", f"{title.en}: choose at most {value}")
    if keyword == "minItems":
        return Words(f"{title.zh}至少选 {value} {unit}", f"{title.en}: choose at least {value}")
    say = _SENTENCES.get(keyword)
    if say is None:
        return Words(f"{title.zh}填写不正确，请检查", f"{title.en} is not right; please check it")
    return say(title, value)


def _format(title: Words, value: Any) -> Words:
    zh, en = _FORMATS.get(
        str(value), Words("格式不正确，请检查", "is not in the right form; please check it")
    )
    return Words(f"{title.zh}{zh}", f"{title.en} {en}")


def _type(title: Words, value: Any) -> Words:
    wanted = value[0] if isinstance(value, list) and value else value
    zh, en = _TYPES.get(str(wanted), Words("填写不正确", "is not right"))
    return Words(f"{title.zh}{zh}", f"{title.en} {en}")


_FORMATS: dict[str, Words] = {
    "id-number": Words(
        "不是有效的身份证号码，请核对 18 位号码",
        "is not a valid identity number; please check its 18 characters",
    ),
    "mobile": Words(
        "不是有效的手机号，请填写 11 位手机号", "is not a valid mobile number; please give its 11 digits"
    ),
    "division": Words(
        "不是有效的行政区划，请从列表中选择", "is not a known place; please choose from the list"
    ),
    "date": Words(
        "不是有效的日期，请按“2024-06-01”的样子填写", "is not a date; please write it like 2024-06-01"
    ),
    "uscc": Words(
        "不是有效的统一社会信用代码，请核对 18 位代码",
        "is not a valid unified social credit code; please check it",
    ),
    "certificate": Words(
        "不是您的证照，请从列表中重新选择",
        "is not one of your certificates; please choose from the list again",
    ),
    "uuid": Words("不正确，请从列表中重新选择", "is not right; please choose from the list again"),
}

_TYPES: dict[str, Words] = {
    "string": Words("应填写文字", "should be text"),
    "integer": Words("应填写整数", "should be a whole number"),
    "number": Words("应填写数字", "should be a number"),
    "boolean": Words("应选择“是”或“否”", "should be yes or no"),
    "array": Words("应为列表", "should be a list"),
    "object": Words(
        "填写不正确，请刷新页面重新填写", "is not right; please reload the page and fill it in again"
    ),
}

_SENTENCES: dict[str, Callable[[Words, Any], Words]] = {
    "type": _type,
    "format": _format,
    "enum": lambda title, _: Words(f"请从列表中选择{title.zh}", f"Please choose from the list: {title.en}"),
    "const": lambda title, _: Words(f"请确认{title.zh}", f"Please confirm: {title.en}"),
    "minLength": lambda title, value: Words(
        f"{title.zh}至少填写 {value} 个字", f"{title.en}: at least {value} characters"
    ),
    "maxLength": lambda title, value: Words(
        f"{title.zh}最多填写 {value} 个字", f"{title.en}: at most {value} characters"
    ),
    "uniqueItems": lambda title, _: Words(f"{title.zh}不能重复", f"{title.en}: each only once"),
    "minimum": lambda title, value: Words(
        f"{title.zh}不能小于 {value}", f"{title.en}: not less than {value}"
    ),
    "maximum": lambda title, value: Words(
        f"{title.zh}不能大于 {value}", f"{title.en}: not more than {value}"
    ),
    "exclusiveMinimum": lambda title, value: Words(
        f"{title.zh}应大于 {value}", f"{title.en}: more than {value}"
    ),
    "exclusiveMaximum": lambda title, value: Words(
        f"{title.zh}应小于 {value}", f"{title.en}: less than {value}"
    ),
}
