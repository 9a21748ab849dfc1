"""What of a new contract would break a client that was written against an older one. Pure.

A client sends what it sent and reads what it read: so requests may only ask for less, answers may only say
more. What the two documents do not tell apart (a rule that grew stricter) is for the tests of the rules.

Source: openapi/README.md, the policy in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_METHODS = ("get", "post", "put", "patch", "delete")
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_DEPTH_MOST = 12


class Break(NamedTuple):
    """One change that a client would notice, and where."""

    where: str
    what: str


def breaking_changes(released: Mapping[str, Any], new: Mapping[str, Any]) -> list[Break]:
    """Every break, in the order of the released document's addresses."""
    return list(_Comparison(released, new).operations())


class _Comparison:
    def __init__(self, released: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self.released, self.new = released, new

    def operations(self) -> Iterator[Break]:
        for path, item in self.released["paths"].items():
            for method in (name for name in _METHODS if name in item):
                where = f"{method.upper()} {path}"
                after = self.new["paths"].get(path, {}).get(method)
                if after is None:
                    yield Break(where, "is gone")
                    continue
                if item[method]["operationId"] != after["operationId"]:
                    yield Break(
                        where, f"operationId is {after['operationId']}, generated clients call another"
                    )
                yield from self._callers(where, item[method], after)
                yield from self._parameters(where, item[method], after)
                yield from self._body(where, item[method], after)
                yield from self._answers(where, item[method], after)

    def _callers(self, where: str, before: Any, after: Any) -> Iterator[Break]:
        accepted = {name for each in after.get("security", []) for name in each}
        if not before.get("security") and accepted:
            yield Break(where, "asks for a token now")
        for each in before.get("security", []):
            if accepted and not accepted & set(each):
                yield Break(where, f"no longer accepts the token of a {', '.join(each)}")

    def _parameters(self, where: str, before: Any, after: Any) -> Iterator[Break]:
        old = {(each["in"], each["name"]): each for each in before.get("parameters", [])}
        new = {(each["in"], each["name"]): each for each in after.get("parameters", [])}
        for key, each in new.items():
            if each.get("required") and not old.get(key, {}).get("required"):
                yield Break(f"{where} {key[1]}", "is required now")
        for key, each in old.items():
            if key not in new:
                yield Break(f"{where} {key[1]}", "is not read any more")
            else:
                yield from self._sent(f"{where} {key[1]}", each["schema"], new[key]["schema"])

    def _body(self, where: str, before: Any, after: Any) -> Iterator[Break]:
        old, new = before.get("requestBody", {}), after.get("requestBody", {})
        if new.get("required") and not old.get("required"):
            yield Break(f"{where} body", "is required now")
        for media, each in old.get("content", {}).items():
            if media not in new.get("content", {}):
                yield Break(f"{where} body", f"{media} is not read any more")
            else:
                yield from self._sent(f"{where} body", each["schema"], new["content"][media]["schema"])

    def _answers(self, where: str, before: Any, after: Any) -> Iterator[Break]:
        for status, each in before["responses"].items():
            if status >= "400":
                continue
            found = after["responses"].get(status)
            if found is None:
                yield Break(f"{where} {status}", "is not answered any more")
                continue
            for media, content in each.get("content", {}).items():
                if media not in found.get("content", {}):
                    yield Break(f"{where} {status}", f"does not come as {media} any more")
                elif "schema" in content:
                    schema = found["content"][media].get("schema", {})
                    yield from self._read(f"{where} {status}", content["schema"], schema)

    def _sent(self, where: str, before: Any, after: Any, depth: int = 0) -> Iterator[Break]:
        """What a client may send before, it may send after."""
        before, after = self._of(self.released, before), self._of(self.new, after)
        if depth > _DEPTH_MOST or not after:
            return
        if kinds := _kinds(before) - _kinds(after):
            yield Break(where, f"does not take {', '.join(sorted(kinds))} any more")
        yield from _narrower(where, before, after)
        if gone := _values(before) - _values(after) if _values(after) else set():
            yield Break(where, f"does not take {', '.join(sorted(gone))} any more")
        if not _values(before) and _values(after) and _kinds(before):
            yield Break(where, "takes some values only")
        for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
            yield Break(f"{where}/{name}", "is required now")
        members = after.get("properties", {})
        for name, schema in before.get("properties", {}).items():
            if name in members:
                yield from self._sent(f"{where}/{name}", schema, members[name], depth + 1)
            elif after.get("additionalProperties") is False:
                yield Break(f"{where}/{name}", "is refused now")
        if "items" in before and "items" in after:
            yield from self._sent(f"{where}/0", before["items"], after["items"], depth + 1)
        yield from self._alternatives(where, before, after, depth)

    def _alternatives(self, where: str, before: Any, after: Any, depth: int) -> Iterator[Break]:
        """Of several shapes, each one that was taken is taken still; told apart by name."""
        new = {_name(each): each for each in after.get("oneOf", ())}
        for each in before.get("oneOf", ()):
            if _name(each) in new:
                yield from self._sent(where, each, new[_name(each)], depth + 1)
            elif new:
                yield Break(where, f"does not take {_name(each)} any more")

    def _read(self, where: str, before: Any, after: Any, depth: int = 0) -> Iterator[Break]:
        """What a client found in an answer before, it finds after."""
        before, after = self._of(self.released, before), self._of(self.new, after)
        if depth > _DEPTH_MOST or not before:
            return
        if _kinds(before) and (kinds := _kinds(after) - _kinds(before)):
            yield Break(where, f"may be {', '.join(sorted(kinds))} now")
        elif _kinds(before) and not _kinds(after):
            yield Break(where, "may be anything now")
        for name in sorted(set(before.get("required", ())) - set(after.get("required", ()))):
            yield Break(f"{where}/{name}", "may be missing now")
        members = after.get("properties", {})
        for name, schema in before.get("properties", {}).items():
            if name not in members:
                yield Break(f"{where}/{name}", "is gone")
            else:
                yield from self._read(f"{where}/{name}", schema, members[name], depth + 1)
        if "items" in before and "items" in after:
            yield from self._read(f"{where}/0", before["items"], after["items"], depth + 1)

    def _of(self, document: Mapping[str, Any], schema: Any) -> Any:
        """The schema itself; of one that may be null, what it is otherwise, with null among its kinds."""
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        shapes = schema.get("oneOf", ())
        others = [each for each in shapes if each.get("type") != "null"]
        if len(shapes) == 2 and len(others) == 1:
            inner = self._of(document, others[0])
            return {**inner, "type": sorted(_kinds(inner) | {"null"})}
        return schema


def _kinds(schema: Any) -> set[str]:
    found = schema.get("type", ())
    kinds = {found} if isinstance(found, str) else set(found)
    # An integer passes wherever a number does, and an object of named members is an object.
    return kinds | ({"integer"} if "number" in kinds else set())


def _values(schema: Any) -> set[str]:
    values = {str(value) for value in schema.get("enum", ())}
    return values | ({str(schema["const"])} if "const" in schema else set())


def _name(schema: Any) -> str:
    return str(schema.get("$ref") or schema.get("type") or schema.get("title"))


def _narrower(where: str, before: Any, after: Any) -> Iterator[Break]:
    for word in _LEAST:
        if after.get(word, before.get(word)) != before.get(word) and after[word] > before.get(
            word, float("-inf")
        ):
            yield Break(where, f"{word} is {after[word]} now")
    for word in _MOST:
        if after.get(word, before.get(word)) != before.get(word) and after[word] < before.get(
            word, float("inf")
        ):
            yield Break(where, f"{word} is {after[word]} now")
    for word in ("pattern", "format"):
        if word in after and after[word] != before.get(word):
            yield Break(where, f"{word} is {after[word]} now")
