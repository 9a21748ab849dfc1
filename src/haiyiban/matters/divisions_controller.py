"""Administrative divisions over HTTP, for whoever picks a place: public, and the same for years."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery

from haiyiban import context, divisions
from haiyiban.divisions import Division, UnknownDivision
from haiyiban.errors import NotFound, Words
from haiyiban.wire import Output, problems

_KEPT = {"cache-control": "public, max-age=86400", "vary": "accept-language"}


class DivisionUnknown(NotFound):
    """The code names no division of Hainan."""

    type = "matters/division-not-found"
    title = Words("没有这个行政区划代码", "There is no division of this code")


class DivisionRead(Output):
    """A division; `level`: province, city, county, township or village."""

    code: str
    name: str
    level: str


class DivisionList(Output, omit_defaults=False):
    """What lies directly within a division, by code; `next` is always null."""

    items: list[DivisionRead]
    next: str | None = None


class DivisionPlace(DivisionRead):
    """A division and all that it lies in, from the province down to itself."""

    path: list[DivisionRead]


class DivisionsController(Controller):
    """Divisions (行政区划)."""

    path = "/divisions"
    tags = ["matters"]

    @get(summary="What lies within a division", responses=problems(DivisionUnknown))
    async def within(self, parent: FromQuery[str] = divisions.PROVINCE) -> Response[DivisionList]:
        """One level down: 市县 of the province, then townships, then villages. Empty below a village."""
        found = _find(parent)
        items = [_read(each) for each in divisions.children_of(found.code)]
        return Response(DivisionList(items=items), headers=_KEPT)

    @get("/{code:str}", summary="Where a division is", responses=problems(DivisionUnknown))
    async def place(self, code: FromPath[str]) -> Response[DivisionPlace]:
        """A retired code is answered by the division that took its place."""
        found = _find(code)
        read = [_read(each) for each in (*reversed(divisions.ancestors(found.code)), found)]
        here = read[-1]
        answer = DivisionPlace(code=here.code, name=here.name, level=here.level, path=read)
        return Response(answer, headers=_KEPT)


def _find(code: str) -> Division:
    try:
        return divisions.get(code)
    except UnknownDivision:
        raise DivisionUnknown from None


def _read(division: Division) -> DivisionRead:
    name = Words(division.name, division.name_en).in_language(context.current().language)
    return DivisionRead(code=division.code, name=name, level=division.level)
