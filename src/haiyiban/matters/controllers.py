"""The catalogue over HTTP: public, cacheable, the same for everybody."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import FromPath, FromQuery

from haiyiban import context
from haiyiban.errors import FieldError, Malformed, Words
from haiyiban.forms import FormSchema
from haiyiban.matters.catalogue import MatterUnknown, catalogue
from haiyiban.matters.matter import Matter
from haiyiban.wire import Output, Page, page_limit, problems


class MatterSummary(Output):
    """A matter in a list."""

    code: str
    name: str
    summary: str
    zone: str
    audience: str
    agency: str
    promise_days: int
    promise_type: str
    visits: int
    is_online: bool


class MaterialRead(Output):
    """A material, and how it reaches the clerk."""

    code: str
    name: str
    necessity: str
    obtained_by: str


class QuestionRead(Output):
    """A common question, answered."""

    question: str
    answer: str


class MatterRead(MatterSummary, kw_only=True):
    """A matter with everything to know before starting."""

    version: int
    min_level: str
    subject: str
    commitment: str | None = None
    """The text to accept when handing in (告知承诺): `GET /texts/{slug}`."""
    form: str
    form_schema: dict[str, Any]
    you_will_need: list[str]
    materials: list[MaterialRead]
    questions: list[QuestionRead]
    result: str
    statutory_days: int | None
    statutory_type: str
    statutory_explanation: str
    accept_condition: str
    steps: list[str]
    fees: list[dict[str, Any]]
    consult_phone: str
    complaint_phone: str
    item: dict[str, Any]
    """The implementation list (实施清单) under its national field names."""


class MattersController(Controller):
    """Search and read matters (事项)."""

    path = "/matters"
    tags = ["matters"]

    @get(summary="Search the catalogue", responses=problems(Malformed))
    async def search(
        self,
        q: FromQuery[str | None] = None,
        zone: FromQuery[str | None] = None,
        audience: FromQuery[str | None] = None,
        division: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Response[Page[MatterSummary]]:
        """Matters that fit, best first; everyday words find them (「小孩上学」). No query lists all."""
        found = catalogue().search(q or "", zone=zone, audience=audience, division=division)
        start = _after(cursor)
        size = page_limit(limit)
        rows = [_summary(matter) for matter in found[start : start + size]]
        more = _cursor(start + size) if start + size < len(found) else None
        return Response(Page(items=rows, next=more), headers=_CACHED)

    @get("/{code:str}", summary="Read a matter", responses=problems(MatterUnknown))
    async def read(self, code: FromPath[str], request: Request[Any, Any, Any]) -> Response[MatterRead | None]:
        """Everything to know before starting, with the schema of the form. Answers If-None-Match."""
        matter = catalogue().get(code)
        tag = f'"{matter.code}.v{matter.version}-{context.current().language[:2]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(None, status_code=304, headers=_CACHED | {"etag": tag})
        return Response(_read(matter), headers=_CACHED | {"etag": tag})


_CACHED = {"cache-control": "public, max-age=60", "vary": "Accept-Language"}


def _summary(matter: Matter) -> MatterSummary:
    return MatterSummary(**_summary_members(matter))


def _summary_members(matter: Matter) -> dict[str, Any]:
    language = context.current().language
    return {
        "code": matter.code,
        "name": matter.name.words.in_language(language),
        "summary": matter.summary.words.in_language(language),
        "zone": matter.zone,
        "audience": matter.audience,
        "agency": matter.item.dept_name,
        "promise_days": matter.item.promise_day,
        "promise_type": matter.item.promise_type,
        "visits": matter.item.limit_scene_num,
        "is_online": matter.item.is_online,
    }


def _read(matter: Matter) -> MatterRead:
    language = context.current().language
    item = matter.item
    return MatterRead(
        **_summary_members(matter),
        version=matter.version,
        min_level=matter.min_level,
        subject=matter.subject,
        commitment=matter.commitment,
        form=matter.form,
        form_schema=FormSchema.load(matter.form).document,
        you_will_need=[text.words.in_language(language) for text in matter.you_will_need],
        materials=[
            MaterialRead(
                code=material.code,
                name=material.name.words.in_language(language),
                necessity=material.necessity,
                obtained_by=material.obtained_by,
            )
            for material in matter.materials
        ],
        questions=[
            QuestionRead(
                question=entry.question.words.in_language(language),
                answer=entry.answer.words.in_language(language),
            )
            for entry in item.faq
        ],
        result=item.result_name,
        statutory_days=item.anticipate_day,
        statutory_type=item.anticipate_type,
        statutory_explanation=item.anticipate_explain,
        accept_condition=item.accept_condition,
        steps=list(item.handle_flow),
        fees=[msgspec.to_builtins(fee) for fee in item.fees],
        consult_phone=item.link_way,
        complaint_phone=item.supervise_way,
        item=msgspec.to_builtins(item),
    )


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _after(cursor: str | None) -> int:
    """The catalogue is in memory and fixed while the process runs, so its cursor is a position."""
    if cursor is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor + "==")))
    except ValueError:
        words = Words("翻页位置无效，请从第一页重新开始", "unknown cursor; start again without one")
        raise Malformed(errors=[FieldError("/cursor", words)]) from None
