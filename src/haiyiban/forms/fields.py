"""Finding the part of a form's schema that describes one field."""

from collections.abc import Iterator, Sequence
from typing import Any

from haiyiban.errors import Words

Schema = dict[str, Any]

_ALSO = ("allOf", "anyOf", "oneOf")
_CONDITIONS = ("then", "else")


class FieldMap:
    """A form's schema, asked by the path of a field (object keys and array indexes)."""

    def __init__(self, document: Schema) -> None:
        self._document = document

    def schema(self, path: Sequence[str]) -> Schema:
        """All that the form says of a field, the first word winning; empty where it says nothing."""
        said: Schema = {}
        for part in self._at(path):
            said = {**part, **said}
        return said

    def title(self, path: Sequence[str]) -> Words:
        """What the field is called; an array's entry is called as the array, a nameless field by its key."""
        for length in range(len(path), 0, -1):
            said = self.schema(path[:length])
            if "title" in said:
                zh = str(said["title"])
                return Words(zh, str(said.get("x-title-en", zh)))
            if not path[length - 1].isdigit():
                break
        return Words("此项", "This field") if not path else Words(f"“{path[-1]}”", f"“{path[-1]}”")

    def required_leaves(self, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """The fields to fill in when what stands at the path is missing: it, or all that it must hold."""
        needed = self.schema(path).get("required", [])
        if not needed:
            yield path
        for name in needed:
            yield from self.required_leaves((*path, name))

    def position(self, path: Sequence[str]) -> tuple[int, ...]:
        """Where the field stands in the form, to sort by; what the form does not know comes last."""
        position: list[int] = []
        for depth, part in enumerate(path):
            names = list(self.schema(path[:depth]).get("properties", ()))
            known = part in names
            position.append(names.index(part) if known else len(names) + _index(part))
        return tuple(position)

    def _at(self, path: Sequence[str]) -> list[Schema]:
        here = list(self._parts(self._document))
        for part in path:
            inner: list[Schema] = []
            for schema in here:
                if part in schema.get("properties", {}):
                    inner += self._parts(schema["properties"][part])
                elif isinstance(schema.get("items"), dict) and part.isdigit():
                    inner += self._parts(schema["items"])
            here = inner
        return here

    def _parts(self, schema: Any) -> Iterator[Schema]:
        """A schema and all that it refers to or combines."""
        if not isinstance(schema, dict):
            return
        yield schema
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/$defs/"):
            yield from self._parts(self._document["$defs"][reference.removeprefix("#/$defs/")])
        for keyword in _ALSO:
            for inner in schema.get(keyword, ()):
                yield from self._parts(inner)
        for keyword in _CONDITIONS:
            yield from self._parts(schema.get(keyword))


def _index(part: str) -> int:
    """The place in an array; 0 for a name, even for one that reads like a number (², a thousand nines)."""
    return int(part) if part.isascii() and part.isdigit() and len(part) < 10 else 0
