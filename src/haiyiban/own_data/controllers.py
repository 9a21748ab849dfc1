"""A copy of all that is kept about me."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.delegations import Actor
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.identity.ways_in import FACE_IS_FRESH
from haiyiban.own_data.export import gather, record
from haiyiban.own_data.page import CONTENT_SECURITY_POLICY, page
from haiyiban.own_data.wire import ExportRead
from haiyiban.wire import problems

_FILE = [ResponseHeader(name="Content-Disposition", documentation_only=True)]


class ExportController(Controller):
    """All that is kept about me (查阅、复制)."""

    path = "/me/export"
    tags = ["accounts"]
    # A phone that lies about unlocked must not hand out a life.
    guards = [resident(Level.L3, fresh=FACE_IS_FRESH)]

    @get(
        summary="Everything that is kept about me",
        operation_id="meExport",
        response_headers=_FILE,
        responses=problems(NotSignedIn, StepUpNeeded),
    )
    async def export(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> Response[ExportRead]:
        """As a file for machines, with a face not older than five minutes. It is made for this answer and
        kept nowhere; the audit knows that it was. Source: 个人信息保护法 art. 45."""
        person_id = Actor.of(request.user).id
        told = await gather(session, person_id)
        await record(session, person_id, told)
        answer = ExportRead(
            made_at=clock.now(), folders={each.folder.name: dict(each.kinds) for each in told}
        )
        return Response(answer, headers=_headers("json"))

    @get(
        "/page",
        summary="Everything that is kept about me, to read",
        operation_id="meExportPage",
        media_type="text/html",
        response_headers=_FILE,
        responses=problems(NotSignedIn, StepUpNeeded),
    )
    async def read(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> Response[str]:
        """The same as one page in both languages, without scripts and with nothing from elsewhere."""
        person_id = Actor.of(request.user).id
        told = await gather(session, person_id)
        await record(session, person_id, told)
        return Response(
            page(told, made_at=clock.now()),
            media_type="text/html",
            headers=_headers("html") | {"Content-Security-Policy": CONTENT_SECURITY_POLICY},
        )


def _headers(suffix: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="haiyiban-my-data-{clock.today()}.{suffix}"',
        "Cache-Control": "no-store",
    }
