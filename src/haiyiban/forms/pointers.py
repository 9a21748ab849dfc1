"""Naming one field of a form: JSON pointers (RFC 6901), the leaves of a form, and what a change touched.

An array is one leaf: a merge patch can only replace it whole, and a ranked list of schools has no meaning
piece by piece.

Source: RFC 6901; api.md "Matters and cases".
"""

from collections.abc import Iterable, Iterator
from typing import Final

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class _Missing:
    """What `get` answers where there is nothing: `None` is a value a form may hold."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()


def pointer(*parts: str | int) -> str:
    """Write a pointer: `pointer("child", "idNumber")` is `/child/idNumber`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def parts_of(text: str) -> list[str]:
    """Read a pointer into its parts. ValueError when it is none."""
    if text == "":
        return []
    if not text.startswith("/"):
        raise ValueError("a JSON pointer is empty or starts with '/'")
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def get(form: Json, at: str) -> Json | _Missing:
    """What stands at the pointer, or `MISSING`."""
    value: Json = form
    for part in parts_of(at):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def put(form: dict[str, Json], at: str, value: Json) -> dict[str, Json]:
    """A copy of the form with the value at the pointer; objects on the way are made. Arrays are replaced
    whole, never entered."""
    first, *rest = parts_of(at)
    changed = dict(form)
    if not rest:
        changed[first] = value
        return changed
    inner = form.get(first)
    changed[first] = put(inner if isinstance(inner, dict) else {}, pointer(*rest), value)
    return changed


def leaves(form: Json, at: str = "") -> Iterator[tuple[str, Json]]:
    """Every filled field with its pointer: scalars, arrays whole, and empty objects."""
    if isinstance(form, dict) and form:
        for key, value in form.items():
            yield from leaves(value, at + pointer(key))
    elif at or not isinstance(form, dict):
        yield at, form


def changed_pointers(old: Json, new: Json) -> set[str]:
    """The fields that differ between two states of a form: added, taken away or changed.

    `1`, `1.0` and `true` are different values to a reader of the form, though Python calls them equal.
    """
    before, after = dict(leaves(old)), dict(leaves(new))
    return {
        at
        for at in before.keys() | after.keys()
        if at not in before or at not in after or not _same(before[at], after[at])
    }


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def overlapping(touched: Iterable[str], locked: Iterable[str]) -> set[str]:
    """The locked pointers that a change touched, whether it changed the field itself, something in it or
    what holds it."""
    reached = list(touched)
    return {at for at in locked if any(_covers(at, other) or _covers(other, at) for other in reached)}


def _covers(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer + "/")
