"""Data files before they are published: everything that is wrong with one, by pointer and by line.

The same rules refuse a catalogue when it is compiled; here a file is looked at that is not published yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jsonschema_rs
import msgspec

from haiyiban import resources
from haiyiban.errors import Words
from haiyiban.forms import Json, MalformedJson, parse_json, pointer
from haiyiban.matters.matter import Matter
from haiyiban.matters.quality import Finding, findings
from haiyiban.matters.reading import file_findings
from haiyiban.matters.shape import matter_schema
from haiyiban.texts import AgreedText

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class Fault(NamedTuple):
    """One thing that is wrong: which rule says so, where, in which line from 1, in words."""

    rule: str
    pointer: str
    line: int
    words: Words


def faults(kind: str, file_name: str, text: str) -> list[Fault]:
    """All that is wrong with a matter, form or text file; empty where it may be published."""
    try:
        document = parse_json(text.encode())
    except MalformedJson as error:
        return [Fault("json", "", _line_of_break(text), error.detail or error.title)]
    lines = _lines(text)
    return [
        Fault(each.rule, each.pointer, _line_at(lines, each.pointer), each.words)
        for each in CHECKS[kind](file_name, document)
    ]


def of_published(matter: Matter) -> list[Finding]:
    """What today's rules hold against a matter that is published."""
    return [*file_findings(f"{matter.code}.v{matter.version}.json", matter), *findings(matter)]


def _matter(file_name: str, document: Json) -> Iterator[Finding]:
    shape = list(_by_schema(json.loads(matter_schema()), document))
    yield from shape
    if shape:
        return
    matter = msgspec.convert(document, Matter)
    yield from file_findings(file_name, matter)
    yield from findings(matter)


def _form(file_name: str, document: Json) -> Iterator[Finding]:
    meta = json.loads((resources.schemas() / "meta" / "form.v1.schema.json").read_bytes())
    yield from _by_schema(meta, document)
    if not isinstance(document, dict):
        return
    if not str(document.get("$id", "")).endswith(f"/{file_name}"):
        yield Finding("file", "/$id", Words("$id 应以文件名结尾", "$id ends with the file's name"))
    try:
        jsonschema_rs.Draft202012Validator(document)
    except ValueError as error:
        yield Finding("schema", "", Words("不是有效的 JSON Schema", str(error).partition("\n")[0]))


def _text(file_name: str, document: Json) -> Iterator[Finding]:
    try:
        text = msgspec.convert(document, AgreedText)
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at `$")
        yield Finding(
            "shape",
            re.sub(r"[.\[]", "/", at.rstrip("`")).replace("]", ""),
            Words("不符合文本文件的格式", said),
        )
        return
    if file_name != f"{text.name}.json":
        yield Finding("file", "/slug", Words(f"文件名应为 {text.name}.json", f"it is named {text.name}.json"))


CHECKS: dict[str, Callable[[str, Json], Iterator[Finding]]] = {
    "matter": _matter,
    "form": _form,
    "text": _text,
}


def _by_schema(schema: dict[str, Any], document: Json) -> Iterator[Finding]:
    for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(document):
        said = error.message if len(error.message) < 200 else f"{error.message[:200]}…"
        yield Finding("shape", pointer(*error.instance_path), Words(f"不符合文件格式：{said}", said))


def _line_of_break(text: str) -> int:
    try:
        json.loads(text)
    except ValueError as error:
        return getattr(error, "lineno", 1)
    return 1


def _line_at(lines: dict[str, int], at: str) -> int:
    """Where a pointer stands; of what is missing, where it would have to be."""
    while at not in lines and at:
        at = at.rpartition("/")[0]
    return lines.get(at, 1)


def _lines(text: str) -> dict[str, int]:
    """The line of every value of a JSON text that is well formed, by its pointer."""
    found: dict[str, int] = {}
    tokens = [(match.group(), match.start()) for match in _TOKEN.finditer(text)]
    place = 0
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line_of(offset: int) -> int:
        low, high = 0, len(starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if starts[middle] <= offset else (low, middle)
        return low + 1

    def value(path: tuple[str | int, ...]) -> None:
        nonlocal place
        mark, offset = tokens[place]
        found.setdefault(pointer(*path), line_of(offset))
        place += 1
        if mark == "{":
            while tokens[place][0] != "}":
                name, at = tokens[place]
                inner = (*path, json.loads(name))
                found[pointer(*inner)] = line_of(at)
                place += 2
                value(inner)
                place += tokens[place][0] == ","
            place += 1
        elif mark == "[":
            index = 0
            while tokens[place][0] != "]":
                value((*path, index))
                index += 1
                place += tokens[place][0] == ","
            place += 1

    value(())
    return found
