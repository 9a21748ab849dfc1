"""How big a form may be, and which characters it may hold, whatever its schema says.

A schema bounds the fields it knows. These bounds hold for the whole document before anything else looks at
it, so that no form can make validation, encryption or a PDF expensive, and PostgreSQL (which stores no NUL)
is never asked to keep what it cannot.

Source: [design]; RFC 8259 §9.
"""

from dataclasses import dataclass

from haiyiban.errors import FieldError, Words
from haiyiban.forms.pointers import Json, pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one form: nesting, values in all, members of one array or object, characters of one text or
    key."""

    depth: int = 16
    values: int = 2_000
    members: int = 500
    characters: int = 10_000


LIMITS = Limits()


def check_limits(form: Json, limits: Limits = LIMITS) -> list[FieldError]:
    """What the form exceeds; empty when it may be looked at further. Stops at the first excess of the whole
    form."""
    errors: list[FieldError] = []
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), form)]
    seen = 0
    while waiting:
        path, value = waiting.pop()
        seen += 1
        if seen > limits.values:
            return [
                *errors,
                FieldError(
                    "",
                    Words(
                        "填写的内容太多，请精简后再提交", "There is too much in this form; please shorten it"
                    ),
                ),
            ]
        if len(path) > limits.depth:
            return [
                *errors,
                FieldError(
                    "",
                    Words(
                        "表单层级太深，请刷新页面重新填写",
                        "The form is nested too deeply; please reload the page",
                    ),
                ),
            ]
        if isinstance(value, str):
            errors += _text_errors(pointer(*path), value, limits)
        elif isinstance(value, list | dict):
            if len(value) > limits.members:
                errors.append(
                    FieldError(
                        pointer(*path),
                        Words(f"最多填写 {limits.members} 项", f"At most {limits.members} entries"),
                    )
                )
                continue
            if isinstance(value, dict):
                if any(_text_errors("", key, limits) for key in value):
                    errors.append(
                        FieldError(
                            pointer(*path), Words("含有不能识别的字段", "This holds a field we do not know")
                        )
                    )
                    continue
                waiting += [((*path, key), inner) for key, inner in value.items()]
            else:
                waiting += [((*path, index), inner) for index, inner in enumerate(value)]
    return errors


def _text_errors(at: str, text: str, limits: Limits) -> list[FieldError]:
    if len(text) > limits.characters:
        return [
            FieldError(
                at, Words(f"最多填写 {limits.characters} 个字", f"At most {limits.characters} characters")
            ),
        ]
    if "\0" in text or not is_unicode(text):
        return [
            FieldError(
                at,
                Words(
                    "含有无法保存的字符，请重新输入",
                    "This holds characters that cannot be kept; please type it again",
                ),
            )
        ]
    return []


def is_unicode(text: str) -> bool:
    """No half of a surrogate pair: such a text cannot be written as UTF-8. Rare characters (beyond the BMP)
    are fine."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
