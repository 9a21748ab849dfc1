"""A copy of all that is kept about me, and the end of my account."""

from __future__ import annotations

from litestar import Controller, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.delegations import Actor
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.identity.ways_in import FACE_IS_FRESH
from haiyiban.own_data.deletion import AccountInUse, delete_account
from haiyiban.own_data.export import gather, record
from haiyiban.own_data.page import CONTENT_SECURITY_POLICY, page
from haiyiban.own_data.wire import DeletionRead, ExportRead, KeptRead
from haiyiban.wire import Nothing, problems
from haiyiban.zone import Kept

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


class DeletionController(Controller):
    """The end of my account (注销)."""

    path = "/me/deletion"
    tags = ["accounts"]
    guards = [resident(Level.L3, fresh=FACE_IS_FRESH)]

    @post(
        status_code=200,
        summary="Close my account",
        operation_id="meDeletion",
        responses=problems(NotSignedIn, StepUpNeeded, AccountInUse),
    )
    async def delete(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[Nothing],  # noqa: ARG002 - an empty body, said so in the contract
    ) -> DeletionRead:
        """At once, with a face not older than five minutes. Every session ends, phone and WeChat are free,
        and what has no purpose any more is deleted; the answer says what stays, until when and by which rule.
        While something is under way it is refused: `inTheWay` lists {what, wayOut, link}.
        Source: 个人信息保护法 art. 47."""
        kept = await delete_account(
            session, request.user.account_id, person_id=Actor.of(request.user).id, now=clock.now()
        )
        language = current().language
        return DeletionRead(kept=[_kept(each, language) for each in kept])


def _kept(kept: Kept, language: str) -> KeptRead:
    return KeptRead(
        what=kept.what.in_language(language),
        until=kept.until.in_language(language),
        why=kept.why.in_language(language),
    )
