"""The contract as a page: plain HTML, no script, nothing from elsewhere, so that any office network shows it.

Everything stands on one page, unfolded: the browser's own search finds it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import Any

Json = dict[str, Any]

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The page's Content-Security-Policy."""

_METHODS = ("get", "post", "patch", "put", "delete")
_SCHEMA = "#/components/schemas/"


def stylesheet() -> bytes:
    """The look of the page."""
    return files("haiyiban.runtime").joinpath("docs.css").read_bytes()


def page(contract: Json) -> str:
    """The whole page."""
    groups = _by_tag(contract)
    words = {tag["name"]: tag["description"] for tag in contract.get("tags", ())}
    schemas: dict[str, Json] = contract["components"]["schemas"]
    schemes: dict[str, Json] = contract["components"]["securitySchemes"]
    return "".join(
        (
            '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(contract['info']['title'])} · 接口文档</title>",
            '<link rel="stylesheet" href="/docs/style.css"></head><body>',
            '<a class="skip" href="#content">跳到正文 Skip to content</a>',
            f"<header><h1>{escape(contract['info']['title'])}</h1>",
            "<p>接口文档 API reference · 用浏览器的查找功能搜索本页 search with your browser’s find · ",
            '<a href="/openapi.json">openapi.json</a><br>',
            "拒绝一律是 refusals are always application/problem+json：",
            '<a href="#schema-ProblemDocument">ProblemDocument</a></p></header>',
            '<nav aria-label="目录 Contents"><ul>',
            *(_entry(tag, words.get(tag, tag), operations) for tag, operations in groups.items()),
            '<li><a href="#schemas">数据结构 Schemas</a></li></ul></nav><main id="content">',
            *(_group(tag, words.get(tag, tag), operations, schemes) for tag, operations in groups.items()),
            '<section id="schemas"><h2>数据结构 Schemas</h2>',
            *(_component(name, schema) for name, schema in sorted(schemas.items())),
            "</section></main></body></html>",
        )
    )


def _by_tag(contract: Json) -> dict[str, list[tuple[str, str, Json]]]:
    groups: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in contract.get("tags", ())}
    found: dict[str, list[tuple[str, str, Json]]] = defaultdict(list, groups)
    for path, item in contract["paths"].items():
        for method in _METHODS:
            if method in item:
                found[item[method]["tags"][0]].append((method, path, item[method]))
    return {tag: operations for tag, operations in found.items() if operations}


def _entry(tag: str, words: str, operations: Iterable[tuple[str, str, Json]]) -> str:
    links = "".join(
        f'<li><a href="#{operation["operationId"]}">{escape(operation["summary"])}</a></li>'
        for _, _, operation in operations
    )
    return f'<li><a href="#tag-{escape(tag)}">{escape(words)}</a><ul>{links}</ul></li>'


def _group(
    tag: str, words: str, operations: Iterable[tuple[str, str, Json]], schemes: dict[str, Json]
) -> str:
    inside = "".join(_operation(method, path, each, schemes) for method, path, each in operations)
    return f'<section id="tag-{escape(tag)}"><h2>{escape(words)}</h2>{inside}</section>'


def _operation(method: str, path: str, operation: Json, schemes: dict[str, Json]) -> str:
    accepted = [name for requirement in operation.get("security", ()) for name in requirement]
    who = "；".join(escape(schemes[name]["description"]) for name in accepted) or "任何人 (anybody)"
    return "".join(
        (
            f'<article id="{operation["operationId"]}"><h3>{escape(operation["summary"])}</h3>',
            f'<p class="address"><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code></p>',
            _prose(operation.get("description", "")),
            f"<dl><dt>谁可以用 Who</dt><dd>{who}</dd></dl>",
            _parameters(operation.get("parameters", ())),
            _body(operation.get("requestBody")),
            _responses(operation["responses"]),
            "</article>",
        )
    )


def _parameters(parameters: Iterable[Json]) -> str:
    places = {"path": "地址 path", "query": "查询 query", "header": "请求头 header", "cookie": "cookie"}
    rows = [
        (each["name"], places[each["in"]], _kind(each["schema"]), _must(each.get("required", False)))
        for each in parameters
    ]
    return _table("参数 Parameters", rows)


def _body(body: Json | None) -> str:
    if body is None:
        return ""
    kinds = "".join(
        f"<dd>{escape(media)}：{_kind(content['schema'])}</dd>" for media, content in body["content"].items()
    )
    return f"<dl><dt>请求内容 Body</dt>{kinds}</dl>"


def _responses(responses: Json) -> str:
    """What may come back. Every refusal is a problem document, which the top of the page says once."""
    rows = []
    for status, response in sorted(responses.items()):
        if status >= "400":
            told = _prose_lines(re.split(r"; (?=`)", response["description"]))
        else:
            content = response.get("content", {}).items()
            told = (f"{escape(media)}：{_kind(each['schema'])}" for media, each in content)
        rows.append((status, "<br>".join(told) or "完成，没有内容 (done, no content)"))
    return _table("答复 Responses", rows)


def _component(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = [
        (field, _kind(each), _must(field in required)) for field, each in schema.get("properties", {}).items()
    ]
    inside = _table("", rows) if rows else f"<p>{_kind(schema)}</p>"
    return (
        f'<article id="schema-{escape(name)}"><h3>{escape(_short(name))}</h3>'
        f"{_prose(schema.get('description', ''))}{inside}</article>"
    )


def _table(caption: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    title = f"<caption>{caption}</caption>" if caption else ""
    return f'<div class="wide"><table>{title}<tbody>{lines}</tbody></table></div>' if lines else ""


def _kind(schema: Json) -> str:
    """What a value is, in a few words, with links to the structures it is made of."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMA)
        return f'<a href="#schema-{escape(name)}">{escape(_short(name))}</a>'
    if "oneOf" in schema:
        return " | ".join(_kind(each) for each in schema["oneOf"])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"{{…: {_kind(schema['additionalProperties'])}}}"
    limits = ", ".join(_limits(schema))
    return escape(schema.get("type", "any")) + (f"（{escape(limits)}）" if limits else "")


def _limits(schema: Json) -> Iterator[str]:
    if "format" in schema:
        yield schema["format"]
    for name, sign in (("minLength", "≥"), ("maxLength", "≤"), ("minimum", "≥"), ("maximum", "≤")):
        if name in schema:
            yield f"{sign} {schema[name]}{' 字符' if 'Length' in name else ''}"


def _must(required: bool) -> str:
    return "必填 required" if required else "可选 optional"


def _short(name: str) -> str:
    """`Page_haiyiban.cases.views.CaseSummary_` is a page of CaseSummary."""
    return re.sub(r"^(\w+?)_.*\.(\w+)_$", r"\1[\2]", name)


def _prose(text: str) -> str:
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "".join(f"<p>{line}</p>" for line in _prose_lines(paragraphs))


def _prose_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line:
            yield re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line))
