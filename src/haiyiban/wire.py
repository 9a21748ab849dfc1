"""The shapes that cross the wire: camelCase structs, pages and documented problems."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from haiyiban.errors import FieldError, Malformed, Problem, Words

Item = TypeVar("Item")

API = "/api/v1"
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
"""Before and after all ids: where a list begins that has no cursor."""
PAGE_LIMIT = 20
PAGE_LIMIT_MOST = 100
OWN_ANSWERS = {"own_answers": True}
"""The `opt` of a handler whose rows are its stored answers, such as those of verifications and vouchers: the
edge keeps none for an Idempotency-Key."""


class Input(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """A request's body: an unknown field is refused, for it is a typing slip that would cost somebody."""


class Nothing(Input):
    """Everything is in the address."""


class Output(msgspec.Struct, rename="camel", kw_only=True, omit_defaults=True):
    """An answer's body; optional members are left out where they say nothing."""


class Page(msgspec.Struct, Generic[Item], rename="camel"):
    """One page of a list; `next` is the cursor of the following page, null at the end."""

    items: list[Item]
    next: str | None


class FieldProblem(msgspec.Struct):
    """What is wrong with one field."""

    pointer: str
    message: str


class ProblemDocument(msgspec.Struct, omit_defaults=True):
    """A refusal (RFC 9457, application/problem+json). Programs compare the last segment of `type`."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] = []


def problems(*kinds: type[Problem]) -> dict[int, ResponseSpec]:
    """`responses=` of a handler: the refusals that a client should expect from it."""
    by_status: dict[int, list[type[Problem]]] = defaultdict(list)
    for kind in kinds:
        by_status[kind.status].append(kind)
    return {
        status: ResponseSpec(
            data_container=ProblemDocument,
            generate_examples=False,
            media_type="application/problem+json",
            description="; ".join(f"`{kind.type}`: {kind.title.zh} ({kind.title.en})" for kind in same),
        )
        for status, same in by_status.items()
    }


def page_limit(limit: int | None) -> int:
    """The number of items a page may hold. Raises Malformed."""
    if limit is None:
        return PAGE_LIMIT
    if not 1 <= limit <= PAGE_LIMIT_MOST:
        raise Malformed(
            errors=[FieldError("/limit", Words("每页 1 到 100 条", "limit must be between 1 and 100"))]
        )
    return limit


def cursor_of(last: UUID) -> str:
    """The cursor of the page after this item."""
    return base64.urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def after_cursor(cursor: str | None) -> UUID | None:
    """The item that the page begins after. Raises Malformed for a cursor that we did not give."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise Malformed(
            errors=[
                FieldError(
                    "/cursor",
                    Words("翻页位置无效，请从第一页重新开始", "unknown cursor; start again without one"),
                )
            ]
        ) from None
