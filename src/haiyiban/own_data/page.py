"""The export as one page that people read: Chinese first, English beside it, without scripts.

All that a person or a register ever wrote is text here and never markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any

from haiyiban.errors import Words
from haiyiban.own_data.export import Told
from haiyiban.own_data.words import COMMON
from haiyiban.rows import plain

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_TITLE = Words("海易办：我的全部数据", "Haiyiban: everything kept about me")
_NOTHING = Words("没有记录", "Nothing is kept")
_YES = Words("是", "yes")
_NO = Words("否", "no")
_STYLE = """
body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;
color:#1a1a1a;background:#fff}
h2{border-bottom:2px solid #0b6e4f;margin-top:2.5rem}h3{margin-bottom:.3rem}small{color:#555;font-weight:400}
dl{display:grid;grid-template-columns:minmax(8rem,16rem) 1fr;gap:.1rem 1rem;margin:.5rem 0;padding:.5rem;
border:1px solid #ccc;border-radius:.4rem}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}
ol{padding-left:1.4rem}
@media(max-width:32rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}}
"""


def page(told: list[Told], *, made_at: datetime) -> str:
    """The whole document."""
    return "".join(
        (
            '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(_TITLE.zh)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{_both(_TITLE)}</h1>",
            f"<p>{escape(str(plain(made_at)))}</p>",
            *(part for each in told for part in _folder(each)),
            "</body></html>",
        )
    )


def _folder(told: Told) -> Iterator[str]:
    words = {**COMMON, **told.folder.about_words}
    yield f"<section><h2>{_both(told.folder.title)}</h2>"
    for kind, value in told.kinds.items():
        yield f"<h3>{_name(kind, words)}</h3>"
        yield _value(value, words) if value else f"<p>{_both(_NOTHING)}</p>"
    yield "</section>"


def _value(value: Any, words: Mapping[str, Words]) -> str:
    if isinstance(value, Mapping):
        members = (
            f"<dt>{_name(key, words)}</dt><dd>{_value(each, words)}</dd>" for key, each in value.items()
        )
        return f"<dl>{''.join(members)}</dl>"
    if isinstance(value, list):
        return f"<ol>{''.join(f'<li>{_value(each, words)}</li>' for each in value)}</ol>"
    if isinstance(value, bool):
        return _both(_YES if value else _NO)
    return escape(str(value)) if value is not None else ""


def _name(key: str, words: Mapping[str, Words]) -> str:
    """In words where a folder gives them; members of forms and facts by the name that they have there."""
    return _both(words[key]) if key in words else escape(key)


def _both(words: Words) -> str:
    return f'{escape(words.zh)} <small lang="en">{escape(words.en)}</small>'
